"""An audit as an HTML page: the document's formulas with marks, readings, diagnoses, corrections.

End of the flow of `rnnsym.audit`. One file without script; everything that came from the document
is escaped, and formulas are MathML of a closed set of elements, or their source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from rnnsym.audit.result import Audit, Finding
from rnnsym.claims.verdict import counterexample_text
from rnnsym.documents.html import POLICY, escape
from rnnsym.documents.mathml import converter
from rnnsym.documents.style import CSS
from rnnsym.errors import UnavailableError

_STYLE = """\
.summary { display: flex; flex-wrap: wrap; gap: .4em 1.4em; list-style: none; padding: 0; }
.finding { border-left: .3rem solid var(--line); margin: 1em 0; padding: .1em 0 .1em 1em; }
.finding.true { border-color: var(--good); } .finding.false { border-color: var(--bad); }
.finding.unknown, .finding.unreadable { border-color: var(--faint); }
.finding > p, .finding dl { margin: .35em 0; font-size: .95rem; }
.finding .formula { overflow-x: auto; font-size: 1.05rem; }
.place { color: var(--faint); font-variant-numeric: tabular-nums; }
.mark { font-weight: 700; } .true .mark { color: var(--good); } .false .mark { color: var(--bad); }
dt { float: left; clear: left; min-width: 8.5em; color: var(--faint); } dd { margin-left: 8.5em; }
dd .formula { font-size: 1rem; } .plain { font-size: .95rem; color: var(--faint); }
details summary { cursor: pointer; margin-top: 2em; }
"""

WORDS = {
    "true": "true", "false": "false", "unknown": "could not be decided",
    "unreadable": "could not be read",
}  # fmt: skip
_MARKS = {"true": "✓", "false": "✗", "unknown": "?", "unreadable": "!"}
#: what math-core makes; anything else is shown as source
_TAGS = re.compile(r"</?(math|m[a-z]+|semantics|annotation)[\s/>]")
_LABELS = re.compile(r"\\(label|tag\*?|eqref)\s*\{[^{}]*\}|\\(nonumber|notag)\b")


def page(audit: Audit) -> str:
    """The audit as a page of its own.

    Raises UnavailableError where math-core is not installed.
    """
    converter()
    title = f"Audit of {audit.document}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{CSS}{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n{fragment(audit)}\n</main>\n</body>\n</html>\n"
    )


def fragment(audit: Audit) -> str:
    """What the page shows, for a notebook."""
    judged = [f for f in audit.formulas if f.verdict is not None or f.diagnosis]
    others = [f for f in audit.formulas if not (f.verdict is not None or f.diagnosis)]
    parts = [_summary(audit), *map(_finding, sorted(judged, key=_rank))]
    if not judged:
        parts.append("<p>No formula of this document claims anything that could be judged.</p>")
    if others:
        rows = "\n".join(map(_plain, others))
        parts.append(
            f"<details><summary>{len(others)} formulas that define or name something</summary>\n"
            f"{rows}\n</details>"
        )
    if audit.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in audit.notes)
        parts.append(f"<h2>Notes</h2>\n<ul>{items}</ul>")
    return "\n".join(parts)


def _rank(finding: Finding) -> tuple[int, int, int]:
    """Wrong formulas first, then in the order of the document."""
    return finding.verdict != "false", finding.cell or 0, finding.line


def _summary(audit: Audit) -> str:
    s = audit.summary
    counts = [
        (s["formulas"], "formulas"), (s["claim"], "claims"), (s["true"], "true"),
        (s["false"], "false"), (s["unknown"], "not decided"), (s["unreadable"], "not read"),
    ]  # fmt: skip
    items = "".join(f"<li><strong>{n}</strong> {what}</li>" for n, what in counts)
    equations = "".join(f"<li><code>{escape(e)}</code></li>" for e in audit.equations)
    network = f"<details><summary>the network</summary><ul>{equations}</ul></details>"
    return (
        f'<ul class="summary">{items}</ul>\n<p class="lead">Network: {escape(audit.model)}.</p>\n'
        + (network if audit.equations else "")
    )


def _finding(finding: Finding) -> str:
    verdict = finding.verdict or "false"
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in _rows(finding))
    return (
        f'<section class="finding {verdict}">\n<p><span class="place">{_place(finding)}</span> '
        f'<span class="mark">{_MARKS[verdict]} {WORDS[verdict]}</span></p>\n'
        f'<div class="formula" tabindex="0">{_math(finding.latex, True)}</div>\n'
        f"<dl>{rows}</dl>\n</section>"
    )


def _rows(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.reading:
        yield "when", _prose(finding.reading)
    if finding.diagnosis:
        yield "what is wrong", _prose(finding.diagnosis)
    if finding.correction:
        right = _math(finding.marked or finding.correction, True)
        yield "right would be", f'<div class="formula" tabindex="0">{right}</div>'
    elif finding.verdict != "true" and finding.message and not finding.diagnosis:
        yield "because", _prose(finding.message)
    if finding.counterexample:
        yield "for example", escape(counterexample_text(finding.counterexample))
    if finding.evidence:
        yield "evidence", escape(finding.evidence)


def _place(finding: Finding) -> str:
    cell = f"cell {finding.cell}, " if finding.cell is not None else ""
    return f"{cell}line {finding.line}"


def _plain(finding: Finding) -> str:
    return (
        f'<p class="plain"><span class="place">{_place(finding)}</span> '
        f"{escape(finding.role)}: {_math(finding.latex, False)}</p>"
    )


def _prose(text: str) -> str:
    """Words with formulas between dollars, or with commands of LaTeX among them."""
    pieces = re.split(r"\$([^$]+)\$", text)
    return "".join(_math(p, False) if i % 2 else escape(p) for i, p in enumerate(pieces))


def _math(latex: str, displayed: bool) -> str:
    source = _LABELS.sub("", latex).strip()
    if r"\begin" not in source and (r"\\" in source or "&" in source):
        source = rf"\begin{{aligned}}{source}\end{{aligned}}"
    return _mathml(source, displayed) or f"<code>{escape(latex)}</code>"


@cache
def _mathml(source: str, displayed: bool) -> str | None:
    """MathML, or None for what math-core cannot read or would make other elements of."""
    try:
        found = converter()(source, displayed)
    except UnavailableError:
        return None
    except Exception as error:  # math-core has one error of its own
        if "math_core" not in type(error).__module__:
            raise
        return None
    if _TAGS.sub("", found).count("<") or "javascript:" in found.lower():
        return None
    return found
