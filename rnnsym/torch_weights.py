"""Weights between PyTorch's recurrent modules and our networks, in both directions.

Beside `rnnsym.api` at the end of the flow. Which of our weights are which rows of a module's stands
with the cell (`rnnsym.cells.cell.TorchModule`). PyTorch is imported when it is first needed.

PyTorch has two biases, b_ih and b_hh, where one is enough: ours is their sum, except where the
state's is inside of a product (a GRU's b_hn, our b_aa). Its arrays are time first unless a module
is batch_first, ours always: that concerns the inputs, not the weights.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnsym import models
from rnnsym.api import Network, model
from rnnsym.cells import CELLS, Cell, Gate, TorchModule
from rnnsym.compose import Plan
from rnnsym.errors import InputError, UnavailableError

Array = NDArray[np.float64]

#: the options that are the user's to choose: a module says nothing about them
FREE = ("output", "loss", "notation")
MODULES = {cell.torch.name: cell for cell in CELLS.values() if cell.torch is not None}


def from_torch(module: Any, head: Any = None, **options: Any) -> tuple[Network, dict[str, Array]]:
    """The network of an `nn.RNN`, `nn.LSTM` or `nn.GRU`, and its weights, in float64.

    head: the `nn.Linear` of the output layer W_ya, b_y; without one W_ya is the identity and
    b_y zero, so that ŷ is what the module returns. options: output (by default identity), loss
    (by default what belongs to the output: squared_error) and notation.

    Weights have the shapes (rows, columns), biases (n,), as `Network.gradients` takes them.

    Raises InputError for another module, for bias=False, proj_size, or dropout in training, for a
    head that does not fit, and for other options; UnavailableError without PyTorch.
    """
    cell, plan = _of(module, head)
    for key in options:
        if key not in FREE:
            raise InputError(f"option {key!r}: the module decides; yours are {', '.join(FREE)}")
    torch = _torch_of(cell)
    chosen: dict[str, Any] = {
        **torch.options,
        **{ours: getattr(module, theirs) for ours, (theirs, _) in torch.keywords.items()},
        **({"layers": plan.layers} if plan.layers > 1 else {}),
        **({"bidirectional": True} if plan.bidirectional else {}),
        "output": "identity",
        **options,
    }
    default = {key: values[0] for key, values in models.options_of(cell).items()}
    given = {key: value for key, value in chosen.items() if str(value) != default[key]}
    params = _collected(module, head, "data")
    if head is None:
        n = module.hidden_size * len(plan.directions)
        params |= {"W_ya": np.eye(n), "b_y": np.zeros(n)}
    return model(cell.name, **given), params


def gradients_from_torch(net: Network, module: Any, head: Any = None) -> dict[str, Array]:
    """What `backward()` left in a module and its head, as our gradients; by parameter, float64.

    The gradient of our bias is that of b_ih, which is the same as that of b_hh. Without a head
    those of W_ya and b_y are left out.

    Raises InputError as `from_torch`, for a network of other weights, and where no gradient is.
    """
    found = _collected(module, head, "grad")
    wanted = set(net.parameters) - ({"W_ya", "b_y"} if head is None else set())
    if set(found) != wanted:
        different = ", ".join(sorted(set(found) ^ wanted))
        raise InputError(
            f"{net.name} is not the network of this module: they differ in {different}"
        )
    return found


def to_torch(net: Network, params: Mapping[str, Any]) -> tuple[Any, Any]:
    """A module of `torch.nn` and its `nn.Linear` head with the weights of a network, in float64.

    The head's result is W_ya a + b_y, before the output function. PyTorch's b_hh is zero where
    the sum of b_ih and b_hh is ours. Inputs of the module are time first.

    Raises InputError for a network that is none of the built-in ones, for options that PyTorch's
    modules do not have (residual, dense, shortcut, another activation), for layers of different
    sizes, and for weights that are missing or of a wrong shape; UnavailableError without PyTorch.
    """
    library = _library()
    cell, chosen, plan = _recovered(net)
    torch = _torch_of(cell)
    arrays = _checked(net, params)
    copies = list(_copies(torch, plan))
    sizes = {arrays[gate.state + mark].shape[0] for mark, _ in copies for gate in torch.gates}
    if len(sizes) > 1:
        raise InputError(
            f"nn.{torch.name} has one hidden_size: {net.name} has layers of {sorted(sizes)} entries"
        )
    hidden = sizes.pop()
    module = getattr(library.nn, torch.name)(
        arrays[torch.gates[0].source + copies[0][0]].shape[1],
        hidden,
        num_layers=plan.layers,
        bidirectional=plan.bidirectional,
        dtype=library.float64,
        **{theirs: chosen[ours] for ours, (theirs, _) in torch.keywords.items()},
    )
    head = library.nn.Linear(
        arrays["W_ya"].shape[1], arrays["W_ya"].shape[0], dtype=library.float64
    )
    for mark, end in copies:
        for part, rows in _stacked(torch, mark, arrays).items():
            _fill(library, getattr(module, part + end), rows)
    _fill(library, head.weight, arrays["W_ya"])
    _fill(library, head.bias, arrays["b_y"])
    return module, head


# ---- between our names and rows of theirs ------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """Our parameter, and the name of theirs (without its end) that has it in its rows."""

    ours: str
    theirs: str


def _rows(gate: Gate, mark: str) -> Iterator[_Row]:
    """Where our parameters of a gate are; what b_hh adds to a bias is not among them."""
    yield _Row(gate.source + mark, "weight_ih")
    yield _Row(gate.state + mark, "weight_hh")
    yield _Row(gate.bias + mark, "bias_ih")
    if gate.state_bias is not None:
        yield _Row(gate.state_bias + mark, "bias_hh")


def _copies(torch: TorchModule, plan: Plan) -> Iterator[tuple[str, str]]:
    """For each copy of the cell: what our names end in, and what theirs do."""
    for layer in range(1, plan.layers + 1):
        for direction in plan.directions:
            back = "_reverse" if direction == "bwd" else ""
            yield plan.suffix(layer, direction), f"_l{layer - 1}{back}"


def _collected(module: Any, head: Any, what: str) -> dict[str, Array]:
    """Our parameters ("data") or their gradients ("grad"), copied out of a module and its head."""
    cell, plan = _of(module, head)
    torch = _torch_of(cell)
    found: dict[str, Array] = {}
    for mark, end in _copies(torch, plan):
        for i, gate in enumerate(torch.gates):
            block = slice(i * module.hidden_size, (i + 1) * module.hidden_size)
            for row in _rows(gate, mark):
                found[row.ours] = _array(module, row.theirs + end, what)[block].copy()
            if gate.state_bias is None and what == "data":
                found[gate.bias + mark] += _array(module, "bias_hh" + end, what)[block]
    if head is not None:
        found |= {"W_ya": _array(head, "weight", what), "b_y": _array(head, "bias", what)}
    return found


def _stacked(torch: TorchModule, mark: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Their four parameters of one copy of the cell: our rows above each other."""
    blocks: dict[str, list[Array]] = {}
    for gate in torch.gates:
        rows = {row.theirs: arrays[row.ours] for row in _rows(gate, mark)}
        rows.setdefault("bias_hh", np.zeros_like(rows["bias_ih"]))
        for theirs, array in rows.items():
            blocks.setdefault(theirs, []).append(array)
    return {theirs: np.concatenate(arrays) for theirs, arrays in blocks.items()}


