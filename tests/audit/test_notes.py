"""Short notes in many notations, a third of their claims wrong: nothing right is called false, and
nothing wrong true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trial import facts, measure

FOLDER = Path(__file__).parents[1] / "trial" / "notes"
NOTES = facts(FOLDER)


@pytest.mark.parametrize("entry", NOTES, ids=[e["document"] for e in NOTES])
def test_a_note(entry):
    row = measure(entry, FOLDER)
    assert (row.alarms, row.accepted) == (0, 0), row.remarks
