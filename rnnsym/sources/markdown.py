r"""Markdown documents in all their dialects: their formulas, macros and prose.

Also the cells of notebooks. Code is left out, and so are comments and front matter; formulas in
lists, tables, quotations, footnotes, captions and HTML are found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rnnsym.sources.blocks import without_options
from rnnsym.sources.dialects import parser
from rnnsym.sources.harvest import Harvest
from rnnsym.sources.latex import read_latex
from rnnsym.sources.tidy import of_markdown

FRONT = re.compile(
    r"(---|\+\+\+)[ \t]*\n(?=[ \t]*\S)(.*?\n)?(?:\1|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL
)
MATH_FENCES = frozenset(["math", "{math}", "katex", "{.math}"])
RAW_FENCES = frozenset(["{=latex}", "{=tex}"])
#: directives whose contents are Markdown
BOXES = re.compile(
    r"\{(?:prf:\w+|note|warning|tip|hint|important|caution|attention|danger|error|seealso|"
    r"admonition|theorem|proof|definition|lemma|corollary|proposition|example|remark|exercise|"
    r"solution|dropdown|margin|sidebar|topic|figure|tab-item|card)(?:-start)?\}"
)
HIDING = re.compile(r"<(/?)(script|style|pre|code|textarea)\b", re.IGNORECASE)
SINGLE = re.compile(r"(?<![\\$])\$(?!\$)")
NEAR = 200
CELL = re.compile(r"(?<!\\)\$")


@dataclass
class _Reader:
    """Where the reading of one document, or of a piece of it, stands."""

    harvest: Harvest
    parser: Any
    #: whether `$$` within a line is a display: not in documents that know no other delimiter
    doubles_display: bool
    lines: list[str] = field(default_factory=list)
    hidden: int = 0
    #: whether only displays, and what follows them, stand between here and the end of a list
    listed: bool = False

    def run(self, text: str, first: int) -> None:
        """The blocks of a text whose first line has the number `first`."""
        outer, self.lines = self.lines, text.split("\n")
        tokens = self.parser.parse(text, {})
        row: int | None = None
        for index, token in enumerate(tokens):
            line = first + (token.map[0] if token.map else 0)
            if token.type not in ("display", "code_block"):
                self.listed = token.type.endswith("list_close")
            if token.type == "heading_open":
                self.harvest.section += 1
            if token.type == "tr_open":
                row = line
                self._broken_row(tokens, index, row - first)
            elif token.type in ("tr_close", "table_close"):
                row = None
            if token.type == "inline":
                self._inline(token, line if row is None else row)
                self.harvest.end_block()
            elif token.type == "display":
                self._formula(token.content, line, True, token.markup, token.info)
                self.harvest.end_block()
            elif token.type == "fence":
                self._fence(token, line)
            elif token.type == "code_block":
                self._code(tokens, index, line)
            elif token.type == "html_block":
                self._html(token.content, line)
        self.lines = outer

    def _inline(self, token: Any, line: int) -> None:
        """The parts of a paragraph, heading or cell."""
        self._children(token.children or [], token.content, line, 0)

    def _children(self, children: list[Any], content: str, line: int, start: int) -> None:
        place, counted = line, 0
        for child in children:
            at = start + (child.meta or {}).get("at", 0)
            if at > counted:
                place += content.count("\n", counted, at)
                counted = at
            if child.type == "html_inline":
                self._tag(child.content)
            elif self.hidden:
                continue
            elif child.type == "formula":
                alone = self._alone(content, at, start + child.meta["end"])
                display = child.markup not in ("$", "\\(", "\\\\(")
                if child.markup == "$$":
                    display = alone or self.doubles_display
                self._formula(child.content, place, display, child.markup, child.info)
            elif child.type == "stray":
                self.harvest.note(place, f"{child.content} is never closed")
                self.harvest.prose(child.content)
            elif child.type == "image":
                self._children(child.children or [], content, line, at)
            elif child.type in ("softbreak", "hardbreak"):
                self.harvest.prose(" ")
            elif child.type in ("text", "text_special", "code_inline"):
                self.harvest.prose(child.content)

    @staticmethod
    def _alone(content: str, start: int, end: int) -> bool:
        """Whether no prose stands on the lines where a formula begins and ends."""
        before = content[max(0, start - NEAR) : start].rpartition("\n")[2]
        after = content[end : end + NEAR].partition("\n")[0]
        return "\n" in content[start:end] or not any(map(str.isalnum, before + after))

    def _formula(
        self, body: str, line: int, display: bool, markup: str, environment: str = ""
    ) -> None:
        if environment:
            body = f"\\begin{{{environment}}}{body}\\end{{{environment}}}"
        body = of_markdown(body, doubled=markup.startswith("\\\\"))
        self.harvest.formula(body, line, display)

    def _fence(self, token: Any, line: int) -> None:
        """Code with a language: a formula, Markdown in a box, LaTeX, or code."""
        info = token.info.strip()
        language = info.split(maxsplit=1)[0].lower() if info else ""
        if language in MATH_FENCES:
            self._formula(without_options(token.content), line, True, "$$")
            self.harvest.end_block()
        elif language in RAW_FENCES:
            read_latex(token.content, self.harvest, line + 1)
        elif BOXES.match(language):
            self.run(without_options(token.content), line + 1)

    def _code(self, tokens: list[Any], index: int, line: int) -> None:
        """Indented lines: code, or the items of a list that a display has interrupted."""
        adjacent = (
            index > 0
            and tokens[index - 1].type == "display"
            and (tokens[index - 1].map[1] == tokens[index].map[0])
        )
        if adjacent or self.listed:
            self.run(tokens[index].content, line)
            self.listed = True
        elif CELL.search(tokens[index].content):
            self.harvest.note(line, "indented by four or more: this is code, and is skipped")

    def _html(self, content: str, line: int) -> None:
        """A block of HTML: its text, without comments, scripts and code."""
        children = self.parser.parseInline(content, {})[0].children or []
        self._children(children, content, line, 0)
        self.hidden = 0
        self.harvest.end_block()

    def _tag(self, tag: str) -> None:
        if found := HIDING.match(tag):
            self.hidden = max(0, self.hidden + (-1 if found[1] else 1))

    def _broken_row(self, tokens: list[Any], index: int, line: int) -> None:
        """A row of a table in which a `|` of a formula has made two cells: they are joined."""
        cells = []
        while tokens[index].type != "tr_close":
            if tokens[index].type == "inline":
                cells.append(tokens[index])
            index += 1
        if not any(len(CELL.findall(cell.content)) % 2 for cell in cells):
            return
        whole = self.lines[line] if line < len(self.lines) else ""
        for cell in cells:
            cell.content, cell.children = "", []
        cells[0].content = whole
        cells[0].children = self.parser.parseInline(whole, {})[0].children


def read_markdown(
    text: str, harvest: Harvest, *, front_matter: bool = True, indented_code: bool = True
) -> None:
    """The formulas of a Markdown document or of one cell of a notebook."""
    if front_matter and (front := FRONT.match(text)):
        text = "\n" * front[0].count("\n") + text[front.end() :]
    reader = _Reader(harvest, parser(indented_code=indented_code), bool(SINGLE.search(text)))
    reader.run(text, 1)
