"""What all tests share: fixed settings, and the skipping of tests whose tools are missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

# Set before any test imports numpy, torch or jax, which read them once: the test processes
# share the cores among themselves, and no run depends on an accelerator.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import pytest
from hypothesis import settings

# The same examples in every run; a slow machine is no failure.
settings.register_profile("rnnsym", deadline=None, derandomize=True)
settings.load_profile("rnnsym")

ROOT = Path(__file__).resolve().parent.parent
TEX_ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")

if "RNNSYM_NODE" not in os.environ and (ROOT / ".node" / "node_modules").is_dir():
    os.environ["RNNSYM_NODE"] = str(ROOT / ".node")


def _has_node() -> bool:
    folder = os.environ.get("RNNSYM_NODE", "")
    modules = Path(folder) / "node_modules"
    return (
        bool(folder)
        and shutil.which("node") is not None
        and (modules / "katex").is_dir()
        and (modules / "mathjax-full").is_dir()
    )


# What a marker asks for: whether it is there, and the reason given where it is not.
NEEDS = {
    "torch": (importlib.util.find_spec("torch") is not None, "PyTorch is not installed"),
    "jax": (importlib.util.find_spec("jax") is not None, "JAX is not installed"),
    "node": (_has_node(), "Node.js, KaTeX or MathJax is missing: see `make node`"),
    "tex": (any(map(shutil.which, TEX_ENGINES)), "no TeX engine is installed"),
}


def pytest_report_header(config: pytest.Config) -> str:
    return "needs met: " + (", ".join(name for name, (met, _) in NEEDS.items() if met) or "none")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "RNNSYM_NIGHTLY" not in os.environ:  # whole grids: see `make nightly`
        grids = [item for item in items if item.get_closest_marker("nightly") is not None]
        config.hook.pytest_deselected(items=grids)
        kept = set(items) - set(grids)
        items[:] = [item for item in items if item in kept]
    for item in items:
        for name, (met, reason) in NEEDS.items():
            if not met and item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
