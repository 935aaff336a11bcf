"""More ways of calling: rows, pairs of a whole network, updates in place, names, class numbers."""

from __future__ import annotations

import numpy as np
import pytest

import rnnsym as rs
from rnnsym.codecheck import check_gradient
from rnnsym.codecheck.adapter import owner
from tests.codecheck import samples

NET = rs.elman()
NAMES = {"U": "W_ax", "W": "W_aa", "V": "W_ya", "b": "b_a", "c": "b_y"}
OBJECT = {
    "names": NAMES,
    "init": "n_x n_a n_y",
    "calls": [("forward", "x", "a"), ("backward", "y")],
}


def check(function, net=NET, **words):
    return check_gradient(function, net, sensitivity=False, **words)


def whole_forward(x, h, p):
    """The Elman network in rows, biases (1, n), as whole_backward wants it."""
    hs, ys = [h], []
    for v in x:
        h = np.tanh(v @ p["U"] + h @ p["W"] + p["b"])
        assert h.shape == p["b"].shape == (1, len(p["W"]))
        hs.append(h)
        scores = np.exp(h @ p["V"] + p["c"])
        ys.append(scores / scores.sum(axis=1, keepdims=True))
    return ys, (x, hs, ys, p)


def whole_backward(y, cache):
    x, hs, ys, p = cache
    grads = {f"d{n}": np.zeros_like(w) for n, w in p.items()}
    later = np.zeros_like(hs[0])
    for t in reversed(range(len(x))):
        error = ys[t] - y[t]
        grads["dV"] += hs[t + 1].T @ error
        grads["dc"] += np.sum(error, axis=0, keepdims=True)
        dz = (error @ p["V"].T + later) * (1 - hs[t + 1] ** 2)
        grads["dU"] += x[t].reshape(1, -1).T @ dz
        grads["dW"] += hs[t].T @ dz
        grads["db"] += np.sum(dz, axis=0, keepdims=True)
        later = dz @ p["W"].T
    return grads


WHOLE = {"names": NAMES, "layout": "rows", "rows": True,
         "calls": [("forward", "x", "a", "params"), ("backward", "y", "cache")]}  # fmt: skip


def test_a_pair_of_a_whole_network_in_rows():
    for words in ({}, {"layer": False}):
        report = check((whole_forward, whole_backward), **WHOLE, **words)
        assert report.ok, report.text()
        assert set(report.gradients) == set(NET.parameters)


def test_a_pair_that_names_no_output_is_tried_as_both():
    """Nothing in this adapter says that it needs W_ya: as a layer it has no key 'W_ya'."""

    def forward(params, x, a):
        return x, a, params

    def backward(y, x, a, params):
        return samples.plain(params, x, y, {"a": a})[1]

    calls = [("forward", "params", "x", "a"), ("backward", "y", "*result")]
    assert check((forward, backward), calls=calls).ok
    with pytest.raises(rs.InputError, match="KeyError: 'W_ya'"):
        check((forward, backward), calls=calls, layer=True)
    calls = [("forward", "params", "x"), ("backward", "y", "*result")]
    with pytest.raises(rs.InputError) as told:
        check((forward, backward), calls=calls)
    assert "as a layer without output" in str(told.value)
    assert "layer=False" in str(told.value)


def test_columns_and_rows_are_hinted_at():
    words = {**WHOLE, "rows": False}
    with pytest.raises(rs.InputError, match="AssertionError"):
        check((whole_forward, whole_backward), **words)

    def function(params, x, y, initial):
        return {"W_aa": params["b_a"] + np.zeros((len(initial["a"]), 1, 2))}

    with pytest.raises(rs.InputError, match=r"columns=True or rows=True.*sizes=.*steps="):
        check(function)


class Trained(samples.Recurrent):
    """Its backward makes a step of gradient descent and keeps no gradient."""

    rate = 0.5

    def backward(self, y):
        super().backward(y)
        for name in "UWVbc":
            step = self.rate * self.__dict__.pop(f"d{name}")
            setattr(self, name, getattr(self, name) - step)
        return 1.25


