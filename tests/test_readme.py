"""The README's Python examples run and print what they say."""

import doctest
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_python_examples_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(
        str(README), module_relative=False, optionflags=doctest.ELLIPSIS, verbose=False
    )
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize("name", ["docs/derivation.png"])
def test_files_the_readme_links_to_are_there(name):
    assert name in README.read_text(encoding="utf-8")
    assert (README.parent / name).stat().st_size > 10_000
