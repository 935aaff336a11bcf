"""Notebooks: the Markdown cells are read, with the number of the cell and the line in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rnnsym.errors import InputError
from rnnsym.sources import read_source


def cell(kind: str, source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source, **more}


def notebook(*cells: dict[str, Any], **more: Any) -> str:
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}
    return json.dumps(content)


def test_markdown_cells_are_read() -> None:
    code = cell("code", "x = '$no$'", outputs=[], execution_count=None)
    text = notebook(
        cell("markdown", ["# Of $a$\n", "\n", "$$\n", "\\newcommand{\\R}{x} b\n", "$$"]),
        code,
        cell("raw", "$no$"),
        cell("markdown", "---\n\n$c$ <img src='$no$'>\n\n---"),
    )
    source = read_source(text, name="a.ipynb")
    assert [(f.cell, f.line, f.latex) for f in source.formulas] == [
        (1, 1, "a"),
        (1, 3, "b"),
        (4, 3, "c"),
    ]
    assert source.kind == "notebook"
    assert source.macros["R"].line == 4


def test_notes_name_the_cell() -> None:
    text = notebook(cell("markdown", "a"), cell("markdown", "b\n$$ c"))
    assert read_source(text).notes == ["cell 2, line 2: $$ is never closed"]


def test_an_old_notebook_is_converted() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"metadata": {}, "cells": [cell("markdown", "of $a$")]}],
    }
    assert [f.latex for f in read_source(json.dumps(old)).formulas] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "{}",
        '{"nbformat": 4, "cells": 3}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3, null]}',
        '{"nbformat": 99, "cells": []}',
        '{"nbformat": "x", "cells": []}',
        '{"nbformat": 3, "worksheets": 3}',
        "[" * 100_000,
    ],
)
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="notebook"):
        read_source(text, "notebook")


def test_cells_that_are_none_are_passed_over() -> None:
    cells = [cell("strange", "$no$"), cell("markdown", ["$", "a$"]), {"cell_type": "markdown"}]
    cells[2]["metadata"] = {}
    text = notebook(*cells, cell("markdown", 3))  # type: ignore[arg-type]
    source = read_source(text, "notebook")
    assert [(f.cell, f.latex) for f in source.formulas] == [(2, "a")]
    assert source.notes == ["cell 4: its source is no text"]
