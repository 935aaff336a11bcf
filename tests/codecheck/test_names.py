"""Names of parameters and gradients: places in objects, underscores, constants, errors by hand."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.codecheck.naming import PlaceError, nested, owner, steps
from tests.codecheck import samples

NET = rs.elman()
NAMES = ("W_aa", "W_ax", "b_a", "W_ya", "b_y")


def check(function, **words):
    return check_gradient(function, words.pop("net", NET), sensitivity=False, **words)


def gradients(weights, x, y, h):
    return samples.plain(dict(zip(NAMES, weights, strict=True)), x, y, {"a": h})[1]


class Listed:
    """Weights in a list, gradients in another one."""

    def __init__(self):
        self.W = [None] * 5

    def run(self, x, y, h):
        d = gradients(self.W, x, y, h)
        self.dW = [d[n] for n in NAMES]


PLACES = {f"W[{i}]": n for i, n in enumerate(NAMES)}
RUN = [("run", "x", "y", "a")]


class Part:
    pass


class Nested:
    """Weights in the objects of a list."""

    def __init__(self):
        self.layers, self.out = [Part(), Part()], Part()

    def run(self, x, y, h):
        one, two = self.layers
        d = gradients([two.W_hh, one.weight, two.bias, self.out.V, self.out.c], x, y, h)
        two.dWhh, one.weight_grad, two.dbias = d["W_aa"], d["W_ax"], d["b_a"]
        self.out.dV, self.out.grad_c = d["W_ya"], d["b_y"]


DEEP = {
    "layers[1].W_hh": "W_aa", "layers[0].weight": "W_ax", "layers[1].bias": "b_a",
    "out.V": "W_ya", "out.c": "b_y",
}  # fmt: skip


def test_names_may_be_places_in_lists_and_objects():
    assert check(Listed, calls=RUN, names=PLACES).ok
    report = check(Nested, calls=RUN, names=DEEP)
    assert report.ok
    assert report.gradients["W_ax"].theirs == "layers[0].weight"

    class Wrong(Listed):
        def run(self, *given):
            super().run(*given)
            self.dW[4] = 2 * self.dW[4]

    report = check(Wrong, calls=RUN, names=PLACES)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["b_y"]
    assert "W[4]" in report.gradients["b_y"].diagnosis


def test_lists_are_handed_over_and_come_back_in_dicts():
    def by_dict(params, x, y, initial):
        d = gradients(params["W"], x, y, initial["a"])
        return {"dW": [d[n] for n in NAMES]}

    assert check(by_dict, names=PLACES).ok

    def by_argument(W, x, y, h):
        d = gradients(W, x, y, h)
        return {f"W[{i}]": d[n] for i, n in enumerate(NAMES)}

    assert check(by_argument, names=PLACES, arguments=["W", "x", "y", "a"]).ok


def test_places_of_an_object_that_updates_itself():
    class Updating(Listed):
        def run(self, x, y, h):
            d = gradients(self.W, x, y, h)
            self.W = [w - 0.1 * d[n] for w, n in zip(self.W, NAMES, strict=True)]

    assert check(Updating, calls=RUN, names=PLACES, rate=0.1).ok


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"U[0]": "W_aa"}, "a Listed has no 'U', where 'U\\[0\\]' is to be set"),
        ({"W[7]": "W_aa"}, "a list has no position 7"),
        ({"W[0].a.b": "W_aa"}, "has no 'a'"),
        ({"W[i]": "W_aa"}, "is no name: write W, W\\[0\\] or layers"),
        ({"W[0]()": "W_aa"}, "is no name"),
        ({"__class__.W": "W_aa"}, "is no name"),
        ({"W[0].__class__": "W_aa"}, "is no name"),
        ({"W[-1]": "W_aa"}, "is no name"),
    ],
)
def test_places_that_are_not_there_are_refused(names, message):
    with pytest.raises(rs.InputError, match=message):
        check(Listed, calls=RUN, names=names)


def test_steps_and_nested_dicts():
    assert steps("layers[0].weight") == ["layers", 0, "weight"]
    for name in ("", ".a", "a..b", "[0]", "a[0]b", "a b", "a.", "a[0"):
        with pytest.raises(PlaceError):
            steps(name)
    table = {"a": 1, "b[1]": 2, "b[0]": 3, "c[0].d": 4, "c[0].e": 5, "f.g": 6}
    assert nested(table) == {"a": 1, "b": [3, 2], "c": [{"d": 4, "e": 5}], "f": {"g": 6}}


def test_underscores_do_not_count_unless_they_must():
    assert owner("dWhh", ["W_hh"]) is None
    assert owner("dWhh", ["W_hh"], loose=True) == "W_hh"
    assert owner("d_b_h", ["bh"], loose=True) == "bh"
    assert owner("dWhh", ["W_hh", "Wh_h"], loose=True) is None

    class Own:
        def run(self, x, y, h):
            d = gradients([self.W_hh, self.W_xh, self.bh, self.W_hy, self.by], x, y, h)
            self.dWhh, self.dWxh, self.dbh, self.dWhy, self.d_by = (d[n] for n in NAMES)

    own = {"W_hh": "W_aa", "W_xh": "W_ax", "W_hy": "W_ya", "bh": "b_a", "by": "b_y"}
    assert check(Own, calls=RUN, names=own).ok
    words = {"names": own, "arguments": "W_hh W_xh bh W_hy by x y a"}

    def by_position(*given):
        d = gradients(given[:5], *given[5:])
        return [d[n] for n in NAMES]

    assert check(by_position, returns="dWhh dWxh dbh dWhy dby", **words).ok


def test_what_is_no_text_is_handed_over_as_it_is():
    h0 = np.zeros((0, 3))

    class Given:
        func = None  # as of a partial, which it is not

        def __init__(self, n, constant, kind):
            assert constant is h0 and kind is np.float64

        def run(self, x, y, h, constant, nothing):
            assert constant is h0 and nothing is None
            d = gradients([getattr(self, n) for n in NAMES], x, y, h)
            for name in NAMES:
                setattr(self, f"d{name}", d[name])

    calls = [("run", "x", "y", "a", h0, None)]
    assert check(Given, init=["n_a", h0, np.float64], calls=calls).ok
    partial = functools.partial(Given, constant=h0, kind=np.float64)
    report = check(partial, init=["n_a"], calls=calls)
    assert report.ok
    assert report.function == "Given"

    def function(params, x, y, initial, constant):
        assert constant is h0
        return samples.plain(params, x, y, initial)

    assert check(function, arguments=["params", "x", "y", "initial", h0]).ok
    given = functools.partial(function, constant=h0)
    assert check(given, arguments=["params", "x", "y", "initial"]).ok
    assert check(given, arguments=["params", "x", "y", "initial"]).function == "function"


def test_the_loss_may_come_back_beside_gradients_that_are_kept():
    class Kept(samples.Recurrent):
        def backward(self, y):
            super().backward(y)
            return -sum(v @ np.log(p) for v, p in zip(y, self.p, strict=True))

    words = {
        "names": {"U": "W_ax", "W": "W_aa", "V": "W_ya", "b": "b_a", "c": "b_y"},
        "init": "n_x n_a n_y", "calls": [("forward", "x", "a"), ("backward", "y")],
    }  # fmt: skip
    report = check(Kept, returns=["loss"], **words)
    assert report.ok
    assert report.loss.ok


class Handed(samples.Recurrent):
    """Its backward is given ŷ - y by the caller."""

    form = staticmethod(list)

    def forward(self, x, h0):
        return self.form(super().forward(x, h0))

    def backward(self, errors):
        values = errors.values() if isinstance(errors, dict) else errors
        self.p = [*values]
        super().backward(np.zeros((len(self.p), len(self.c))))


@pytest.mark.parametrize(
    "form",
    [list, np.array, lambda p: dict(enumerate(p)) | {-1: None}, lambda p: (p, "cache")],
    ids=["list", "array", "dict", "tuple"],
)
@pytest.mark.parametrize("indices", ["", "y"])
def test_an_error_that_the_caller_forms(form, indices):
    class Own(Handed):
        pass

    Own.form = staticmethod(form)
    words = {
        "names": {"U": "W_ax", "W": "W_aa", "V": "W_ya", "b": "b_a", "c": "b_y"},
        "init": "n_x n_a n_y", "calls": [("forward", "x", "a"), ("backward", "error")],
    }  # fmt: skip
    assert check(Own, indices=indices, **words).ok


def test_the_shapes_in_a_message_are_those_that_were_handed_over():
    def function(params, x, y, initial):
        rows, columns = x.shape
        return rows + columns

    with pytest.raises(rs.InputError, match=r"called with x \(3, 4, 1\), y \(3, 5, 1\) at T = 3"):
        check(function, columns=True)

    def single(params, x, y, initial):
        assert not len(x)

    with pytest.raises(rs.InputError, match=r"x as class numbers \(3,\), y as a class number"):
        check(
            single, net=rs.elman(type="many-to-one"), indices={"x": "array", "y": "number"},
            axes="tn",
        )  # fmt: skip
