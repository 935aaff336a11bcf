"""Quantities in the author's own spelling, for pieces that a correction puts in.

Used by the generators of patches. What stands somewhere in the formula is spelled as it is there;
anything else as the network's notation prints it, in the fonts of the formula.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import MatrixExpr, MatrixSymbol, Symbol

from rnnsym.claims.patches_source import Site, Source
from rnnsym.latex import PROFILES, LatexPrinter
from rnnsym.latex.snippets import Parts, SnippetPrinter, index, letter
from rnnsym.nodes import Adjoint, TimeVector, t
from rnnsym.reader import syntax as s
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.symbols import Script, Spelled, spell
from rnnsym.reader.table import Entry, Found, symbol_in

_FONT = re.compile(r"\\(?:mathbf|boldsymbol|bm|pmb|vec)(?=\{| |\\)")


@dataclass(frozen=True)
class Named:
    """A symbol of the formula that has been looked up."""

    site: Site
    symbol: s.Symbol
    spelled: Spelled
    found: Found

    @property
    def entry(self) -> Entry:
        return self.found.entry

    @cached_property
    def time(self) -> Script | None:
        """The script that is its time."""
        if self.found.time is None:
            return None
        scripts = [x for x in self.spelled.scripts if x != self.found.power]
        fitting = [x for x in scripts if x.index == self.found.time]
        return fitting[-1] if fitting else None

    @property
    def labels(self) -> list[Script]:
        """The scripts that belong to its name."""
        left = [x for x in self.spelled.scripts if x is not self.time]
        entries = set(self.found.components)
        pairs = {i.letter for i in entries}
        return [
            x
            for x in left
            if x != self.found.power
            and not (x.where == "sub" and x.index is not None and x.index in entries)
            and not (len(x.text) == 2 and entries and set(x.text) == pairs)
        ]


class Speller:
    """Spells quantities of a network as the author of a formula does."""

    def __init__(self, source: Source, net: Any) -> None:
        self.source, self.table, self.net = source, source.table, net
        self.named = list(self._named())
        self._templates: dict[tuple[str, str], Parts | None] = {}
        self.printer = SnippetPrinter(self._asked, *self._constants())

    def _named(self) -> Iterator[Named]:
        for site in self.source.sites:
            if isinstance(site.node, s.Symbol):
                spelled = spell(site.node)
                found = self.table.find(spelled, site.letters)
                bare = not spelled.scripts and not spelled.accents
                if found is not None and not (bare and spelled.base in site.letters):
                    yield Named(site, site.node, spelled, found)

    # ---- customs of the formula ----------------------------------------------------------

    @cached_property
    def top(self) -> str:
        """How a transpose is written here."""
        for n in self.named:
            for token in n.symbol.sup:
                if token.text in (r"\top", r"\intercal", "T") and n.spelled.transposed:
                    return token.text
        for site in self.source.sites:
            if isinstance(site.node, s.Scripted):
                for token in site.node.sup:
                    if token.text in (r"\top", r"\intercal", "T"):
                        return token.text
        return r"\top"

    @cached_property
    def times_sign(self) -> str:
        """How the elementwise product is written here."""
        for sign in (r"\odot", r"\circ", "⊙", "∘"):
            if sign in self.source.latex:
                return sign
        return r"\odot"

    @cached_property
    def style(self) -> str:
        """Where times stand here."""
        styles = Counter(_style(n.time) for n in self.named if n.time is not None)
        if styles:
            return styles.most_common(1)[0][0]
        known = self.table.styles
        return (
            "angle"
            if "angle" in known and len(known) > 2
            else next((x for x in ("round", "sub", "angle") if x in known), "angle")
        )

    @cached_property
    def font(self) -> str:
        """The command of bold letters here, if there are any."""
        found = _FONT.search(self.source.latex)
        return found.group() if found else ""

    def _constants(self) -> tuple[str, str]:
        """1 and I, bold where the formula's letters are."""
        latex = self.source.latex
        for one in (r"\mathbf{1}", r"\boldsymbol{1}", r"\mathbb{1}"):
            if one in latex:
                return one, one.replace("1", "I").replace("bb", "bf")
        plain = not self.font or re.search(r"(?<![\d{])1\s*-", latex)
        bold = r"\mathbf" if r"\mathbf" in latex else r"\boldsymbol"
        return ("1", "I") if plain else (f"{bold}{{1}}", f"{bold}{{I}}")

    # ---- spelling ------------------------------------------------------------------------

    def time(self, at: Index) -> str:
        """A time in LaTeX."""
        return index(at)

    def quantity(
        self, kind: str, name: str, at: Index | None = None, transposed: bool = False
    ) -> str | None:
        """A quantity at a time, spelled; None where nobody knows how."""
        parts = self.parts(kind, name)
        if parts is None:
            return None
        return parts.write(self.time(at) if at is not None else "", self.top if transposed else "")

    def parts(self, kind: str, name: str) -> Parts | None:
        """How a quantity is written, without a time."""
        key = kind, name
        if key not in self._templates:
            self._templates[key] = next(self._spellings(kind, name), None)
        return self._templates[key]

    def gradient_of(self, entry: Entry) -> str | None:
        """The vector by which a name of the document's own is the derivative of the loss."""
        known = self.table.definitions.get(entry.name) if entry.kind == "definition" else None
        body = known.body if known is not None else None
        if not isinstance(body, u.Derivative) or not isinstance(body.of, u.Loss):
            return None
        by = body.by[0] if len(body.by) == 1 else None
        return by.name if isinstance(by, u.Leaf) and by.time is not None else None

    def _spellings(self, kind: str, name: str) -> Iterator[Parts]:
        if kind == "gradient":
            for entry in list(self.table.entries.values()):
                if self.gradient_of(entry) == name:
                    yield from self._spellings("definition", entry.name)
        for n in self.named:
            if (n.entry.kind, n.entry.name) == (kind, name):
                found = self._taken(self.source.latex, n)
                yield found if n.time is not None else replace(found, time=self.style)
        for latex in self._printed(kind, name):
            parsed = self._looked_up(latex)
            if parsed is not None and (parsed.entry.kind, parsed.entry.name) == (kind, name):
                yield replace(self._taken(latex, parsed), time=self.style)

    def _looked_up(self, latex: str) -> Named | None:
        node = symbol_in(latex)
        if node is None:
            return None
        spelled = spell(node)
        found = self.table.find(spelled)
        return Named(Site(node, (), (), 1), node, spelled, found) if found else None

    def _printed(self, kind: str, name: str) -> Iterator[str]:
        """A name as the printers of the notations write it, then as the table keys it."""
        if self.net is not None and (name in self.net.vectors or name in self.net.parameters):
            own = self.net.options.get("notation", "post")
            for profile in dict.fromkeys([own, *PROFILES]):
                printer = LatexPrinter(profile, self.net.notations.get(profile))
                yield self._in_font(printer.symbol(self._expression(kind, name)))
        for (base, accents, labels), entry in self.table.entries.items():
            if (entry.kind, entry.name) == (kind, name):
                core = letter(base)
                for accent in accents:
                    core = f"\\{accent}{{{core}}}"
                yield core + (f"_{{{labels}}}" if labels else "")

    def _expression(self, kind: str, name: str) -> MatrixExpr:
        if name in self.net.parameters:
            return MatrixSymbol(name, *self.net.parameters[name].shape)
        v = self.net.vectors[name]
        if kind == "gradient":
            return Adjoint(TimeVector(name, v.rows, t))
        return MatrixSymbol(name, 2, 1)

    def _in_font(self, latex: str) -> str:
        """A printed name in bold only where the formula's letters are."""
        used = _FONT.findall(latex)
        if not used or any(command in self.source.latex for command in used):
            return latex
        plain = r"\\(?:mathbf|boldsymbol)\{(\\?[A-Za-z]+)\}"
        if not self.font or latex.startswith(r"\boldsymbol{\delta}"):
            return re.sub(plain, r"\1", latex)
        return re.sub(plain, rf"{_safe(self.font)}{{\1}}", latex)

    def _taken(self, latex: str, n: Named) -> Parts:
        """A symbol taken apart."""
        sub: list[str] = []
        sup: list[str] = []
        for script in n.labels:
            text = latex[script.tokens[0].start : script.tokens[-1].end]
            text += "}" * (text.count("{") - text.count("}"))
            text = f"[{text}]" if script.style == "square" else text
            (sub if script.where == "sub" else sup).append(text)
        core = latex[n.symbol.start : _core_end(latex, n.symbol)].strip()
        time = _style(n.time) if n.time is not None else self.style
        return Parts(core, n.spelled.primes, tuple(sub), tuple(sup), time)

    # ---- expressions of the engine -------------------------------------------------------

    def expression(self, e: Any, at: Index | None = None) -> str | None:
        """An expression of the engine in the author's spelling, its t at another time."""
        try:
            return self.printer(e if at is None else e.xreplace({t: _expression(at)}))
        except _UnspelledError:
            return None

    def _asked(self, kind: str, name: str, at: Any, transposed: bool) -> str:
        if kind == "loss":
            kind = "vector"
        parts = self.parts(kind, name)
        if parts is None:
            raise _UnspelledError(name)
        time = self.printer.scalar(at) if at is not None else ""
        return parts.write(time, self.top if transposed else "")


class _UnspelledError(Exception):
    """Nobody knows how a quantity is written here."""


def _safe(command: str) -> str:
    return command.replace("\\", r"\\")


def _expression(at: Index) -> Any:
    letters = [(name, c) for name, c in at.letters if isinstance(name, str)]
    if len(letters) < len(at.letters):
        raise _UnspelledError(str(at))
    return at.constant + sum(c * Symbol(name, integer=True) for name, c in letters)


def _style(script: Script | None) -> str:
    if script is None or script.style == "plain":
        return script.where if script else "angle"
    return script.style


def _core_end(latex: str, symbol: s.Symbol) -> int:
    """Where the scripts of a symbol begin."""
    depth = 0
    for i in range(symbol.start, symbol.end):
        c = latex[i]
        depth += {"{": 1, "}": -1}.get(c, 0)
        if depth == 0 and c in "^_'" and latex[i - 1] != "\\":
            return i
    return symbol.end
