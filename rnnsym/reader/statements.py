"""What a formula says: its statements, row by row.

Third stage of the reader. A display may hold several relations, between commas, in rows, with
words between; rows may go on where the one before ended, or leave out the left-hand side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rnnsym.reader import syntax as s
from rnnsym.reader.approach import said
from rnnsym.reader.commands import (
    DROPPED_WITH_GROUP,
    IMPLICATIONS,
    LAYOUTS,
    OPERATORS,
    RELATIONS,
    SPACES,
    WORDS,
)
from rnnsym.reader.cursor import split
from rnnsym.reader.parser import Parser
from rnnsym.reader.spans import with_ranges
from rnnsym.reader.tokens import Token, UnreadableError, fail, tokens

#: tables that may hold a system of equations
SYSTEMS = {"array", "cases", "dcases", "rcases", "matrix"}
JOINTS = {"+", "-", r"\pm", *OPERATORS} - {r"\circ", r"\star"}
#: tokens of a distance between rows, as in \\[0.5em]
MAX_SIZE = 12
_BREAKS = {",", ";", r"\\", *SPACES, *IMPLICATIONS}


@dataclass(frozen=True)
class Statement:
    """A relation, or an expression by itself; `link`: what stands before it, such as "," or "if".

    from_row: the left side is the part of the row before that stands above it.
    """

    node: s.Node
    link: str = ""
    from_row: bool = False

    @property
    def start(self) -> int:
        return self.node.start

    @property
    def end(self) -> int:
        return self.node.end


@dataclass(frozen=True)
class Reading:
    """A formula read: the text that positions count in, and its statements."""

    latex: str
    statements: tuple[Statement, ...] = ()
    error: UnreadableError | None = None
    words: tuple[str, ...] = field(default=())


def read_formula(latex: str) -> Reading:
    """All statements of a formula. Raises UnreadableError; nothing is ever read in part."""
    found = _without_spaces(_without_layout(_unboxed(tokens(latex))))
    rows = _joined([split(row, "&") for row in split(found, r"\\")])
    result: list[Statement] = []
    for k, cells in enumerate(rows):
        _read_row(cells, rows[k - 1] if k else None, result)
    return Reading(latex, tuple(said(with_ranges(result))))


#: boxes around formulas
BOXES = (r"\boxed", r"\fbox", r"\bbox")


def _unboxed(found: list[Token]) -> list[Token]:
    """What stands in a box, or in braces after a size, around the whole formula."""
    if not found:
        return found
    first = 0
    if found[0].text in BOXES:
        options = (
            [x.text for x in found[:40]].index("]") if found[1:2] and found[1].text == "[" else 0
        )
        first = options + 1
    elif not any(x.text == r"\begin" for x in found):
        return found
    last = len(found) - (found[-1].text in (".", ",", ";"))
    if first >= last or found[first].text != "{":
        return found
    depth = 0
    for i in range(first, len(found)):
        depth += {"{": 1, "}": -1}.get(found[i].text, 0)
        if not depth:
            return [*found[first + 1 : i], *found[last:]] if i == last - 1 else found
    return found


def _without_layout(found: list[Token]) -> list[Token]:
    """The rows of aligned blocks as rows of the formula itself."""
    result: list[Token] = []
    open_: list[bool] = []
    i = 0
    while i < len(found):
        token = found[i]
        if token.text in (r"\begin", r"\end"):
            end = next((j for j in range(i, len(found)) if found[j].text == "}"), None)
            if end is None:
                fail(f"{token.text} without a name", token.start)
            name = "".join(x.text for x in found[i + 2 : end]).rstrip("*")
            layout = name in LAYOUTS
            if token.text == r"\end":
                layout = bool(open_) and open_[-1]
            elif name in SYSTEMS and not layout:
                layout = _is_system(found, i, end, result)
            if token.text == r"\begin":
                open_.append(layout)
                if layout and result and result[-1].text in (r"\{", r"\lbrace", "["):
                    result.pop()  # a brace before a system of equations
                if layout and result and result[-1].text not in (r"\\", "="):
                    pass
            elif not open_:
                fail(f"\\end{{{name}}} without its \\begin", token.start)
            else:
                open_.pop()
            if layout:
                i = end + 1
                if token.text == r"\begin" and name in (
                    "alignedat",
                    "alignat",
                    "IEEEeqnarray",
                    "array",
                ):
                    i = _after_group(found, i)
                placed = [x.text for x in found[i : i + 3]]
                if token.text == r"\begin" and placed[:1] == ["["] and placed[2:] == ["]"]:
                    i += 3  # [t] and the like
                continue
            result += found[i : end + 1]
            i = end + 1
            continue
        if token.text == r"\\" and found[i + 1 : i + 2] and found[i + 1].text == "[":
            size_ends = range(i, min(i + MAX_SIZE, len(found)))
            end = next((j for j in size_ends if found[j].text == "]"), i)
            size = "".join(x.text for x in found[i + 2 : end])
            if re.fullmatch(r"-?[\d.]+(pt|em|ex|cm|mm)", size):
                result.append(token)
                i = end + 1
                continue
        result.append(token)
        i += 1
    if open_:
        fail("an environment has no \\end", found[-1].end)
    return result


def _is_system(found: list[Token], start: int, end: int, before: list[Token]) -> bool:
    """Whether a table is nothing but rows of equations: the whole formula, or behind a brace."""
    if any(x.text not in (r"\{", r"\lbrace", *SPACES) for x in before):
        return False
    depth, rows, related, empty = 0, [], False, True
    for token in found[_after_group(found, end + 1) :]:
        if token.text == r"\begin":
            depth += 1
        elif token.text == r"\end":
            depth -= 1
            if depth < 0:
                break
        elif token.text == r"\\" and depth == 0:
            rows.append(related or empty)
            related, empty = False, True
        elif token.text not in ("{", "}"):
            related, empty = related or token.text == "=", empty and token.text == "&"
    rows.append(related or empty)
    return all(rows) and any(x.text == "=" for x in found[end + 1 :])


def _without_spaces(found: list[Token]) -> list[Token]:
    """\\quad beside an operator or a relation only serves the looks."""
    joins = {*JOINTS, *RELATIONS} - {r"\to", r"\rightarrow", r"\in"}
    kept: list[Token] = []
    for i, token in enumerate(found):
        if token.text in SPACES:
            after = next((x.text for x in found[i + 1 :] if x.text not in SPACES), "")
            before = kept[-1].text if kept else ""
            if after in joins or (before in joins and before not in ("*", r"\circ")):
                continue
        kept.append(token)
    return kept


def _after_group(found: Sequence[Token], i: int) -> int:
    if found[i : i + 1] and found[i].text == "{":
        while i < len(found) and found[i].text != "}":
            i += 1
        return i + 1
    return i


def _bare(cells: Sequence[Sequence[Token]]) -> list[Token]:
    return [x for cell in cells for x in cell]


def _joined(rows: list[list[list[Token]]]) -> list[list[list[Token]]]:
    """Rows that go on put together with what they go on from."""
    result: list[list[list[Token]]] = []
    depth, last = 0, ""  # of the row before: brackets that are open at its end, its last token
    for cells in rows:
        cells = [_trimmed(cell) for cell in cells]
        bare = _bare(cells)
        if not bare:
            continue
        if result:
            goes_on = bare[0].text in JOINTS and not (
                bare[0].text in ("+", "-") and len(bare) > 1 and bare[1].text == "="
            )
            ended = last in JOINTS or last in RELATIONS
            if depth > 0 or goes_on or (ended and bare[0].text not in RELATIONS):
                result[-1] += cells
                depth, last = depth + _depth(bare), bare[-1].text
                continue
        result.append(cells)
        depth, last = _depth(bare), bare[-1].text
    return result


def _depth(found: Sequence[Token]) -> int:
    """How many brackets are still open at the end."""
    depth = 0
    for token in found:
        depth += {"(": 1, "[": 1, r"\{": 1, ")": -1, "]": -1, r"\}": -1}.get(token.text, 0)
    return depth


def _trimmed(cell: list[Token]) -> list[Token]:
    """A cell without numbers of equations and full stops."""
    result: list[Token] = []
    i = 0
    while i < len(cell):
        if cell[i].text in DROPPED_WITH_GROUP:
            i += 1
            depth = 0
            while i < len(cell):
                depth += {"{": 1, "}": -1}.get(cell[i].text, 0)
                i += 1
                if depth == 0:
                    break
            continue
        result.append(cell[i])
        i += 1
    return result


def _read_row(
    cells: list[list[Token]], above: list[list[Token]] | None, result: list[Statement]
) -> None:
    bare = _bare(cells)
    first = next((c for c, cell in enumerate(cells) if cell), 0)
    parser = Parser(bare)
    op = parser.relation_op()
    if op is not None and result and isinstance(result[-1].node, s.Node):
        _continue(parser, op, result)
    elif above is not None and first and len(above) > first and not _related(bare):
        over = _bare(above[first:])
        lead = Parser(over)
        lead.relation_op()
        left = lead.sum(lead.place)
        right = parser.sum(parser.place)
        node = s.Relation((left, right), ("=",), start=right.start, end=right.end)
        result.append(Statement(node, "row", True))
    else:
        parser.i = 0
        link = "row" if result else ""
        _statements(parser, link, result)
        return
    _statements(parser, "", result)


def _related(found: Sequence[Token]) -> bool:
    depth = 0
    for token in found:
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(token.text, 0)
        if depth == 0 and token.text in RELATIONS:
            return True
    return False


def _continue(parser: Parser, op: str, result: list[Statement]) -> None:
    """A row that begins with a relation sign: the left side is the last one of the row before."""
    last = result.pop()
    right = parser.relation()
    sides, ops = (
        (last.node.sides, last.node.ops)
        if isinstance(last.node, s.Relation)
        else ((last.node,), ())
    )
    more, signs = (right.sides, right.ops) if isinstance(right, s.Relation) else ((right,), ())
    node = s.Relation((*sides, *more), (*ops, op, *signs), start=last.start, end=right.end)
    result += [Statement(x, last.link, last.from_row) for x in _named_at_the_end(node)]


def _statements(parser: Parser, link: str, result: list[Statement]) -> None:
    """The statements from here to the end of the row."""
    while True:
        link = _link(parser, link)
        if not parser.text:
            return
        before = parser.i
        node = parser.relation()
        if parser.i == before:
            fail(f"{parser.text} is not expected here", parser.place)
        if not isinstance(node, s.Empty):
            words = isinstance(node, s.Words)
            if words and isinstance(node, s.Words):
                link = f"{link} {node.text}".strip()
                continue
            node, link_after = _without_words(node)
            result += [Statement(x, link) for x in _named_at_the_end(node)]
            link = link_after
        else:
            link = ""


def _named_at_the_end(node: s.Node) -> list[s.Node]:
    """A = B =: d as A = B, and d := B; as d := A where A is a derivative, which says more."""
    if not isinstance(node, s.Relation) or node.ops[-1] != "=:":
        return [node]
    *before, last = node.sides
    told = before[0] if isinstance(before[0], s.Derivative) else before[-1]
    name = s.Relation((last, told), (":=",), start=told.start, end=last.end)
    if len(before) == 1:
        return [name]
    end = before[-1].end
    return [s.Relation(tuple(before), node.ops[:-1], start=node.start, end=end), name]


def _without_words(node: s.Node) -> tuple[s.Node, str]:
    """Words at the end of a relation, as in "a = b if", belong to what follows."""
    if isinstance(node, s.Relation):
        last, words = _without_words(node.sides[-1])
        if words:
            return s.Relation(
                (*node.sides[:-1], last), node.ops, start=node.start, end=last.end
            ), words
    if isinstance(node, s.Times):
        kept, words_ = list(node.factors), []
        while len(kept) > 1 and isinstance(kept[-1][1], s.Words):
            words_.append(kept.pop()[1].text)  # type: ignore[attr-defined]
        if words_:
            inner = (
                kept[0][1]
                if len(kept) == 1
                else s.Times(tuple(kept), start=node.start, end=kept[-1][1].end)
            )
            return inner, " ".join(reversed(words_))
    if isinstance(node, s.Add):
        last, words = _without_words(node.terms[-1][1])
        if words:
            return s.Add(
                (*node.terms[:-1], (node.terms[-1][0], last)), start=node.start, end=last.end
            ), words
    return node, ""


def _link(parser: Parser, link: str) -> str:
    """What stands between two statements, taken."""
    words = [link] if link else []
    while parser.text:
        text = parser.text
        if text in _BREAKS or (text in (".", ":", "!", "?") and parser.peek() != "="):
            words.append(parser.take().text)
        elif text in (r"\overset", r"\stackrel", r"\underset") or text in WORDS:
            mark = parser.i
            node = parser.factor() if text in WORDS else None
            if not isinstance(node, s.Words):
                parser.i = mark
                break
            words.append(node.text)
        elif parser.skip():
            continue
        else:
            break
    return " ".join(w for w in words if w not in (r"\quad", r"\qquad", "row") or len(words) == 1)
