"""Notebooks: valid for Jupyter, a cell a section, pictures inside."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

import rnnsym as rs
from rnnsym.documents.content import Document, Figure, Heading, Paragraph
from rnnsym.documents.notebook import notebook

SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
DOCUMENT = Document(
    ("Title",),
    [
        Paragraph(("Before.",)),
        Heading(2, ("One",)),
        Heading(3, ("Below one",)),
        Figure("", "", "text", SVG, ("What it shows",)),
        Heading(2, ("Two",)),
    ],
)


def read(document: Document) -> dict[str, Any]:
    return dict(json.loads(notebook(document)))


def test_a_cell_a_section() -> None:
    cells = read(DOCUMENT)["cells"]
    first = ["# Title\n\nBefore.", "## One\n\n### Below one\n\n", "## Two"]
    assert [c["cell_type"] for c in cells] == ["markdown"] * 3
    assert all("".join(c["source"]).startswith(f) for c, f in zip(cells, first, strict=True))


def test_pictures_are_attached_to_their_cell() -> None:
    cell = read(DOCUMENT)["cells"][1]
    (name, data), *more = cell["attachments"].items()
    assert not more and f"![What it shows](attachment:{name})" in "".join(cell["source"])
    assert base64.b64decode(data["image/svg+xml"]).decode() == SVG


def test_formulas_are_in_dollars() -> None:
    cells = read(rs.elman().derive("b_y").document())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "$$\n\\begin{aligned}" in text and "&& (1)" in text and "✓ exact test" in text


@pytest.mark.parametrize("document", [DOCUMENT, Document((), [])])
def test_jupyter_accepts_it(document: Document) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.reads(notebook(document), as_version=4))


def test_it_has_what_the_format_asks_for() -> None:
    book = read(DOCUMENT)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5) and "metadata" in book
    names = [cell["id"] for cell in book["cells"]]
    assert len(set(names)) == len(names) and all("metadata" in cell for cell in book["cells"])
