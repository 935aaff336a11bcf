"""Values that are used alike, kept side by side in one array: a *pack*, and its members its slices.

Fifth station of the emitter. What makes a gated network slow as it is written is that each gate
has products and functions of its own; which of them belong together is found from the graph:

    W₁ v, W₂ v, …                 become slices of [W₁; W₂; …] v
    f(u₁), f(u₂), …               become slices of f(u), where u₁, u₂, … are neighbours in u; the
                                  same for sums and products, with all that they are made of
    M₁ u₁ + M₂ u₂ + …             becomes [M₁ M₂ …] u, with u₁, u₂, … computed in their places in u

The first two are meant for the forward, the third for the backward direction of a loop; what they
leave in packs is then summed and multiplied in one go outside of the loops too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from sympy import Expr, Integer, S

from rnnsym.emit.functions import WHOLE
from rnnsym.emit.graph import FRESH, TRANSPARENT, Graph, Node
from rnnsym.emit.matrices import Blocks, Matrix, Span, below_each_other, order, side_by_side
from rnnsym.emit.walk import components, is_loop, reachable


def pack(graph: Graph, outputs: list[Node]) -> None:
    """Rewrite everything that the outputs need."""
    packing = _Packing(graph, outputs)
    packing.merge_sums()
    for component in components(outputs):
        if is_loop(component):
            packing.stack_products(component)
            packing.line_up_summands(component)
    packing.merge_sums()
    packing.join_parts()


class _Packing:
    """users: who uses a node, once for each use; shifted: what is read otherwise than at its step;
    rank: in which order the matrices of a product are stacked."""

    def __init__(self, graph: Graph, outputs: list[Node]) -> None:
        self.graph, self.outputs = graph, outputs
        self.rank: dict[object, int] = {}
        self.survey()

    def survey(self) -> None:
        """Look who uses whom; to be done again whenever that has changed."""
        self.users: dict[Node, list[Node]] = {}
        self.shifted: set[Node] = set()
        for n in reachable(self.outputs):
            for used in n.operands:
                self.users.setdefault(used, []).append(n)
                if used.op in TRANSPARENT:
                    self.shifted.add(used.args[0])
            if n.op in ("pick", *TRANSPARENT):
                self.shifted.add(n.args[0])
            if n.start:
                self.shifted.add(n.start)
        for n in self.outputs:
            self.users.setdefault(n, []).append(n)

    def alone(self, v: Node) -> Node | None:
        """The only node that v is used for, if there is one; a mere name of v is looked through."""
        users = self.users.get(v, [])
        if len(users) != 1 or users[0] is v or v in self.shifted:
            return None
        (user,) = users
        return self.alone(user) if user.op == "variable" else user

    # ---- products of one vector ------------------------------------------------------------

    def stack_products(self, component: Sequence[Node]) -> None:
        """Make the products of one vector in a loop one product, and go on with what is made of
        them."""
        groups: dict[tuple[Node, bool], list[Node]] = {}
        for n in component:
            once = len(self.users.get(n, [])) == 1 and self.at_its_step(n)
            if once and n.op == "matvec" and isinstance(n.data[0], Matrix):
                groups.setdefault((n.args[0], n.data[0].transposed), []).append(n)
        for products in groups.values():
            if len(products) > 1 and all(n.op == "matvec" for n in products):
                ordered = self.by_purpose(products)
                self.rank |= {n.data[0].expr: i for i, n in enumerate(ordered)}
                definition = self.stacked(ordered)
                if definition is not None:
                    self.grow(self.make(definition, ordered))

    def by_purpose(self, products: list[Node]) -> list[Node]:
        """Those whose only use ends in the same function beside each other, the most first."""
        purposes = {n: self.purpose(n) for n in products}
        found = list(purposes.values())
        return sorted(products, key=lambda n: (-found.count(purposes[n]), found.index(purposes[n])))

    def purpose(self, v: Node) -> tuple[object, ...]:
        """The operations that lead from v to the first function of it."""
        user = self.alone(v)
        if user is None:
            return ()
        own = (user.op, user.data[0] if user.op == "call" else None)
        return (own,) if user.op == "call" else (own, *self.purpose(user))

    def make(self, definition: Node, members: Sequence[Node]) -> Node:
        """Keep the members in a pack; those that only define a variable are that variable."""
        owners = {
            m: u for m in members for u in self.users.get(m, []) if u.definition is m is not u
        }
        made = self.graph.pack(definition, members)
        made.members = tuple(owners.get(m, m) for m in members)
        self.survey()
        return made

    def grow(self, made: Node) -> None:
        """Compute what is made alike of neighbours in a pack as one node, and go on with that."""
        agenda = [made]
        while agenda:
            members = agenda.pop().members
            uses = [self.alone(m) for m in members]
            kinds = [_kind(u) if u is not None and self.at_its_step(u) else None for u in uses]
            for kind, run in groupby(range(len(members)), key=kinds.__getitem__):
                found = [u for i in run if (u := uses[i]) is not None]
                if kind is not None and len(found) > 1:
                    definition = self.packed(found)
                    if definition is not None:
                        agenda.append(self.make(definition, found))

    def join_parts(self) -> None:
        """Make the products of one vector with neighbouring parts of the same matrices one."""
        groups: dict[Node, list[tuple[int, Node]]] = {}
        for n in reachable(self.outputs):
            part = _part(n)
            if part and len(self.users.get(n, [])) == 1 and self.at_its_step(n):
                groups.setdefault(n.args[0], []).append((order(part[0]), n))
        for found in groups.values():
            products = [n for _, n in sorted(found, key=lambda item: item[0]) if n.op == "matvec"]
            definition = self.stacked(products) if len(products) > 1 else None
            if definition is not None and not _below(definition):
                self.grow(self.make(definition, products))

    # ---- one node for several ----------------------------------------------------------------

    def packed(self, nodes: Sequence[Node]) -> Node | None:
        """What computes [u₁; u₂; …] in one go, or None."""
        first, size = nodes[0], sum((n.size for n in nodes), S.Zero)
        whole = self.neighbours(nodes)
        if whole is not None:
            return whole
        if all(n.op == "number" and n.data == first.data for n in nodes):
            return self.graph.number(first.data[0], size)
        if all(n.op == "data" and n.data[1] == "parameter" for n in nodes):
            return self.graph.concat(nodes)
        if _kind(first) is None or any(_kind(n) != _kind(first) for n in nodes):
            return None
        if any(len(self.users.get(n, [])) != 1 for n in nodes):
            return None
        if first.op == "matvec":
            return self.stacked(nodes)
        if any(a.size != n.size for n in nodes for a in n.args):
            return None
        arguments = self.aligned(nodes)
        packs = [self.packed(a) for a in arguments] if arguments else [None]
        made = [p for p in packs if p is not None]
        if len(made) < len(packs):
            return None
        # Not in the simplest form: what stands outside of the loop as one operand is to stay so.
        return self.graph.node(first.op, made, first.data, size)

    def stacked(self, products: Sequence[Node]) -> Node | None:
        """The products of one vector, one below the other."""
        if any(n.args[0] is not products[0].args[0] for n in products):
            return None
        m = below_each_other([n.data[0] for n in products])
        if m is None:
            return None
        return self.graph.node("matvec", (products[0].args[0],), (m,), m.height)

    def neighbours(self, nodes: Sequence[Node]) -> Node | None:
        """The part of a pack that these are, side by side; what defines it if it is all of it
        and used for nothing else."""
        views = [v for n in nodes if (v := n.view) is not None]
        if len(views) < len(nodes) or any(v.args[0] is not views[0].args[0] for v in views):
            return None
        if any(a.data[1] != b.data[0] for a, b in pairwise(views)):
            return None
        base, start, stop = views[0].args[0], views[0].data[0], views[-1].data[1]
        if (start, stop) != (0, base.size):
            return self.graph.node("slice", (base,), (start, stop), stop - start)
        assert base.definition is not None
        once = all(self.alone(m) is not None for m in base.members)
        return base.definition if once and base.definition.op != "concat" else base

    def aligned(self, nodes: Sequence[Node]) -> list[list[Node]] | None:
        """The operands that belong together: those of the first, each with those like it."""
        rest = [list(_signed(n)) for n in nodes[1:]]
        result = []
        for sign, a in _signed(nodes[0]):
            column = [a]
            for others in rest:
                like = [o for o in others if o[0] == sign and _likeness(o[1]) == _likeness(a)]
                if not like:
                    return None
                others.remove(like[0])
                column.append(like[0][1])
            result.append(column)
        return None if any(rest) else result

    # ---- sums of products ----------------------------------------------------------------------

    def line_up_summands(self, component: Sequence[Node]) -> None:
        """Keep the vectors of M₁ u₁ + M₂ u₂ + … in one pack, where all are of the same step."""
        members = set(component)
        for n in component:
            if n.op != "add":
                continue
            vectors: dict[Node, Matrix] = {}
            for sign, a in _signed(n):
                if sign > 0 and a.op == "matvec" and isinstance(a.data[0], Matrix):
                    u, m = a.args[0], a.data[0]
                    apart = not any(self.depends(u, v) or self.depends(v, u) for v in vectors)
                    alike = all(m.transposed == other.transposed for other in vectors.values())
                    if u in members and u not in vectors and self.free(u) and apart and alike:
                        vectors[u] = m
            if len(vectors) > 1:
                ranks = {u: self.rank.get(m.expr, len(self.rank)) for u, m in vectors.items()}
                ordered = sorted(vectors, key=ranks.__getitem__)
                parts = [u.definition or self.graph.copy(u) for u in ordered]
                self.make(self.graph.concat(parts), ordered)

    def free(self, u: Node) -> bool:
        """Whether a vector may be computed in a place in a pack."""
        definition = u.definition or u
        return definition.op in FRESH and definition.full and u.timed and self.at_its_step(u)

    def at_its_step(self, v: Node) -> bool:
        """Whether a node, and a variable that it defines, is used at no other step."""
        names = [u for u in self.users.get(v, []) if u.definition is v]
        return self.shifted.isdisjoint([v, *names])

    def depends(self, u: Node, v: Node, at_once: bool = True) -> bool:
        """Whether u⟨t⟩ is made of v⟨t⟩, or, if not at once, of v at any step."""
        agenda, seen = [u], {u}
        while agenda:
            for used, offset in agenda.pop().reads:
                if at_once and offset:
                    continue
                if used is v:
                    return True
                if used not in seen:
                    seen.add(used)
                    agenda.append(used)
        return False

    def merge_sums(self) -> None:
        """Make M₁ u₁ + M₂ u₂ + … one product, where u₁, u₂, … are neighbours in one array."""
        nodes = reachable(self.outputs)
        places: dict[Node, tuple[Node, Expr]] = {}
        for n in nodes:
            if n.op == "concat" and n.timed:
                start: Expr = Integer(0)
                for a in n.args:
                    places.setdefault(a, (n, start))
                    start += a.size
        for n in nodes:
            if n.op == "add" and -1 not in n.data[1]:
                for run in self.runs(n, places):
                    self.merge(n, run)
        self.survey()

    def runs(
        self, n: Node, places: dict[Node, tuple[Node, Expr]]
    ) -> list[list[tuple[Node, Node, Expr]]]:
        """The products in a sum that belong together: each with an array, and where in it its
        vector begins."""
        found: dict[tuple[Node, bool], list[tuple[Node, Node, Expr]]] = {}
        for a in n.args:
            if a.op == "matvec" and isinstance(a.data[0], Matrix) and len(self.users[a]) == 1:
                view = a.args[0].view
                place = (view.args[0], view.data[0]) if view else places.get(a.args[0])
                if place is not None and (view or not self.depends(place[0], n, at_once=False)):
                    found.setdefault((place[0], a.data[0].transposed), []).append((a, *place))
        result = []
        for group in found.values():
            group.sort(key=lambda item: order(item[2]))
            run = [group[0]]
            for item in group[1:]:
                if item[2] == run[-1][2] + run[-1][0].args[0].size:
                    run.append(item)
                else:
                    result.append(run)
                    run = [item]
            result.append(run)
        return [run for run in result if len(run) > 1]

    def merge(self, n: Node, run: list[tuple[Node, Node, Expr]]) -> None:
        """One product for several of a sum."""
        products = [product for product, _, _ in run]
        _, base, start = run[0]
        stop = run[-1][2] + products[-1].args[0].size
        u = base
        if (start, stop) != (0, base.size):
            u = self.graph.node("slice", (base,), (start, stop), stop - start)
        m = side_by_side([product.data[0] for product in products])
        one = self.graph.node("matvec", (u,), (m,), n.size)
        rest = [a for a in n.args if a not in products]
        n.args, n.data = (one, *rest), (n.data[0], (1,) * (len(rest) + 1))


def _part(n: Node) -> Span | None:
    """Which rows of a product are computed, if not all of them."""
    if n.op != "matvec" or _below(n):
        return None
    m = n.data[0].parts[0] if isinstance(n.data[0], Blocks) else n.data[0]
    return m.cols if m.transposed else m.rows


def _below(n: Node) -> bool:
    """Whether a product is one with several matrices below each other."""
    return isinstance(n.data[0], Blocks) and n.data[0].below


def _signed(n: Node) -> list[tuple[int, Node]]:
    """The operands, with the signs that they have in a sum."""
    return list(zip(n.data[1] if n.op == "add" else (1,) * len(n.args), n.args, strict=True))


def _kind(n: Node) -> object:
    """What nodes have in common that may be computed in one go; None for one that may not."""
    if not n.full or n.op not in FRESH or (n.op == "call" and n.data[0] in WHOLE):
        return None
    if n.op == "matvec":
        return (n.op, n.args[0])
    return (n.op, len(n.args), n.data if n.op != "add" else (n.data[0], sorted(n.data[1])))


def _likeness(n: Node) -> object:
    """What operands have in common that may stand at the same place."""
    view = n.view
    return ("slice", view.args[0]) if view else (n.op, _kind(n))
