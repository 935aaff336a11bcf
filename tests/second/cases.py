"""What the tests of the second reader share: cases at small sizes, and whether it is installed."""

from __future__ import annotations

import pytest

import rnnsym as rs
from rnnsym.errors import UnavailableError
from rnnsym.second.components import Components
from rnnsym.second.kind import Numbers
from rnnsym.second.reading import require
from rnnsym.verify.adjoints import derived_system
from rnnsym.verify.case import Case, make_case


def _reason() -> str:
    try:
        require()
    except UnavailableError as error:
        return str(error)
    return ""


needs_reader = pytest.mark.skipif(bool(_reason()), reason=_reason() or "installed")


def small_case(model, steps=2, size=2) -> Case:
    """A case of a model, by its name or as a network, with all sizes the same."""
    net = rs.model(model) if isinstance(model, str) else model
    return make_case(net, steps, dict.fromkeys(net.sizes, size), 0, lambda *_: {})


def components_of(case: Case) -> tuple[Components, Numbers]:
    system = derived_system(case.net)
    return Components(case.net, case.symbols, system), Numbers(case, system)
