"""The standard recurrent cell (Elman 1990, "Finding structure in time", Cognitive Science 14).

PyTorch's `nn.RNN` computes the same with W_ih = W_ax, W_hh = W_aa, b_ih + b_hh = b_a.
"""

from rnnsym.cells.cell import Cell, Gate, TorchModule

CELL = Cell(
    name="elman",
    title="Elman network",
    source="Elman 1990; notation of Ng's course",
    equations=lambda o: f"a[t] = {o['activation']}(W_aa @ a[t-1] + W_ax @ x[t] + b_a)",
    notations={
        "post": {"z_a": "z", "z_y_hat": "z_y"},
        "goodfellow": {
            "a": "h", "W_aa": "W", "W_ax": "U", "W_ya": "V", "b_a": "b", "b_y": "c",
            "z_a": "a", "z_y_hat": "o",
        },
        "d2l": {
            "a": "h", "W_aa": "W_hh", "W_ax": "W_hx", "W_ya": "W_qh", "b_a": "b_h", "b_y": "b_q",
            "z_a": "z", "z_y_hat": "o",
        },
        "pytorch": {
            "a": "h", "W_aa": "W_hh", "W_ax": "W_ih", "W_ya": "W_ho", "b_a": "b_h", "b_y": "b_o",
            "z_a": "z", "z_y_hat": "o",
        },
        "karpathy": {
            "a": "h", "W_aa": "W_hh", "W_ax": "W_xh", "W_ya": "W_hy", "b_a": "b_h", "b_y": "b_y",
            "y_hat": "p", "z_a": "z", "z_y_hat": "y", "y": "k",
        },
    },
    reference="elman",
    torch=TorchModule(
        "RNN",
        (Gate("W_ax", "W_aa", "b_a"),),
        keywords={"activation": ("nonlinearity", ("tanh", "relu"))},
    ),
)  # fmt: skip
