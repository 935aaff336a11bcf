"""The unrolled computation graph: nodes, edges, local Jacobians, paths, and pictures of it.

Beside the main flow: a network in, the graph as one sees it drawn out. Uses `rnnsym.derive.local`
for the Jacobians and decides nothing itself.

unrolled  the graph: edges, paths, their number, products of local Jacobians along them
layout    where each node stands in a picture
draw      text, Graphviz, Mermaid, TikZ, SVG
"""

from rnnsym.graph.unrolled import Edge, Graph, Node, unroll

__all__ = ["Edge", "Graph", "Node", "unroll"]
