"""Networks for sequences that are not recurrent, beside which the recurrent ones are set.

Their equations as text, read by `rnnsym.models` like those of a cell: a multi-layer perceptron on
the whole sequence, a convolution over time, and self-attention. The number of steps of the first
and the last is a number, since their equations name each step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: the most steps that a network which names each of them may have
MAX_STEPS = 64
MAX_KERNEL = 32


@dataclass(frozen=True)
class Neighbour:
    """A network given by its equations.

    equations(options) gives the text, the output layer included; arguments(options) what
    `rnnsym.network.Network` has to be told besides; options: name -> (least, greatest, default).
    """

    name: str
    title: str
    source: str
    equations: Callable[[Mapping[str, str]], str]
    options: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    arguments: Callable[[Mapping[str, str]], dict[str, Any]] = lambda o: {}


def _steps(o: Mapping[str, str]) -> range:
    return range(1, int(o["steps"]) + 1)


def _mlp(o: Mapping[str, str]) -> str:
    """One hidden layer on [x⟨1⟩; …; x⟨T⟩]: columns of their own for each step, none shared."""
    products = " + ".join(f"W_{k} @ x[{k}]" for k in _steps(o))
    return f"""
        a[1] = {o["activation"]}({products} + b_a)
        y_hat[1] = {o["head"]}(W_ya @ a[1] + b_y)
    """


def _conv(o: Mapping[str, str]) -> str:
    """Layers of causal convolutions over time: the same weights at each step."""
    lines, below, layers = [], "x", int(o["layers"])
    for layer in range(1, layers + 1):
        mark = f"_l{layer}" if layers > 1 else ""
        products = " + ".join(
            f"W_{d}{mark} @ {below}[t{f'-{d}' if d else ''}]" for d in range(int(o["kernel"]))
        )
        lines.append(f"a{mark}[t] = {o['activation']}({products} + b_a{mark})")
        below = f"a{mark}"
    return "\n".join([*lines, f"y_hat[t] = {o['head']}(W_ya @ {below}[t] + b_y)"])


def _attention(o: Mapping[str, str]) -> str:
    """One head of self-attention: every step looks at every step, in one operation."""
    steps = _steps(o)
    scores = "\n".join(f"e_{s}[t] = exp(q[t].T @ k[{s}])" for s in steps)
    mixed = " + ".join(f"e_{s}[t] * v[{s}]" for s in steps)
    total = " + ".join(f"e_{s}[t]" for s in steps)
    return f"""
q[t] = W_q @ x[t]
k[t] = W_k @ x[t]
v[t] = W_v @ x[t]
{scores}
a[t] = ({mixed}) / ({total})
y_hat[t] = {o["head"]}(W_ya @ a[t] + b_y)
"""


def _attended(o: Mapping[str, str]) -> dict[str, Any]:
    return {"sizes": {f"e_{s}": 1 for s in _steps(o)}, "lengths": {"x": int(o["steps"])}}


NEIGHBOURS: dict[str, Neighbour] = {
    n.name: n
    for n in (
        Neighbour(
            "mlp",
            "perceptron on the whole sequence",
            "Rumelhart, Hinton & Williams 1986, Nature 323; §2 of the post",
            _mlp,
            {"steps": (1, MAX_STEPS, 4)},
        ),
        Neighbour(
            "conv",
            "convolution over time",
            "Waibel et al. 1989, IEEE Trans. ASSP 37; causal as in van den Oord et al. 2016",
            _conv,
            {"kernel": (1, MAX_KERNEL, 3), "layers": (1, MAX_STEPS, 1)},
        ),
        Neighbour(
            "attention",
            "self-attention",
            "Vaswani et al. 2017, arXiv 1706.03762, one head, scores not scaled",
            _attention,
            {"steps": (2, MAX_STEPS, 4)},  # of one step, the weights are 1 whatever the scores
            _attended,
        ),
    )
}
