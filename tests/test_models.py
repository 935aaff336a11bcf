"""The built-in models: what can be asked for, and that every combination is right."""

from __future__ import annotations

import itertools
import re

import pytest

from rnnsym.cells import CELLS
from rnnsym.derive.calculus import Calculus
from rnnsym.errors import InputError
from rnnsym.losses import LOSSES
from rnnsym.models import COMMON, FORM, NOTATIONS, STRUCTURE, Numbers, build, options_of, parse
from rnnsym.network import Network
from rnnsym.verify.backpropagation import reference_of
from rnnsym.verify.steps import Checker, check, failures


@pytest.mark.parametrize(
    ("spec", "name", "options"),
    [
        ("elman", "elman", {}),
        ("elman:", "elman", {}),
        ("gru:reset=after", "gru", {"reset": "after"}),
        (" gru : reset = after , loss=squared_error ", "gru",
         {"reset": "after", "loss": "squared_error"}),
        ("elman:compact", "elman", {"compact": "yes"}),
        ("lstm:compact,activation=g", "lstm", {"compact": "yes", "activation": "g"}),
        ("a:b=c=d", "a", {"b": "c=d"}),
    ],
)  # fmt: skip
def test_a_model_is_a_name_and_options(spec: str, name: str, options: dict[str, str]) -> None:
    assert parse(spec) == (name, options)


@pytest.mark.parametrize("spec", ["x" * 501, 3, None, b"elman", "elman:loss=a,loss=b"])
def test_other_specifications_are_refused(spec: object) -> None:
    with pytest.raises(InputError):
        parse(spec)  # type: ignore[arg-type]


