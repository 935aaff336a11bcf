"""The report: JSON with the keys of the contract, text for a terminal, safe HTML."""

from __future__ import annotations

import json

import rnnsym as rs
from rnnsym.codecheck import CodeReport, Diagnosis, Judged, Sensitivity, check_gradient
from tests.codecheck import samples


def report():
    why = Diagnosis(("missing transpose",), "W <script>", "da[t] = 0")
    return CodeReport(
        "elman",
        {
            "W_aa": Judged("wrong", 0.5, str(why), 2, "T = 2", "Whh", why),
            "b_a": Judged("wrong", float("inf"), str(why), 2, "T = 2", "bh", why),
            "W_ya": Judged("right", 1e-16),
            "b_y": Judged("missing", None, "missing: no gradient"),
        },
        loss=Judged("right", 0.0),
        notes=["a note"],
        points=["T = 1, n_a = 5", "T = 2, n_a = 5", "T = 5, n_a = 3"],
        sensitivity=Sensitivity({"sign": 2e6, "zero": 3e5}, 10, 12, 1e-6),
        function="f",
    )


def test_json_has_the_keys_of_the_contract():
    found = json.loads(json.dumps(report().as_json()))
    assert {"model", "ok", "gradients"} <= set(found)
    assert found["ok"] is False
    assert found["gradients"]["W_aa"]["verdict"] == "wrong"
    assert found["gradients"]["W_aa"]["error"] == 0.5
    assert found["gradients"]["b_a"]["error"] is None  # JSON knows no infinity
    assert (
        found["gradients"]["b_y"] | {"verdict": "missing", "error": None}
        == (found["gradients"]["b_y"])
    )
    assert found["gradients"]["W_ya"]["diagnosis"] is None
    assert found["sensitivity"]["smallest"][0] == {"kind": "zero", "factor": 3e5}


def test_text():
    lines = report().text().splitlines()
    assert lines[0] == "f against elman: 2 of 4 gradients wrong, 1 missing"
    assert "W_aa      Whh    ✗ wrong    5.0e-01  T = 2" in lines
    assert "W_aa, b_a: W <script>. Write da[t] = 0" in lines
    assert "called at T = 1, 2, 5; all sizes different" in lines
    assert "note: a note" in lines
    assert "10 of 12 looked at" in " ".join(report().text().split())
    assert str(report()) == report().text()


def test_html_escapes_everything():
    found = report()._repr_html_()
    assert "<script>" not in found
    assert "W &lt;script&gt;" in found


def test_an_empty_report_does_not_pass():
    assert not CodeReport("elman", {}).ok


def test_a_real_one_reads_well():
    text = check_gradient(samples.plain, rs.elman()).text()
    assert text.startswith("plain against elman: every gradient is right")
    assert max(map(len, text.splitlines())) <= 100
    assert "sensitivity: each of" in text
