"""Jupyter notebooks: the Markdown cells, one after the other.

Code, its output and raw cells are not read. Notebooks of the older formats are converted.
"""

from __future__ import annotations

import warnings
from typing import Any

from rnnsym.errors import InputError
from rnnsym.sources.harvest import Harvest
from rnnsym.sources.libraries import load
from rnnsym.sources.markdown import read_markdown


def read_notebook(text: str, harvest: Harvest, name: str = "") -> None:
    """The formulas of a notebook's Markdown cells; InputError where the text is no notebook."""
    for number, cell in enumerate(_cells(text, name or "the notebook"), start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("markdown", "heading"):
            continue
        source = cell.get("source", "")
        if not isinstance(source, str):
            harvest.notes.append(f"cell {number}: its source is no text")
            continue
        harvest.cell = number
        harvest.end_block()
        read_markdown(source.replace("\r\n", "\n"), harvest, front_matter=False)
        harvest.end_block()
    harvest.cell = None


def _cells(text: str, name: str) -> list[Any]:
    nbformat = load("nbformat")
    try:
        with warnings.catch_warnings():
            # Cells without an id and the like: what is read here does not need them.
            warnings.simplefilter("ignore")
            notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        cells = notebook["cells"]
    except RecursionError:
        raise InputError(f"{name} is no notebook: its JSON is nested too deeply") from None
    except Exception as fault:
        # nbformat raises whatever comes up in a JSON that is not shaped like a notebook.
        reason = " ".join(str(fault.__cause__ or fault).split())[:120] or type(fault).__name__
        raise InputError(
            f"{name} is no notebook that can be read ({reason}): "
            "save it again from Jupyter, as version 4"
        ) from None
    if not isinstance(cells, list):
        raise InputError(f"{name} is no notebook that can be read: its cells are no list")
    return cells