def test_gradients_from_an_update():
    report = check(Trained, **OBJECT, rate=0.5)
    assert report.ok
    assert report.loss.verdict == "wrong"  # it returns a number, which is not the loss
    assert check(Trained, **OBJECT, rate=0.5, returns="_").loss is None
    assert not any("writes into" in note for note in report.notes)
    assert "twice" in check(Trained, **OBJECT, rate=0.25).gradients["W_aa"].diagnosis
    with pytest.raises(rs.InputError, match=r"no gradients were found.*rate="):
        check(Trained, **OBJECT)


@pytest.mark.parametrize("in_place", [True, False])
def test_gradients_from_an_update_of_arrays_that_were_handed_over(in_place):
    def train(params, x, y, initial):
        loss, d = samples.plain(params, x, y, initial)
        for name, g in d.items():
            if in_place:
                params[name] -= 0.1 * g
            else:
                params[name] = params[name] - 0.1 * g
        return loss

    report = check(train, rate=0.1)
    assert report.ok
    assert report.loss.ok
    assert check(lambda *given: [train(*given)][1:], rate=0.1).loss is None
    assert check(lambda *given: train(*given) and None, rate=0.1).loss is None
    assert not any("writes into" in note for note in report.notes)
    with pytest.raises(rs.InputError, match="has updated no parameter"):
        check(lambda params, x, y, initial: None, rate=0.1)
    with pytest.raises(rs.InputError, match="rate=0"):
        check(train, rate=0)


def test_gradients_from_an_update_of_global_variables():
    names = {"Wxh": "W_ax", "Whh": "W_aa", "Why": "W_ya", "bh": "b_a", "by": "b_y",
             "vocab_size": "n_x", "hidden_size": "n_a"}  # fmt: skip
    report = check(train_in_samples(), names=names, globals=True, columns=True, indices="x y",
                   arguments="x y a", rate=1)  # fmt: skip
    assert report.ok
    assert samples.Whh is None


def train_in_samples():
    """A function whose global variables are those of the samples."""

    def train(x, y, a):
        global Wxh, Whh, Why, bh, by
        loss, dWxh, dWhh, dWhy, dbh, dby, _ = char_loss(x, y, a)  # noqa: F821
        Wxh, Whh, Why, bh, by = Wxh - dWxh, Whh - dWhh, Why - dWhy, bh - dbh, by - dby
        return loss

    return type(train)(train.__code__, vars(samples), "train")


def test_a_class_with_its_sizes_in_global_variables():
    class Sized(samples.Recurrent):
        def forward(self, x, a):
            assert len(a) == samples.hidden_size
            return super().forward(x, a)

    Sized.__module__ = samples.__name__
    names = {**NAMES, "hidden_size": "n_a"}
    report = check(Sized, **{**OBJECT, "names": names}, globals=True)
    assert report.ok
    assert samples.hidden_size == 7
    with pytest.raises(rs.InputError, match="AssertionError"):
        check(Sized, **{**OBJECT, "names": names})


def test_names_of_gradients():
    names = ["W", "dW", "Wx", "h"]
    table = {"dLdW": "W", "dW": "dW", "delta_Wx": "Wx", "delt_W": "W", "grad_h": "h",
             "Wx_grad": "Wx", "dL_dW": "W", "gW": "W", "word": None, "x": None}  # fmt: skip
    assert {word: owner(word, names) for word in table} == table


