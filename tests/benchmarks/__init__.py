"""Benchmarks: ``python -m tests.benchmarks [--json FILE] [SECTION …]``.

Ratios are of medians, for what takes long of minima, of interleaved repetitions in one process and
one thread. This file limits the threads before anything imports NumPy.
"""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
