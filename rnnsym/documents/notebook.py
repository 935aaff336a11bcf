"""Documents as Jupyter notebooks: Markdown cells, one a section, pictures attached."""

from __future__ import annotations

import base64
import json
from typing import Any

from rnnsym.documents.content import Document, Figure, Heading
from rnnsym.documents.markdown import parts, title

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def notebook(document: Document) -> str:
    """The document as a notebook of format 4.5, which nothing has to be run in to be read."""
    cells: list[tuple[list[str], dict[str, Any]]] = [([title(document)], {})]
    names = {
        id(block): f"attachment:figure-{i}.svg"
        for i, block in enumerate(document.blocks, 1)
        if isinstance(block, Figure) and block.svg
    }
    written = parts(document, r"\\", names)
    for block, text in zip(document.blocks, written, strict=True):
        if isinstance(block, Heading) and block.level <= 2:
            cells.append(([], {}))
        texts, attached = cells[-1]
        texts.append(text)
        if id(block) in names:
            name = names[id(block)].partition(":")[2]
            attached[name] = {"image/svg+xml": base64.b64encode(block.svg.encode()).decode()}
    return json.dumps(
        {
            "cells": [_cell(i, texts, attached) for i, (texts, attached) in enumerate(cells, 1)],
            "metadata": {"kernelspec": KERNEL, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
        ensure_ascii=False,
    ) + "\n"  # fmt: skip


def _cell(number: int, texts: list[str], attached: dict[str, Any]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}}
    if attached:
        cell["attachments"] = attached
    return {**cell, "source": "\n\n".join(texts).splitlines(keepends=True)}