def test_results_by_the_names_of_people():
    def function(params, x, y, initial):
        loss, d = samples.plain(params, x, y, initial)
        return {"cost": loss, "delt_u": d["W_ax"], "delt_w": d["W_aa"], "delt_v": d["W_ya"],
                "one": d["b_a"], "two": d["b_y"]}  # fmt: skip

    returns = {
        "cost": "loss",
        "delt_u": "W_ax",
        "delt_w": "W",
        "delt_v": "dV",
        "one": "b",
        "two": "c",
    }
    report = check(lambda *given: function(*_ours(given)), names=NAMES, returns=returns)
    assert report.ok
    assert report.loss.ok

    def listed(*given):
        d = samples.plain(*_ours(given))[1]
        return d["W_ax"], d["W_aa"], d["W_ya"], d["b_a"], d["b_y"]

    assert check(listed, names=NAMES, returns="dLdU dLdW grad_V delta_b dLdc").ok
    assert check(listed, names=NAMES, returns="dW_ax W_aa dV db dc").ok
    with pytest.raises(rs.InputError, match=r"returns=\('gradients', '_', '_'\)"):
        check(lambda *given: (samples.plain(*given)[1], 0, 0))
    with pytest.raises(rs.InputError, match="no dict"):
        check(listed, names=NAMES, returns=returns)


def _ours(given):
    params, x, y, initial = given
    return {NAMES[n]: w for n, w in params.items()}, x, y, initial


@pytest.mark.parametrize(
    ("form", "shape"), [("list", None), ("array", (3,)), ("column", (3, 1)), ("number", ())]
)
def test_class_numbers(form, shape):
    net = NET if form != "number" else rs.elman(type="many-to-one")
    right = net.gradients()
    seen = []

    def function(params, x, y, initial):
        seen.append((type(y), np.shape(y)))
        numbers = np.atleast_1d(np.ravel(y))
        return right(params, x, np.eye(len(params["b_y"]))[numbers], initial)

    words = {} if net is NET else {"sizes": {"n_x": 4, "n_a": 6, "n_y": 5}}
    report = check(function, net, indices={"y": form}, axes="tn", **words)
    assert report.ok, report.text()
    assert seen[0][0] is (list if form == "list" else int if form == "number" else np.ndarray)
    assert shape is None or seen[0][1] == shape
    with pytest.raises(rs.InputError, match="'row': choose from 'list'"):
        check(function, net, indices={"y": "row"})


def test_an_error_says_what_was_handed_over():
    with pytest.raises(rs.InputError, match=r"called with x as class numbers, y \(3, 5\) at"):
        check(lambda params, x, y: x.T, indices="x")


def test_equal_sizes_are_not_called_different():
    report = check(samples.plain, sizes={"n_x": 4, "n_a": 4})
    assert report.ok
    assert "n_x = n_a = 4: exchanging these would not show" in report.text()
    assert "all sizes different" in check(samples.plain).text()


def test_code_for_one_length_is_judged_there():
    def function(params, x, y, initial):
        x, y = [x[t] for t in range(5)], [y[t] for t in range(5)]
        return samples.plain(params, np.array(x), np.array(y), initial)

    report = check(function)
    assert report.ok
    (note,) = [n for n in report.notes if "one length only" in n]
    assert "T = 5 (at T = 1" in note
    assert "IndexError" in note
    assert "steps=" in note


def test_code_that_works_for_a_single_step_only_is_wrong():
    def function(params, x, y, initial):
        (x,), (y,) = x, y
        return samples.plain(params, x[None], y[None], initial)

    assert {g.verdict for g in check(function).gradients.values()} == {"wrong"}


def test_parts_of_a_matrix_are_named_as_parts():
    def function(params, x, y, initial):
        n = len(initial["a"])
        W = params["W"]
        given = {**params, "W_aa": W[:, :n], "W_ax": W[:, n:]}
        loss, d = samples.plain({k: v for k, v in given.items() if k != "W"}, x, y, initial)
        return loss, {**d, "W": np.hstack([d["W_aa"], d["W_ax"]])}

    report = check(function, names={"W": [["W_aa", "W_ax"]]})
    assert report.gradients["W_aa"].theirs == report.gradients["W_ax"].theirs == "part of W"


def forward_rows(x, h, Wx, Wh, b):
    hs = [h]
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ Wx + hs[-1] @ Wh + b))
    return np.stack(hs[1:], axis=1), (x, hs, Wx, Wh)


