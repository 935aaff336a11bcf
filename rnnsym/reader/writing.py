"""Terms of forward equations in the text of `rnnsym.equations`.

Used by `network`. In a row convention x W is written Wᵀ x: inside, every vector is a column.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnsym.errors import InputError
from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index


@dataclass(frozen=True)
class Text:
    """A piece of text; kind: "v" a column, "m" a parameter that may be a matrix, "n" a number."""

    text: str
    kind: str


class Writer:
    """Writes right-hand sides. main: the letter of the time; shift: what to add to every time;
    rows: whether vectors are rows; scalars: parameters that are numbers; copies: parameters that
    may have a time, the step that uses them."""

    def __init__(
        self,
        main: str,
        shift: int,
        rows: bool,
        scalars: frozenset[str] = frozenset(),
        copies: frozenset[str] = frozenset(),
        lengths: frozenset[str] = frozenset(),
    ) -> None:
        self.copies, self.lengths = copies, lengths
        self.main, self.shift, self.rows, self.scalars = main, shift, rows, scalars

    def __call__(self, term: u.Term) -> str:
        return self.write(term).text

    def write(self, term: u.Term) -> Text:
        method = getattr(self, f"_{type(term).__name__.lower()}", None)
        if method is None:
            raise InputError(f"a {type(term).__name__.lower()} has no place in a forward equation")
        found: Text = method(term)
        return found

    def time(self, index: Index) -> str:
        """A time as text: t, t-1, T, 0."""
        if index.letter in (self.main, "t"):  # t where a name carries no time
            return _shifted("t", index.constant + self.shift)
        if index.letter and index.letter.split("_")[0] == "T":
            return _shifted(index.letter, index.constant)
        if index.letter in self.lengths:
            return _shifted("T", index.constant)
        if not index.letters:
            return str(index.constant)
        raise InputError(f"the time {index} has no meaning in a forward equation")

    def _num(self, term: u.Num) -> Text:
        v = term.value
        return Text(
            str(v.numerator) if v.denominator == 1 else f"({v.numerator} / {v.denominator})", "n"
        )

    def _leaf(self, term: u.Leaf) -> Text:
        if term.time is None or term.name in self.copies:
            return Text(term.name, "n" if term.name in self.scalars else "m")
        return Text(f"{term.name}[{self.time(term.time)}]", "v")

    def _constant(self, term: u.Constant) -> Text:
        if term.kind == "identity":
            raise InputError("I has no place in a forward equation")
        return Text("1" if term.kind == "one" else "0", "n")

    def _sum(self, term: u.Sum) -> Text:
        text, kind = "", "n"
        for sign, x in term.terms:
            part = self.write(x)
            kind = "v" if "v" in (kind, part.kind) else "m" if "m" in (kind, part.kind) else kind
            text += (" - " if sign < 0 else " + " if text else "") + part.text
        return Text(f"({text.strip()})", kind)

    def _product(self, term: u.Product) -> Text:
        groups: list[tuple[str, list[u.Term]]] = []
        for op, x in term.factors:
            if (groups and op in ("", "·", "×")) or (
                groups and op == "*" and self._matrix(groups[-1][1][-1], x)
            ):
                groups[-1][1].append(x)
            else:
                groups.append((op, [x]))
        result: Text | None = None
        for op, group in groups:
            part = self._chain(group)
            if result is None:
                result = part
            else:
                sign = "/" if op in ("/", "⊘") else "*"
                kind = "v" if "v" in (result.kind, part.kind) else result.kind
                result = Text(f"({result.text} {sign} {part.text})", kind)
        assert result is not None
        return result

    def _matrix(self, a: u.Term, b: u.Term) -> bool:
        """Whether * between two terms can only be a product of matrices."""
        kinds = self.write(a).kind, self.write(b).kind
        return kinds in (("m", "v"), ("v", "m")) and not any(
            isinstance(x, u.Leaf) and x.time is None and x.name[:1].islower() for x in (a, b)
        )

    def _chain(self, group: list[u.Term]) -> Text:
        """Factors side by side: numbers, then matrices times a vector."""
        if len(group) == 1:
            return self.write(group[0])
        parts = [(x, self.write(x)) for x in group]
        numbers = [p.text for _, p in parts if p.kind == "n"]
        rest = [(x, p) for x, p in parts if p.kind != "n"]
        if not rest:
            return Text("(" + " * ".join(numbers) + ")", "n")
        if len(rest) == 1:
            inner = rest[0][1]
        elif self.rows and not (rest[0][1].kind == "m" and rest[-1][1].kind == "v"):
            inner = self._row_chain(rest)
        elif all(p.kind == "v" for _, p in rest) and not any(
            isinstance(x, u.Transposed) for x, _ in rest
        ):
            inner = Text("(" + " * ".join(p.text for _, p in rest) + ")", "v")
        else:
            inner = Text(
                "(" + " @ ".join(p.text for _, p in rest) + ")",
                "v" if rest[-1][1].kind == "v" else "m",
            )
        if not numbers:
            return inner
        return Text("(" + " * ".join([*numbers, inner.text]) + ")", inner.kind)

    def _row_chain(self, rest: list[tuple[u.Term, Text]]) -> Text:
        """x A B of a row x: Bᵀ Aᵀ x of a column, transposes that cancel left out."""
        if all(p.kind == "v" for _, p in rest):
            return Text("(" + " * ".join(p.text for _, p in rest) + ")", "v")
        text = rest[0][1].text
        for x, p in rest[1:]:
            if isinstance(x, u.Transposed):
                text = f"({self.write(x.body).text} @ {text})"
            else:
                text = f"({p.text}.T @ {text})"
        return Text(text, "v")

    def _quotient(self, term: u.Quotient) -> Text:
        above, below = self.write(term.above), self.write(term.below)
        return Text(
            f"({above.text} / {below.text})", "v" if "v" in (above.kind, below.kind) else "n"
        )

    def _power(self, term: u.Power) -> Text:
        if term.exponent.letters or not 1 <= term.exponent.constant <= 8:
            raise InputError(f"the power {term.exponent} has no place in a forward equation")
        base = self.write(term.base)
        return Text(f"({base.text} ** {term.exponent.constant})", base.kind)

    def _transposed(self, term: u.Transposed) -> Text:
        inner = self.write(term.body)
        if inner.kind == "v" and self.rows:
            return inner
        return Text(f"{inner.text}.T", inner.kind)

    def _apply(self, term: u.Apply) -> Text:
        if term.order:
            raise InputError("a derivative has no place in a forward equation")
        return Text(f"{term.function}({self(term.argument)})", "v")

    def _unknown(self, term: u.Unknown) -> Text:
        return Text(f"{term.function}({', '.join(map(self, term.arguments))})", "v")

    def _named(self, term: u.Named) -> Text:
        if term.function == "detach" and len(term.arguments) == 2:
            vector, size = term.arguments
            if isinstance(size, u.Whole):
                return Text(f"detach({self(vector)}, {size.index})", "v")
        if term.function == "inner":  # whatever vectors are, rows or columns
            left, right = map(self, term.arguments)
            return Text(f"({left}.T @ {right})", "n")
        if term.function == "total":  # the sum of the squares of all entries
            inside = term.arguments[0]
            if isinstance(inside, u.Power) and inside.exponent == Index(2):
                base = self(inside.base)
                return Text(f"({base}.T @ {base})", "n")
        inner = ", ".join(map(self, term.arguments))
        if term.function == "softmax":
            return Text(f"softmax({inner})", "v")
        if term.function in ("norm", "frobenius"):
            raise InputError("square a norm in a loss: ‖u‖²")
        raise InputError(f"{term.function} has no place in a forward equation")

    def _concat(self, term: u.Concat) -> Text:
        parts = [self.write(p) for p in term.parts]
        return Text(f"[{', '.join(p.text for p in parts)}]", "v")

    def _whole(self, term: u.Whole) -> Text:
        raise InputError(f"the number {term.index} has no place in a forward equation")


def _shifted(letter: str, by: int) -> str:
    return letter if not by else f"{letter}{by:+d}"
