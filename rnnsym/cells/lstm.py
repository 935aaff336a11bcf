"""Long short-term memory (Hochreiter & Schmidhuber 1997, Neural Computation 9), with the forget
gate of Gers, Schmidhuber & Cummins 2000 (Neural Computation 12) and no peepholes.

PyTorch's `nn.LSTM` computes the same: its W_ih, W_hh and b_ih + b_hh hold the rows of the gates
i, f, g, o in this order, which are W_ix, W_fx, W_cx, W_ox and so on (its g is our c̃).
"""

from rnnsym.cells.cell import Cell, Gate, TorchModule

_HIDDEN = {
    "a": "h", "W_ya": "W_hy",
    "W_fa": "W_hf", "W_fx": "W_xf", "W_ia": "W_hi", "W_ix": "W_xi",
    "W_oa": "W_ho", "W_ox": "W_xo", "W_ca": "W_hc", "W_cx": "W_xc",
}  # fmt: skip

CELL = Cell(
    name="lstm",
    title="LSTM network",
    source="Hochreiter & Schmidhuber 1997; forget gate of Gers, Schmidhuber & Cummins 2000",
    equations=lambda o: f"""
        f[t] = sigmoid(W_fa @ a[t-1] + W_fx @ x[t] + b_f)
        i[t] = sigmoid(W_ia @ a[t-1] + W_ix @ x[t] + b_i)
        o[t] = sigmoid(W_oa @ a[t-1] + W_ox @ x[t] + b_o)
        c_tilde[t] = {o["activation"]}(W_ca @ a[t-1] + W_cx @ x[t] + b_c)
        c[t] = f[t] * c[t-1] + i[t] * c_tilde[t]
        a[t] = o[t] * {o["activation"]}(c[t])
    """,
    notations={
        "post": {"z_c_tilde": "z_c", "z_y_hat": "z_y"},
        "goodfellow": {
            "a": "h", "c": "s", "i": "g", "o": "q", "c_tilde": "s_tilde", "W_ya": "V", "b_y": "c",
            "W_fa": "W^f", "W_fx": "U^f", "b_f": "b^f", "W_ia": "W^g", "W_ix": "U^g", "b_i": "b^g",
            "W_oa": "W^o", "W_ox": "U^o", "b_o": "b^o", "W_ca": "W", "W_cx": "U", "b_c": "b",
            "z_c_tilde": "z_s", "z_i": "z_g", "z_o": "z_q", "z_y_hat": "o", "s": "v",
        },
        "d2l": _HIDDEN | {"W_ya": "W_hq", "b_y": "b_q", "z_c_tilde": "z_c", "z_y_hat": "z_q"},
        "pytorch": {
            "a": "h", "c_tilde": "g",
            "W_fa": "W_hf", "W_fx": "W_if", "W_ia": "W_hi", "W_ix": "W_ii",
            "W_oa": "W_ho", "W_ox": "W_io", "W_ca": "W_hg", "W_cx": "W_ig", "b_c": "b_g",
            "W_ya": "W_out", "b_y": "b_out", "z_c_tilde": "z_g", "z_y_hat": "z_out",
        },
        "karpathy": _HIDDEN | {"y_hat": "p", "z_c_tilde": "z_c", "z_y_hat": "y", "y": "k"},
    },
    reference="lstm",
    torch=TorchModule(
        "LSTM",
        (
            Gate("W_ix", "W_ia", "b_i"),
            Gate("W_fx", "W_fa", "b_f"),
            Gate("W_cx", "W_ca", "b_c"),
            Gate("W_ox", "W_oa", "b_o"),
        ),
        options={"activation": "tanh"},
    ),
)  # fmt: skip
