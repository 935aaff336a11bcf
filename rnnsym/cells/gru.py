"""Gated recurrent unit (Cho et al. 2014, EMNLP, arXiv 1406.1078, eqs. 5-8).

The update gate keeps the old state: a = u ⊙ a⟨t-1⟩ + (1 - u) ⊙ ã. Two variants of the reset gate:
before the product, W_aa (r ⊙ a⟨t-1⟩), as in the paper; after it, r ⊙ (W_aa a⟨t-1⟩ + b_aa), as in
cuDNN and PyTorch. `nn.GRU` is reset=after, with the rows of W_ih, W_hh in the order r, z, n:
its z is our u, its n our ã; b_a = b_in, b_aa = b_hn, b_u = b_iz + b_hz, b_r = b_ir + b_hr.
"""

from collections.abc import Mapping

from rnnsym.cells.cell import Cell, Gate, TorchModule


def _equations(o: Mapping[str, str]) -> str:
    inner = {
        "before": "W_aa @ (r[t] * a[t-1]) + W_ax @ x[t] + b_a",
        "after": "W_ax @ x[t] + b_a + r[t] * (W_aa @ a[t-1] + b_aa)",
    }[o["reset"]]
    return f"""
        u[t] = sigmoid(W_ua @ a[t-1] + W_ux @ x[t] + b_u)
        r[t] = sigmoid(W_ra @ a[t-1] + W_rx @ x[t] + b_r)
        a_tilde[t] = {o["activation"]}({inner})
        a[t] = u[t] * a[t-1] + (1 - u[t]) * a_tilde[t]
    """


_HIDDEN = {
    "a": "h", "a_tilde": "h_tilde", "u": "z", "W_ya": "W_hy",
    "W_ua": "W_hz", "W_ux": "W_xz", "b_u": "b_z", "W_ra": "W_hr", "W_rx": "W_xr",
    "W_aa": "W_hh", "W_ax": "W_xh", "b_a": "b_h", "b_aa": "b_hh",
    "z_u": "v_z", "z_r": "v_r", "z_a_tilde": "v_h",
}  # fmt: skip

CELL = Cell(
    name="gru",
    title="GRU network",
    source="Cho et al. 2014; reset=after as in cuDNN and PyTorch",
    equations=_equations,
    options={"reset": ("before", "after")},
    notations={
        "post": {"z_a_tilde": "z_a", "z_y_hat": "z_y"},
        "goodfellow": {
            "a": "h", "a_tilde": "h_tilde", "W_ya": "V", "b_y": "c",
            "W_ua": "W^u", "W_ux": "U^u", "b_u": "b^u", "W_ra": "W^r", "W_rx": "U^r", "b_r": "b^r",
            "W_aa": "W", "W_ax": "U", "b_a": "b", "b_aa": "b^h", "z_a_tilde": "z", "z_y_hat": "o",
        },
        "d2l": _HIDDEN | {"W_ya": "W_hq", "b_y": "b_q", "z_y_hat": "o"},
        "pytorch": {
            "a": "h", "a_tilde": "n", "u": "z", "W_ya": "W_out", "b_y": "b_out",
            "W_ua": "W_hz", "W_ux": "W_iz", "b_u": "b_z", "W_ra": "W_hr", "W_rx": "W_ir",
            "W_aa": "W_hn", "W_ax": "W_in", "b_a": "b_in", "b_aa": "b_hn",
            "z_u": "v_z", "z_r": "v_r", "z_a_tilde": "v_n", "z_y_hat": "o",
        },
        "karpathy": _HIDDEN | {"y_hat": "p", "z_y_hat": "y", "y": "k"},
    },
    reference="gru",
    torch=TorchModule(
        "GRU",
        (
            Gate("W_rx", "W_ra", "b_r"),
            Gate("W_ux", "W_ua", "b_u"),
            Gate("W_ax", "W_aa", "b_a", "b_aa"),
        ),
        options={"activation": "tanh", "reset": "after"},
    ),
)  # fmt: skip
