"""What a document defines: a name for an expression, at every step perhaps, or by recursion."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnsym.reader import terms as u
from rnnsym.reader.indices import Index
from rnnsym.reader.series import put


@dataclass(frozen=True)
class Definition:
    """name := body, with index letters that stand for a time.

    latex: how it is written; recursive: its body uses itself at another time; arguments: it was
    written with arguments, f(x, w), which say what it depends on; fixed: values at single times.
    """

    name: str
    latex: str
    letters: tuple[str, ...]
    body: u.Term
    recursive: bool = False
    arguments: bool = False
    fixed: dict[int, u.Term] = field(default_factory=dict, hash=False)

    @property
    def indexed(self) -> bool:
        """Whether it has a value for each step."""
        return bool(self.letters)

    def at(self, index: tuple[int, ...]) -> u.Term:
        """What it is at an index."""
        return self.fixed.get(index[0], self.body) if index else self.body

    def meaning(self, term: u.Defined) -> u.Term:
        """The quantity of the network that it is another name of, or several that it stacks;
        else the term itself."""
        parts = self.body.parts if isinstance(self.body, u.Concat) else (self.body,)
        if not all(isinstance(p, u.Leaf) for p in parts):
            return term
        return put(self.body, dict(zip(self.letters, term.index, strict=False)))


def simple(name: str, latex: str, index: Index | None, body: u.Term) -> Definition:
    """A definition without recursion."""
    letters = (index.letter,) if index is not None and index.letter else ()
    return Definition(name, latex, letters, body)
