"""Names that tell what a node is, for those that have none of their own."""

from __future__ import annotations

from sympy import MatrixSymbol, S

from rnnsym.emit.graph import Node
from rnnsym.emit.matrices import Matrix
from rnnsym.emit.names import joint


class Wishes:
    """Finds names by what a node is made of and who uses it."""

    def __init__(self, users: dict[Node, list[Node]]) -> None:
        self.users = users

    def __call__(self, v: Node) -> str:
        """A name for the node, not yet an identifier, nor nobody else's."""
        if v.members:
            return joint([self(m) for m in v.members])
        if v.op == "variable":
            if v.data[1] == "start":
                return f"d_{v.name}_start"
            prefix = {"value": "", "adjoint": "d_"}.get(v.data[1], f"{v.data[1]}_")
            return prefix + v.name
        if v.op == "call":
            return f"{v.data[0]}_{self(v.args[0])}"
        if v.op == "data":
            return v.name
        if v.op == "pick":
            return f"{self(v.args[0])}_{v.data[0]}"
        if v.op == "collapse":
            return f"sum_{self(v.args[0])}"
        if v.op == "gate":
            return f"open_{self.owner(v)}"
        if v.op == "matvec":
            m = v.data[0]
            if not isinstance(m, Matrix):
                return f"in_{self.owner(v)}"
            matrix = m.expr.name if isinstance(m.expr, MatrixSymbol) else "M"
            return f"{matrix}{'_T' * m.transposed}_{self(v.args[0])}"
        if v.view is not None:
            covered = self.covered(v)
            return f"part_{self.owner(v)}" if v in covered else joint([self(m) for m in covered])
        user = self.users.get(v, [v])[0]
        role = {"add": "in", "mul": "factor"}.get("mul" if user.op == "mul" else v.op, v.op)
        return f"{role}_{self.owner(v)}"

    def covered(self, v: Node) -> list[Node]:
        """The members of a pack that a slice of it holds."""
        (base,), (start, stop) = v.args, v.data
        place, found = S.Zero, []
        inside = False
        for m in base.members:
            inside = (inside or place == start) and place != stop
            found += [m] if inside else []
            place += m.size
        return found or [base]

    def owner(self, v: Node) -> str:
        """The variable that a node is a part of."""
        seen = set()
        while v.op != "variable" and v in self.users and v not in seen:
            seen.add(v)
            user = self.users[v][0]
            if user.op == "concat" and user in self.users:
                pack = self.users[user][0]
                user = pack.members[user.args.index(v)] if pack.members else user
            v = user
        return self(v) if v.op == "variable" else "loss"