def test_an_unknown_model_is_told_which_exist() -> None:
    with pytest.raises(InputError) as error:
        build("transformer", {})
    assert "'transformer'" in str(error.value)
    assert all(name in str(error.value) for name in CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_an_unknown_option_or_value_is_told_which_exist(name: str) -> None:
    table = options_of(CELLS[name])
    with pytest.raises(InputError, match="unknown option 'bias'") as error:
        build(name, {"bias": "no"})
    assert all(key in str(error.value) for key in table)
    for key, values in table.items():
        with pytest.raises(InputError, match=f"{key}='__import__'") as error:
            build(name, {key: "__import__"})
        assert all(value in str(error.value) for value in values)


def test_options_of_one_cell_are_no_options_of_another() -> None:
    with pytest.raises(InputError, match="elman has activation, output, loss"):
        build("elman", {"reset": "after"})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("layers", "0", "layers='0': choose from 1, 2, …, 64"),
        ("layers", "65", "choose from 1, 2, …, 64"),
        ("layers", "02", "choose from 1, 2, …, 64"),
        ("layers", "two", "choose from 1, 2, …, 64"),
        ("layers", "…", "choose from 1, 2, …, 64"),
        ("layers", "yes", "option layers needs a value: layers=1|2|…|64"),
        ("layers", "True", "layers='True': choose from"),
        ("shortcut", "1", "one step back is the recurrence itself; choose from no, 2, 3, …, 100"),
        ("shortcut", "101", "choose from no, 2, 3, …, 100"),
        ("bidirectional", "1", "bidirectional='1': choose from no, yes"),
        ("residual", "yes", "residual connects a layer with those below it, and layers=1 has none"),
        ("dense", "yes", "dense connects a layer with those below it, and layers=1 has none"),
    ],
)
def test_a_structure_that_cannot_be_is_refused_with_its_reason(
    option: str, value: str, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build("elman", {option: value})


def test_numbers_are_listed_in_short_and_known_in_full() -> None:
    layers = COMMON["layers"]
    assert isinstance(layers, Numbers) and list(layers) == ["1", "2", "…", "64", "l"]
    assert all(str(n) in layers for n in range(1, 65))
    assert not any(value in layers for value in ("0", "65", "…", "", "1.0", 1, None))
    assert list(COMMON["shortcut"]) == ["no", "2", "3", "…", "100"] and "no" in COMMON["shortcut"]


def test_flags_may_be_the_truth_values_of_python() -> None:
    net = build("elman", {"layers": "2", "bidirectional": "True", "residual": "False"})
    assert net.name == "elman:layers=2,bidirectional=yes,residual=no"
    assert net.equations == build("elman", {"layers": "2", "bidirectional": "yes"}).equations


def test_what_is_not_connected_is_the_network_without_these_options() -> None:
    plain = build("lstm", {})
    same = build("lstm", {"layers": "1", "bidirectional": "no", "shortcut": "no"})
    assert same.equations == plain.equations and same.options == plain.options
    assert not set(STRUCTURE) & set(plain.options)


def test_a_structure_has_no_reference_by_hand() -> None:
    """The hand-written references are of one layer: a network keeps what makes it another."""
    assert reference_of(build("gru", {})) is not None
    for options in ({"layers": "2"}, {"bidirectional": "yes"}, {"shortcut": "2"}):
        net = build("gru", options)
        assert options.items() <= net.options.items() and reference_of(net) is None


def shown(options: dict[str, str]) -> dict[str, str]:
    """Options as a network keeps them: those of its form, and of one copy of a cell, are not."""
    return {key: value for key, value in options.items() if key not in (*FORM, *STRUCTURE)}


def test_defaults_are_the_first_values() -> None:
    net = build("gru", {})
    table = options_of(CELLS["gru"])
    assert net.options == shown({key: values[0] for key, values in table.items()})
    assert net.name == "gru" and build("gru", {"reset": "after"}).name == "gru:reset=after"
    assert net.reference == "gru" and set(net.notations) == set(NOTATIONS)


# ---- every combination -------------------------------------------------------------------


def combinations(name: str) -> list[dict[str, str]]:
    table = {k: v for k, v in options_of(CELLS[name]).items() if k not in STRUCTURE}
    every = (dict(zip(table, v, strict=True)) for v in itertools.product(*table.values()))
    return [options for options in every if sensible(options["output"], options["loss"])]


def sensible(output: str, loss: str) -> bool:
    """Whether a loss can be taken of an output: no logarithm of any real number."""
    return output != "identity" or not LOSSES[loss].logarithm


@pytest.mark.parametrize("loss", [name for name in LOSSES if LOSSES[name].logarithm])
def test_the_logarithm_of_a_linear_output_is_refused(loss: str) -> None:
    with pytest.raises(InputError, match="may be negative: apply softmax or sigmoid"):
        build("elman", {"output": "identity", "loss": loss})


@pytest.mark.parametrize(
    ("output", "loss"),
    [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy"),
     ("identity", "squared_error"), ("g", "cross_entropy")],
)  # fmt: skip
def test_an_output_brings_its_loss(output: str, loss: str) -> None:
    assert build("elman", {"output": output}).options["loss"] == loss


@pytest.mark.parametrize("name", CELLS)
def test_every_combination_of_options_is_accepted(name: str) -> None:
    """All that differ in their equations are built; a notation changes no equation."""
    seen = set()
    for options in combinations(name):
        if options["notation"] != NOTATIONS[0]:
            continue
        net = build(name, options)
        assert net.options == shown(options) and net.target_kind == LOSSES[options["loss"]].targets
        assert {"x"} == set(net.inputs) and {"y"} == set(net.targets) and "a" in net.states
        seen.add(tuple(net.equations.values()))
    assert len(seen) == len(combinations(name)) // len(NOTATIONS)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_notation_changes_no_equation(notation: str) -> None:
    assert build("elman", {"notation": notation}).equations == build("elman", {}).equations


def covering() -> list[tuple[str, dict[str, str]]]:
    """Every compact cell, every activation, and every output with every loss.

    The cells by themselves are tested in tests/derive.
    """
    chosen = []
    for name, cell in CELLS.items():
        for own in itertools.product(*cell.options.values()):
            chosen.append((name, {**dict(zip(cell.options, own, strict=True)), "compact": "yes"}))
    chosen += [("elman", {"activation": value}) for value in COMMON["activation"]]
    pairs = [p for p in itertools.product(COMMON["output"], COMMON["loss"]) if sensible(*p)]
    chosen += [("elman", {"output": output, "loss": loss}) for output, loss in pairs]
    chosen += [("gru", {"activation": "g", "output": "g", "loss": "squared_error"})]
    return chosen


@pytest.mark.parametrize(
    ("name", "options"),
    covering(),
    ids=lambda part: part if isinstance(part, str) else ",".join(part.values()) or "default",
)
def test_every_gradient_is_derived_right(name: str, options: dict[str, str]) -> None:
    net = build(name, options)
    calculus, checker = Calculus(net), Checker(net, 3)
    for wrt in net.parameters:
        checks = check(calculus.derive(wrt), checker=checker)
        assert not [f"{c.step.rule}: {c.text}" for c in failures(checks)]


def test_a_model_is_built_as_the_class_asked_for() -> None:
    class Mine(Network):
        pass

    assert type(build("elman", {}, Mine)) is Mine
    assert type(build("elman", {"compact": "yes"}, Mine)) is Mine