def backward_rows(dh, cache, later_wrong=False):
    x, hs, Wx, Wh = cache
    dx, later = np.zeros_like(x), 0
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
    for t in reversed(range(x.shape[1])):
        dz = (dh[:, t] + later) * (1 - hs[t + 1] ** 2)
        dx[:, t] = dz @ Wx.T
        dWx, dWh, db = dWx + x[:, t].T @ dz, dWh + hs[t].T @ dz, db + dz.sum(0)
        later = dz @ Wh.T
    return dx, dh[:, 0] if later_wrong else later, dWx, dWh, db


def test_gradients_by_inputs_and_initial_states():
    words = {
        "names": {"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"}, "layout": "rows", "batch": "first",
        "calls": [("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "y", "cache")],
        "returns": "dx da0 dWx dWh db",
    }  # fmt: skip
    report = check((forward_rows, backward_rows), **words)
    assert report.ok
    assert set(report.gradients) == {"W_aa", "W_ax", "b_a", "a", "x"}

    def wrong(dh, cache):
        return backward_rows(dh, cache, later_wrong=True)

    report = check((forward_rows, wrong), **words)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["a"]
    assert "should be" in report.gradients["a"].diagnosis  # of above, which is no node

    def twice(dh, cache):
        dx, *others = backward_rows(dh, cache)
        return 2 * dx, *others

    report = check((forward_rows, twice), **words)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["x"]
    assert "twice the right one" in report.gradients["x"].diagnosis

    def flat(dh, cache):
        dx, *others = backward_rows(dh, cache)
        return dx.sum(0), *others

    assert "of shape" in check((forward_rows, flat), **words).gradients["x"].diagnosis
    assert check((forward_rows, flat), **{**words, "returns": "_ _ dWx dWh db"}).ok


def from_above(dx_from="dz", dh0_from="dz"):
    """A layer in rows whose dx and dh0 take what they are told."""

    def forward(x, h, Wx, Wh, b):
        hs = [h]
        for v in x:
            hs.append(np.tanh(v @ Wx + hs[-1] @ Wh + b))
        return np.array(hs[1:]), (x, hs, Wx, Wh)

    def backward(dh, cache):
        (x, hs, Wx, Wh), later = cache, 0
        dx, dWx, dWh, db = np.zeros_like(x), 0 * Wx, 0 * Wh, 0 * Wh[0]
        for t in reversed(range(len(x))):
            d = dh[t] + later
            dz = d * (1 - hs[t + 1] ** 2)
            sent = {"dz": dz, "d": d, "above": dh[t] * (1 - hs[t + 1] ** 2)}
            last = t == len(x) - 1
            dx[t] = last * (dz @ Wx.T) if dx_from == "last" else sent[dx_from] @ Wx.T
            dWx, dWh, db = dWx + np.outer(x[t], dz), dWh + np.outer(hs[t], dz), db + dz
            later = dz @ Wh.T
        dh0 = {"dz": later, "d": d @ Wh.T, "first": d, "turned": dz @ Wh}[dh0_from]
        return dx, dh0, dWx, dWh, db

    return forward, backward


@pytest.mark.parametrize(
    ("told", "name", "text", "fix"),
    [
        ({"dx_from": "d"}, "x", "da stands where dz_a belongs", "dx[t] = Wx.T @ dz_a[t]"),
        ({"dx_from": "above"}, "x", "sends nothing back", "da[t] = Wh.T @ dz_a[t+1] + d[t]"),
        ({"dx_from": "last"}, "x", "only the last step", ""),
        ({"dh0_from": "turned"}, "a", "the transpose of Wh is missing", "da0 = Wh.T @ dz_a[1]"),
        ({"dh0_from": "d"}, "a", "da stands where dz_a belongs", "da0 = Wh.T @ dz_a[1]"),
        ({"dh0_from": "first"}, "a", "da of the first step itself", "da0 = Wh.T @ dz_a[1]"),
    ],
)
def test_wrong_gradients_by_inputs_and_initial_states_are_explained(told, name, text, fix):
    report = check(
        from_above(**told), names={"Wx": "W_ax", "Wh": "W_aa", "b": "b_a"}, layout="rows",
        calls=[("forward", "x", "a", "Wx", "Wh", "b"), ("backward", "y", "cache")],
        returns="dx da0 dWx dWh db",
    )  # fmt: skip
    assert [n for n, g in report.gradients.items() if not g.ok] == [name]
    why = report.gradients[name].why
    assert text in why.text
    assert why.fix == fix


@pytest.mark.parametrize("turned_back", [True, False])
def test_a_layer_of_two_directions_of_one_size(turned_back):
    forward, backward = from_above()

    def both_forward(x, p):
        a, one = forward(x, p["a"], p["Wx"], p["Wh"], p["b"])
        c, two = forward(x[::-1], p["c"], p["Vx"], p["Vh"], p["d"])
        return np.concatenate([a, c[::-1]], axis=1), (one, two)

    def both_backward(dh, cache):
        n = dh.shape[1] // 2
        second = dh[::-1, n:] if turned_back else dh[:, n:]
        dWx, dWh, db = backward(dh[:, :n], cache[0])[2:]
        return (dWx, dWh, db, *backward(second, cache[1])[2:])

    def start(x, a_fwd, a_bwd, params):
        return both_forward(x, {**params, "a": a_fwd, "c": a_bwd})

    ways = {"Wx": "W_ax_fwd", "Wh": "W_aa_fwd", "b": "b_a_fwd",
            "Vx": "W_ax_bwd", "Vh": "W_aa_bwd", "d": "b_a_bwd"}  # fmt: skip
    report = check(
        (start, both_backward), rs.elman(bidirectional=True), names=ways, layout="rows",
        calls=[("start", "x", "a_fwd", "a_bwd", "params"), ("both_backward", "y", "cache")],
        returns="dWx dWh db dVx dVh dd",
    )  # fmt: skip
    assert report.ok == turned_back
    assert "n_a_bwd = n_a_fwd" in report.equal
    wrong = [n for n, g in report.gradients.items() if not g.ok]
    assert wrong == ([] if turned_back else ["W_aa_bwd", "W_ax_bwd", "b_a_bwd"])


def squared(p, x, y, initial, last=False):
    """A network of one output, its target without an axis for it; with one output, a number."""
    hs = [initial["h"]]
    for v in x:
        hs.append(np.tanh(p["W"] @ hs[-1] + p["U"] @ v + p["b"]))
    out = [(p["V"] @ h + p["c"])[0] for h in hs[1:]]
    errors = [0.0] * (len(x) - 1) + [out[-1] - y] if last else list(out - y)
    d, later = {k: 0 * v for k, v in p.items()}, 0
    for t in reversed(range(len(x))):
        dz = (p["V"][0] * errors[t] + later) * (1 - hs[t + 1] ** 2)
        d["W"] += np.outer(dz, hs[t])
        d["U"] += np.outer(dz, x[t])
        d["b"] += dz
        d["V"] += errors[t] * hs[t + 1][None]
        d["c"] += errors[t]
        later = p["W"].T @ dz
    return d


@pytest.mark.parametrize("last", [False, True])
def test_targets_that_are_numbers(last):
    at = "T" if last else "t"
    net = rs.Network("h[t] = tanh(W @ h[t-1] + U @ x[t] + b)", f"p[{at}] = V @ h[{at}] + c",
                     loss="squared_error")  # fmt: skip

    def gradient(p, x, y, initial):
        assert isinstance(y, float) if last else y.shape == (len(x),)
        return squared(p, x, y, initial, last)

    assert check(gradient, net, squeeze="y").ok
    with pytest.raises(rs.InputError, match="n_y is 1"):
        check(gradient, net, squeeze="y", sizes={"n_y": 2})
    with pytest.raises(rs.InputError, match="squeeze: unknown 'z'"):
        check(gradient, net, squeeze="z")
