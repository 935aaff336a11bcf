r"""LaTeX documents: their formulas, macros and prose, from a flat stream of tokens.

Nothing is expanded and `\input` is not followed. Groups, unknown environments and unknown macros
are looked through, so that formulas in footnotes, captions, frames and theorems are found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rnnsym.sources.displays import end_of_formula
from rnnsym.sources.harvest import Harvest
from rnnsym.sources.macros import DEFINERS, braces, definition, unread
from rnnsym.sources.names import DRAWINGS, TABLES, VERBATIM, unstarred, words
from rnnsym.sources.tidy import is_display, is_mathematics
from rnnsym.sources.tokens import Exhausted, Tokens

BEGIN = re.compile(r"\\begin\s*\{document\}")
END = re.compile(r"\\end\s*\{document\}")
ALIAS = re.compile(r"\s*\\(begin|end)\s*\{([A-Za-z]+\*?)\}\s*$")
WRAPPER = re.compile(r"\s*\\begin\s*\{([A-Za-z]+\*?)\}\s*#1\s*\\end\s*\{\1\}\s*$")
GROUP = re.compile(r"\s*(?:\[[^\[\]]*\]\s*)?(?=\{)")
OPTION = re.compile(r"[ \t]*\[[^\[\]\n]*\]")
CONDITION = re.compile(r"\\(if[A-Za-z@]*|fi)(?![A-Za-z@])")

#: macros whose argument is a name, a place or a size, with the number of arguments
NAMES = {
    **dict.fromkeys(
        words(
            """
            label ref eqref autoref cref Cref pageref cite citet citep citeauthor citeyear
            parencite textcite textcolor url includegraphics vspace hspace bibliographystyle
            bibliography usepackage usetikzlibrary documentclass pagestyle thispagestyle color
            nocite graphicspath
            """
        ),
        1,
    ),
    **dict.fromkeys(words("href setlength addtolength setcounter addtocounter"), 1),
    **dict.fromkeys(words("newcolumntype newtheorem newenvironment renewenvironment"), 3),
}
INPUTS = frozenset(["input", "include", "subfile", "import", "subimport"])
BLOCKS = words(
    """
    par item section subsection subsubsection chapter part paragraph subparagraph frametitle
    footnote caption title
    """
)
HEADINGS = words("section subsection subsubsection chapter part paragraph frametitle")
CHARACTERS = {"%": "%", "&": "&", "_": "_", "#": "#", "$": "$", "\\": " ", " ": " ", ",": " "}


@dataclass
class _Reader:
    """Where the reading of one document stands."""

    tokens: Tokens
    harvest: Harvest
    ends: dict[int, int]
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)
    stop: int = 0
    #: what was looked for in vain, and from where on: it need not be looked for again
    missing: dict[str, int] = field(default_factory=dict)

    def run(self, start: int, stop: int, *, preamble: bool = False) -> None:
        """Read from one place to another; of a preamble, the definitions only."""
        at, self.stop = start, stop
        while (place := self.tokens.next_markup(at)) is not None and place < stop:
            if not preamble:
                self._prose(self.tokens.text[at:place])
            kind, text, end = self.tokens.at(place)
            if kind == "macro":
                at = self._macro(text, place, end, preamble)
            elif preamble:
                at = end
            elif kind == "math":
                at = self._math(text, place, end)
            elif kind == "begin":
                at = self._begin(text, place, end)
            else:
                if kind in ("blank", "end"):
                    self.harvest.end_block()
                at = end
        if not preamble:
            self._prose(self.tokens.text[at:stop])

    def _prose(self, text: str) -> None:
        self.harvest.prose(text.replace("~", " ").replace("&", " "))

    def _note(self, place: int, message: str) -> None:
        self.harvest.note(self.tokens.line(place), message)

    def _math(self, opening: str, place: int, start: int) -> int:
        """A formula that begins here."""
        if opening in ("\\)", "\\]"):
            self._note(place, f"{opening} closes nothing")
            return start
        return self._formula(opening, place, start, opening in ("$$", "\\["), "")

    def _formula(
        self, opening: str, place: int, start: int, display: bool, environment: str
    ) -> int:
        end = end_of_formula(self.tokens, start, opening, self.stop)
        named = opening if not environment else f"\\begin{{{opening}}}"
        if end.fault:
            self._note(place, f"{named}: {end.fault}")
        if not end.found and not display:
            return end.after
        body = self.tokens.text[start : end.body]
        if environment and not is_display(environment):
            body = f"\\begin{{{environment}}}{body}\\end{{{environment}}}"
            environment = ""
        self.harvest.formula(body, self.tokens.line(place), display, unstarred(environment))
        return end.after

    def _begin(self, name: str, place: int, end: int) -> int:
        """An environment begins."""
        inner = self.environments.get(name, name)
        if is_mathematics(inner):
            display = unstarred(inner) != "math"
            return self._formula(name, place, end, display, inner)
        if unstarred(name) in VERBATIM | DRAWINGS:
            found = self._find(rf"\\end\s*\{{{re.escape(name)}\}}", end)
            if unstarred(name) in DRAWINGS:
                self._note(place, f"what is in \\begin{{{name}}} is skipped")
            if found is None:
                self._note(place, f"\\begin{{{name}}} is never closed")
            return end if found is None else found.end()
        self.harvest.end_block()
        if unstarred(name) in TABLES:
            end = self._skip_groups(end, 2 if name in ("tabular*", "tabularx") else 1)
        elif option := OPTION.match(self.tokens.text, end):
            end = end if "$" in option[0] else option.end()
        return end

    def _find(self, pattern: str, at: int) -> re.Match[str] | None:
        """The next place where a pattern matches."""
        if at >= self.missing.get(pattern, self.stop):
            return None
        found = re.compile(pattern).search(self.tokens.text, at, self.stop)
        if found is None:
            self.missing[pattern] = at
        return found

    def _skip_groups(self, at: int, count: int) -> int:
        """Past so many arguments in braces, and optional ones before them."""
        for _ in range(count):
            found = GROUP.match(self.tokens.text, at)
            if found is None or found.end() not in self.ends:
                break
            at = self.ends[found.end()] + 1
        return at

    def _macro(self, name: str, place: int, end: int, preamble: bool) -> int:
        """A control sequence in prose."""
        if definer := DEFINERS.match(self.tokens.text, place):
            return self._define(definer)
        if name in ("newenvironment", "renewenvironment"):
            return self._new_environment(end)
        if name == "iffalse":
            return self._skip_condition(end)
        if preamble:
            return self._skip_groups(end, NAMES.get(name, 0))
        if name in ("verb", "lstinline", "mintinline"):
            return self._verbatim(name, end)
        if name in INPUTS:
            after = self._skip_groups(end, 1)
            given = self.tokens.text[end:after].strip() or "a file"
            self._note(place, f"\\{name} of {given} is not followed")
            return after
        if name in NAMES:
            return self._skip_groups(end, NAMES[name])
        if name == "ensuremath":
            return self._ensured(place, end)
        if name in self.aliases:
            return self._alias(name, place, end)
        if name in BLOCKS:
            self.harvest.end_block()
            self.harvest.section += name in HEADINGS
            end += self.tokens.text.startswith("*", end)
        self.harvest.prose(CHARACTERS.get(name, "" if len(name) > 1 else name))
        return end

    def _define(self, definer: re.Match[str]) -> int:
        """A definition: kept, and remembered if it stands for the ends of an environment."""
        line = self.tokens.line(definer.start())
        macro, end = definition(self.tokens.text, definer, self.ends, line)
        if macro is None:
            self._note(definer.start(), unread(definer))
            return end
        if definer[1] == "providecommand" and macro.name in self.harvest.macros:
            return end
        if (alias := ALIAS.match(macro.body)) and not macro.arguments:
            self.aliases[macro.name] = (alias[1], alias[2])
        elif (wrapper := WRAPPER.match(macro.body)) and macro.arguments == 1:
            self.aliases[macro.name] = ("wrap", wrapper[1])
        else:
            self.harvest.define(macro)
        return end

    def _new_environment(self, at: int) -> int:
        r"""`\newenvironment{eq}{\begin{equation}}{\end{equation}}`: another name of one."""
        groups = []
        for _ in range(3):
            end = self._skip_groups(at, 1)
            groups.append(self.tokens.text[at:end].strip())
            at = end
        name = groups[0].strip("{}* ")
        opens = re.match(r"(?:\[[^\]]*\])*\{\s*\\begin\s*\{([A-Za-z]+\*?)\}\s*\}$", groups[1])
        if opens and name:
            self.environments[name] = opens[1]
        return at

    def _alias(self, name: str, place: int, end: int) -> int:
        r"""A macro of the document that opens an environment, such as `\be` … `\ee`."""
        kind, environment = self.aliases[name]
        if not is_mathematics(environment):
            self.harvest.end_block()
            return end
        if kind == "wrap":
            after = self._skip_groups(end, 1)
            body = self.tokens.text[end:after].strip()[1:-1]
            self.harvest.formula(body, self.tokens.line(place), True, environment)
            return after
        if kind == "end":
            self._note(place, f"\\{name} closes nothing")
            return end
        closers = [other for other, alias in self.aliases.items() if alias == ("end", environment)]
        pattern = rf"\\end\s*\{{{re.escape(environment)}\}}"
        if closers:
            pattern += rf"|\\(?:{'|'.join(map(re.escape, closers))})(?![A-Za-z@])"
        found = self._find(pattern, end)
        if found is None:
            self._note(place, f"\\{name} is never closed")
            return end
        body = self.tokens.text[end : found.start()]
        self.harvest.formula(body, self.tokens.line(place), True, environment)
        return found.end()

    def _ensured(self, place: int, end: int) -> int:
        after = self._skip_groups(end, 1)
        body = self.tokens.text[end:after].strip()[1:-1]
        self.harvest.formula(body, self.tokens.line(place), False)
        return after

    def _verbatim(self, name: str, at: int) -> int:
        r"""Past `\verb|…|` and the like, which end on their own line."""
        text = self.tokens.text
        if text.startswith("*", at):
            at += 1
        if option := OPTION.match(text, at):
            at = option.end()
        if name == "mintinline":
            at = self._skip_groups(at, 1)
        if at >= len(text):
            return at
        line_end = text.find("\n", at)
        line_end = len(text) if line_end < 0 else line_end
        end = text.find("}" if text[at] == "{" else text[at], at + 1, line_end)
        return end + 1 if end > 0 else at

    def _skip_condition(self, at: int) -> int:
        r"""Past `\iffalse` … `\fi`."""
        if "fi" in self.missing:
            return at
        depth = 1
        for found in CONDITION.finditer(self.tokens.text, at, self.stop):
            depth += -1 if found[1] == "fi" else 1
            if not depth:
                return found.end()
        self.missing["fi"] = at
        self._note(at, "\\iffalse is never closed")
        return at


def _uncommented(pattern: re.Pattern[str], text: str, start: int = 0) -> re.Match[str] | None:
    """The first match that does not stand in a comment."""
    for found in pattern.finditer(text, start):
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if "%" not in line.replace("\\%", ""):
            return found
    return None


def read_latex(text: str, harvest: Harvest, first_line: int = 1) -> None:
    r"""The formulas of a LaTeX document, or of a piece of one without `\begin{document}`."""
    tokens = Tokens(text, first_line)
    reader = _Reader(tokens, harvest, braces(text))
    begin = _uncommented(BEGIN, text)
    start = 0 if begin is None else begin.end()
    end = _uncommented(END, text, start)
    stop = len(text) if end is None else end.start()
    try:
        if begin is not None:
            reader.run(0, begin.start(), preamble=True)
        reader.run(start, stop)
        if end is not None and text[end.end() :].strip():
            harvest.note(tokens.line(stop), "what follows \\end{document} is not read")
    except Exhausted:
        harvest.notes.append("the document is broken in too many places: its end was not read")
