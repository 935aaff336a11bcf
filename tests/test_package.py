"""The package as others get it: what is in the wheel, and what an import costs."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.portability.harness import ROOT

HEAVY = ("torch", "jax", "markdown_it", "math_core", "antlr4", "latex2sympy2", "matplotlib")
CLEAN = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def python(code: str, executable: str | Path = sys.executable, **options: object) -> str:
    done = subprocess.run(
        [str(executable), "-c", code], capture_output=True, text=True, timeout=100, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


@pytest.mark.parametrize(
    "use", ["import rnnsym", "import rnnsym; rnnsym.elman().derive('b_y').markdown()"]
)
def test_what_is_optional_is_not_imported(use: str) -> None:
    code = f"import sys; {use}; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert python(code).strip() == "[]"


def test_without_what_is_optional_everything_else_works() -> None:
    block = f"import sys; sys.modules.update(dict.fromkeys({HEAVY!r}))"
    use = (
        "import rnnsym as rs; print(rs.elman().derive('W_aa').text()[:12]); rs.elman().gradients()"
    )
    assert python(f"{block}; {use}").strip() == "The gradient"


def test_an_import_prints_nothing_and_warns_of_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import rnnsym"], capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder),
         str(ROOT)],
        capture_output=True, text=True, env=CLEAN, timeout=300,
    )  # fmt: skip
    if done.returncode and "Could not find a version" in done.stderr:
        pytest.skip("the build backend is not there, and no package index")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("rnnsym-*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert {r for r in roots if not r.endswith(".dist-info")} == {"rnnsym"} and len(roots) == 2
    assert "rnnsym/py.typed" in names
    assert not [n for n in names if "__pycache__" in n or n.split("/")[-1].startswith("test")]
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "rnnsym").rglob("*.py")}
    assert modules == {n for n in names if n.endswith(".py")}
    assert any(n.endswith("LICENSE") for n in names)


@pytest.mark.slow
def test_the_wheel_works_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    """In a fresh environment that has SymPy and NumPy of this one, and of rnnsym only the wheel."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=os.name != "nt")
    folder = next((tmp_path / "env").glob("lib*/python*/site-packages"), None)
    folder = folder or tmp_path / "env" / "Lib" / "site-packages"
    zipfile.ZipFile(wheel).extractall(folder)
    for name in ("sympy", "mpmath", "numpy", "flint"):
        module = __import__(name)
        assert module.__file__
        place = Path(module.__file__).parent
        for found in place.parent.glob(f"{name}*"):
            if not (folder / found.name).exists():
                (folder / found.name).symlink_to(found)
        for found in place.parent.glob("python_flint*"):
            if not (folder / found.name).exists():
                (folder / found.name).symlink_to(found)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    executable = scripts / Path(sys.executable).name
    if not executable.exists():
        executable = scripts / "python"
    code = (
        "import rnnsym, sys; from rnnsym.cli import main; print(rnnsym.__file__);"
        "assert 'tests' not in sys.modules;"
        "assert main(['models']) == 0;"
        "assert main(['derive', 'elman', '--wrt', 'W_aa', '--text']) == 0;"
        "assert main(['verify', 'elman', '--steps', '2']) == 0"
    )
    out = python(code, executable, env=CLEAN, cwd=tmp_path)
    assert str(tmp_path) in out.splitlines()[0] and "all agree" in out
