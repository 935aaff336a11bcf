"""What is found in a document: formulas, macros, and notes on what was left out.

Used by every module of `rnnsym.sources`; imports nothing of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Formula:
    r"""One formula of a document.

    `latex` is what stands between the delimiters, without comments, definitions of macros and what
    the container demanded (`\\\` at the end of a row, `&lt;`). `line` counts from 1 and is that of
    the opening delimiter; in a notebook it counts inside `cell`, whose number counts from 1 too,
    code cells included. `environment` names the display ("align", "equation", …, without a star)
    whose body `latex` is. `before` and `after` are the plain prose next to it in its paragraph, or
    for a display the neighbouring paragraphs; other formulas stand there as `$…$`. `section` says
    how many headings stand before it.
    """

    latex: str
    line: int
    display: bool
    environment: str = ""
    before: str = ""
    after: str = ""
    cell: int | None = None
    section: int = 0


@dataclass(frozen=True)
class Macro:
    r"""A macro that the document defines; `name` is without the backslash.

    `body` refers to arguments as `#1`, …, `#9`; with a `default` the first one is optional.
    """

    name: str
    arguments: int
    default: str | None
    body: str
    line: int


@dataclass(frozen=True)
class Source:
    """All that was found in a document; `kind` is markdown, latex, notebook or text.

    Of several definitions of one macro the last is kept. `notes` say what was skipped or could not
    be parsed, and on which line.
    """

    kind: str
    formulas: list[Formula] = field(default_factory=list)
    macros: dict[str, Macro] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