def _array(module: Any, name: str, what: str) -> Array:
    value = getattr(getattr(module, name), what)
    if value is None:
        raise InputError(f"{name} has no gradient: call backward() of the loss first")
    return np.array(value.detach().cpu().double().numpy())


def _fill(library: Any, parameter: Any, array: Array) -> None:
    with library.no_grad():
        parameter.copy_(library.from_numpy(np.ascontiguousarray(array)))


# ---- what is supported -------------------------------------------------------------------


def _library() -> Any:
    if importlib.util.find_spec("torch") is None:
        raise UnavailableError("torch is not installed: pip install 'rnnsym[torch]'")
    import torch

    return torch


def _torch_of(cell: Cell) -> TorchModule:
    assert cell.torch is not None
    return cell.torch


def _of(module: Any, head: Any) -> tuple[Cell, Plan]:
    """The cell of a module and how its copies are connected; raises InputError as said above."""
    nn = _library().nn
    name = type(module).__name__
    if name not in MODULES or type(module) is not getattr(nn, name):
        known = ", ".join(f"nn.{known}" for known in MODULES)
        raise InputError(f"{name} is none of the modules that can be taken over: {known}")
    if not module.bias:
        raise InputError(f"nn.{name} with bias=False has no network here: biases are parameters")
    if module.proj_size:
        raise InputError(f"nn.{name} with proj_size={module.proj_size} is another cell: use 0")
    if module.dropout and module.training and module.num_layers > 1:
        raise InputError(
            f"nn.{name} with dropout={module.dropout} in training is random: call its eval() first"
        )
    plan = Plan(layers=module.num_layers, bidirectional=bool(module.bidirectional))
    if head is not None:
        if type(head) is not nn.Linear or head.bias is None:
            raise InputError("the head must be an nn.Linear with a bias")
        width = module.hidden_size * len(plan.directions)
        if head.in_features != width:
            raise InputError(
                f"the head has in_features={head.in_features}: nn.{name} returns {width} entries"
            )
    return MODULES[name], plan


