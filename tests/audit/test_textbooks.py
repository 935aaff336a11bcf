"""Notations of well-known books, courses and papers: what is right is true, what is wrong false.

The documents are written for these tests; their notations are those of Ng's course, Grosse's
and Mallya's notes, Greff et al. (LSTM: a search space odyssey), Qiu's book, Chen's tutorial, the
Stanford courses CS224n and CS231n.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnsym as rs
from rnnsym.claims.guard import OWN_ERROR

FOLDER = Path(__file__).parent / "textbooks"

#: document -> the verdicts on its claims in their order: t, f, u(nknown), - (not read)
EXPECTED = {
    "einstein.md": "ttt",
    "entries_below.md": "tf",
    "forgotten_sign.md": "tt",
    "functions_of_time.md": "ttf",
    "labels_before.md": "tft",
    "one_equation.md": "tttf",
    "sizes_and_overlines.md": "ttttt",
    "steps_to_S.md": "tt",
    "two_steps.md": "ttt",
    "bounds.md": "ttfttt",
    "loss_of_time.md": "tttttt",
    "d_before_names_lstm.md": "ttttttttttf",
    "d_before_names.md": "t",
    "bar_at_step.md": "tttttttt",
    "longest_path.md": "tfftt",
    "families.md": "tt",
    "any_weight.md": "tttftf",
    "peepholes_star.md": "tttttttttttttf",
    "bars.md": "tttttttuttf",
    "plus_equals.md": "tttttttttttf",
    "gates_in_one.md": "ttt",
    "two_times.md": "ttt-tttttttf",
    "updates.md": "tttf",
    # what is no claim; what custom leaves out; names and functions of which nothing is known
    "choices.md": "ttf",
    "no_output.md": "tttu",
    "missing_activation.md": "ttt",
    "lstm_in_words.md": "tttu",
    "now.md": "ttf",
    "abstract.md": "ttttf",
    "descent.md": "tttf",
    "diagonals.md": "tttft",
    "in_general.md": "ttt",
    # arguments, steps and weights that are left out; what is supposed in another language
    "left_out.md": "tttttttfttt",
    "only_the_last.md": "ttf",
    # parts of gradients by their words; one step's loss; numbers; two cells in one document
    "parts_by_words.md": "ttttttft",
    "passed_back.md": "tttu",
    "loss_of_one_step.md": "ttttf",
    "worked_example.md": "ttttftttf",
    "dots_and_macros.md": "tttf",
    "steps_in_brackets.md": "ttt",
    "jacobians_by_name.md": "tttf",
    # gradients that words name, times in brackets, layers by a letter, the last step alone
    "named_in_words.md": "ttft",
    "at_the_arguments.md": "ttftt",
    "sampled_signals.md": "tttft",
    "layers_by_letter.md": "ttf",
    "classifier_in_rows.md": "ttfttf",
    "rectified.md": "ttftf",
    "special_cases.md": "utf",
    "next_words.md": "ttf",
    "classes.md": "ttf",
    "dollars_and_brackets.md": "tf",
    "softplus_by_formula.md": "ttf",
    "leaks.md": "tf",
    "weight_decay.md": "ttff",
    "two_steps_by_hand.md": "ttttttff",
    "a_sequence_in_numbers.md": "ttttt",
    "before_a_derivative.md": "ttf",
    "two_cells.md": "tt",
    "transition.md": "tt",
    "by_value.md": "tt",
    "star_targets.md": "tttf",
    "bias_and_cell.md": "tttt",
    "primed.md": "tttf",
    "implicit_sums.md": "tttf",
    "of_a_value.md": "ft",
}


def verdicts(name: str) -> str:
    found = rs.audit(FOLDER / name).formulas
    assert not [f for f in found if OWN_ERROR in f.message]
    letters = {"true": "t", "false": "f", "unknown": "u", "unreadable": "-"}
    return "".join(letters[f.verdict] for f in found if f.verdict is not None)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_textbook(name: str) -> None:
    assert verdicts(name) == EXPECTED[name]
