"""The built-in cells: one file each, its equations and nothing else.

Read by `rnnsym.models`. A new cell is a new file here with a `CELL`, named in CELLS.
"""

from rnnsym.cells import elman, gru, lstm
from rnnsym.cells.cell import Cell, Gate, TorchModule

CELLS: dict[str, Cell] = {cell.name: cell for cell in (elman.CELL, lstm.CELL, gru.CELL)}

__all__ = ["CELLS", "Cell", "Gate", "TorchModule"]