def _recovered(net: Network) -> tuple[Cell, dict[str, str], Plan]:
    """Cell, options and plan of a built-in network; raises InputError where PyTorch has no module.

    A network is built in if building it again by its name gives the same equations.
    """
    refused = f"{net.name} is none of the built-in networks that nn.{', nn.'.join(MODULES)} compute"
    try:
        name, options = models.parse(net.name)
        again = models.build(name, options)
    except InputError:
        raise InputError(refused) from None
    cell = CELLS[name]
    if again.equations != net.equations or cell.torch is None:
        raise InputError(refused)
    chosen = models.configure(cell, options)
    allowed = {k: (v,) for k, v in cell.torch.options.items()} | {
        ours: values for ours, (_, values) in cell.torch.keywords.items()
    }
    same = {key: ("no",) for key in ("residual", "dense", "shortcut", "compact")}
    for key, values in (allowed | same).items():
        if chosen[key] not in values:
            choice = " or ".join(f"{key}={value}" for value in values)
            raise InputError(f"nn.{cell.torch.name} has no {key}={chosen[key]}, only {choice}")
    return cell, chosen, models.plan_of(chosen)


def _checked(net: Network, params: Mapping[str, Any]) -> dict[str, Array]:
    """The parameters as arrays of the right shapes; each size is what its first use says."""
    arrays: dict[str, Array] = {}
    for name in net.parameters:
        if name not in params:
            raise InputError(f"parameter {name} is missing")
        try:
            arrays[name] = np.asarray(params[name], dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"parameter {name} is no array of numbers") from None
    shapes = {n: w.shape if w.cols != 1 else w.shape[:1] for n, w in net.parameters.items()}
    sizes: dict[Any, int] = {}
    for name, shape in shapes.items():
        for size, n in zip(shape, arrays[name].shape, strict=False):
            if size.is_Symbol:
                sizes.setdefault(size, n)
    for name, shape in shapes.items():
        wanted = tuple(size.subs(sizes) for size in shape)
        if arrays[name].shape != wanted:
            found, shown = arrays[name].shape, ", ".join(map(str, shape))
            raise InputError(
                f"parameter {name} has the shape {found}, should be ({shown}): {wanted}"
            )
    return arrays
