"""The source of the functions that check a module's arguments, as it stands in every module.

Text for `rnnsym.emit.arguments`, which writes the tables that these functions read.
"""

from __future__ import annotations

HELPERS = '''
def _converted(arrays):
    """The arrays as float64, or as float32 where no wider floating-point numbers are given."""
    arrays = [np.asarray(array) for array in arrays]
    for name, array in zip(SHAPES, arrays, strict=True):
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} is an array of {array.dtype}, expected real numbers")
    kinds = [array.dtype for array in arrays if array.dtype.kind == "f"]
    dtype = np.result_type(*kinds, np.float32) if kinds else FLOAT64
    return [array.astype(dtype, copy=False) for array in arrays]


def _check_finite(arrays):
    """Raise a ValueError for a NaN or an infinite number."""
    for (name, shape), array in zip(SHAPES.items(), arrays, strict=True):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} {shape} holds a NaN or an infinite number")
'''

CHECK_SHAPES = '''
def _check_shapes(given, expected=None):
    """Raise a ValueError for the first array of a wrong shape, or of a wrong number of axes."""
    for i, (name, shape) in enumerate(SHAPES.items()):
        axes = shape.count(",") + (shape[-2] != ",")
        wanted = "" if expected is None else f" = {expected[i]}"
        timed = shape.startswith("(T")
        if given[i] != expected[i] if expected else len(given[i]) not in (axes, axes - timed):
            also = shape.replace(" B,", "") + " or " if timed and len(wanted.split(",")) < 3 else ""
            raise ValueError(f"{name} has shape {given[i]}, expected {also}{shape}{wanted}")
'''

#: the same where there are several lengths: each is that of the first array that has it
CHECK_LENGTHS = '''
def _check_shapes(given, expected=None):
    """Raise a ValueError for the first array of a wrong shape, or of a wrong number of axes."""
    series = {name: shape.split(",")[0] for name, shape in SHAPES.items() if " B," in shape}
    for (name, shape), own, wanted in zip(
        SHAPES.items(), given, expected or [None] * len(given), strict=True
    ):
        axes = shape.count(",") + (shape[-2] != ",")
        if own == wanted or (wanted is None and len(own) in (axes, axes - (name in series))):
            continue
        message = f"{name} has shape {own}, expected "
        message += (shape.replace(" B,", "") + " or ") * (name in series) + shape
        if wanted is not None:
            message += f" = {wanted}"
            if name in series and own[0] != wanted[0]:
                first = next(other for other, steps in series.items() if steps == series[name])
                message += f", as many steps as {first}" if first != name else ""
            elif name in series and own[1:-1] != wanted[1:-1]:
                message += f", a batch like that of {next(iter(series))}"
        raise ValueError(message)
'''

STATE_HELPERS = '''
def _initial_states(initial, batch, *sizes):
    """The initial states in the order of STATES, 0 for those left out."""
    if not initial.keys() <= set(STATES):
        raise ValueError(f"initial: {sorted(map(str, initial))}, expected some of {STATES}")
    states = []
    for name, size in zip(STATES, sizes, strict=True):
        state = np.asarray(initial.get(name, 0.0))
        if name in initial and state.shape not in ((size,), (*batch, size)):
            expected = f"({size},)" + (f" or {(*batch, size)}" if batch else "")
            raise ValueError(f"initial {name} has shape {state.shape}, expected {expected}")
        if state.dtype.kind not in "biuf" or not np.isfinite(state).all():
            raise ValueError(f"initial {name}: expected {size} finite real numbers")
        states.append(state)
    return states
'''

DISTRIBUTION = '''
def _check_distribution(name, array):
    """Raise a ValueError unless the entries of every step are a distribution."""
    excess = array.sum(axis=-1).ravel()
    excess -= 1
    if not excess.dot(excess) <= 1e-12 and not abs(excess).max() <= 1e-6:
        raise ValueError(f"{name}: the entries of each step must sum to 1 (within 1e-6)")
    if array.min() < 0:
        raise ValueError(f"{name}: the entries of each step are a distribution, none below 0")
'''
