"""The calculus: from a network to derivations of its gradients.

Third stage of the flow. Knows networks, the algebra and the table of rules; knows no printer
and no verifier.

step       Step and Derivation: what the other stages receive
structure  the network as a derivation sees it: blocks of states, chains of nodes to the loss
local      closed forms of immediate partials, by the chain rule within a time step
sums       ordered products and sums over time: how they are extended, exchanged, unrolled
total      dL/dθ as a sum of Jacobian products, then the adjoint recursion
adjoint    the backward pass of the whole network, node by node
unrolled   the same for a concrete T, term by term
"""
