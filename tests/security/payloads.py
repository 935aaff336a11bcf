"""Formulas that are meant to break a reader or a judge: hang it, fill its memory, run code.

Used by `test_payloads`. A payload says the words of the limit that must stop it, where one must.
Sources of the first group: what broke latex2sympy2, SymPy's parsers and lambdify when tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Definition:
    """A macro of a document."""

    body: str
    arguments: int = 0
    default: str | None = None


@dataclass(frozen=True)
class Payload:
    """A hostile formula; `says`: what the message must contain."""

    name: str
    latex: str
    says: str = ""
    macros: dict[str, Any] = field(default_factory=dict)


#: right sides that would make a claim of what stands alone
A = r"a^{\langle t\rangle}"


def nested(before: str, inner: str, after: str, depth: int) -> str:
    """`inner` between `depth` repetitions of two texts."""
    return before * depth + inner + after * depth


def known() -> Iterator[Payload]:
    """What broke other parsers."""
    yield Payload("huge float", f"{A} = 1E999999999")
    yield Payload("binomial", rf"\binom{{100000000}}{{50000000}} = {A}", "not known to the reader")
    yield Payload("gcd", r"\gcd(9^{9^{9}},3) = 3", "not known to the reader")
    yield Payload("tower", f"9^{{9^{{9^9}}}} = {A}")
    yield Payload("tower on the right", f"{A} = 9^{{9^{{9^9}}}}")
    yield Payload("factorial", f"99999999! = {A}", "factorials are not read")
    yield Payload("factorials", f"10!!!!!! = {A}", "factorials are not read")
    yield Payload("exp of a tower", rf"\exp(9^{{9^{{9}}}}) = {A}")
    yield Payload("evaluated at", r"x^{x}|_{x=999999999} = 1")
    yield Payload("tower of x", nested("x^{", "x", "}", 20) + " = 1")
    eight = r"\\".join("&".join(f"x_{{{i},{j}}}" for j in range(8)) for i in range(8))
    yield Payload("vmatrix", rf"\begin{{vmatrix}}{eight}\end{{vmatrix}} = 1")
    yield Payload("60 parentheses", nested("(", "x", ")", 60) + " = x", "nested more than")
    yield Payload("1,000 braces", nested("{", "x", "}", 1000) + " = x", "nested more than")
    yield Payload("200 fractions", nested(r"\frac{1}{", "x", "}", 200) + " = x", "nested more than")
    yield Payload("10 tanh", nested(r"\tanh(", A, ")", 10) + f" = {A}")
    yield Payload("bars", nested("|", "x", "|", 20) + " = x")
    yield Payload("left right bars", nested(r"\left|", A, r"\right|", 20) + " \\ge 0")
    yield Payload("x 1,000 times", "x " * 1000 + "= 1")
    yield Payload("x 3,000 times", "x_t " * 1500 + "= 1")
    yield Payload("an equation to solve", "x^5 + x^4 + x + 1 = 0")
    yield Payload("dx", "dx = dx")
    yield Payload("call in a script", "h_{t,exit(7)} = h_t")
    shell = "__import__('os').system('touch PWNED')"
    yield Payload("import in mathrm", rf"\mathrm{{{shell}}} = 1")
    tabs = "__import__\t(\t'os'\t)\t.\tsystem\t(\t'touch\tPWNED'\t)"
    yield Payload("import with tabs", rf"\mathrm{{{tabs}}} = 1")
    yield Payload("import in a script", f"h_{{{shell}}} = 1")
    yield Payload("200,000 x", "x" * 200_000, "200,000 characters")
    yield Payload("200,000 braces", "{" * 200_000, "200,000 characters")
    yield Payload("200,000 backslashes", "\\" * 200_000, "200,000 characters")
    yield Payload("200,000 spaces", " " * 200_000, "200,000 characters")


def sized() -> Iterator[Payload]:
    """One for each limit of the reader, just beyond it or far."""
    yield Payload("length", "x" * 20_001, "20,001 characters, at most 20,000")
    yield Payload("tokens", "x+" * 3_100 + "x", "more than 6,000 tokens")
    yield Payload("digits", "1" * 31 + f" = {A}", "more than 30 digits")
    yield Payload("decimals", "0." + "1" * 40 + f" = {A}", "more than 30 digits")
    yield Payload("large number", "1000000000001 = x_t", "a number beyond 10")
    yield Payload("small number", "0.00000000000001 = x_t", "a number beyond 10")
    for name, before, after in (
        ("parentheses", "(", ")"), ("braces", "{", "}"), ("square brackets", "[", "]"),
        ("set braces", r"\{", r"\}"), ("angles", r"\langle ", r"\rangle "),
        ("lefts", r"\left(", r"\right)"), ("roots", r"\sqrt{", "}"),
        ("fractions above", r"\frac{", "}{1}"), ("hats", r"\hat{", "}"), ("boxes", r"\boxed{", "}"),
        ("texts", r"\text{", "}"), ("norms", r"\lVert ", r"\rVert "),
        ("braces over", r"{1 \over ", "}"),
    ):  # fmt: skip
        yield Payload(f"41 {name}", nested(before, "x", after, 41) + " = x", "nested more than 40")
        yield Payload(f"2,000 open {name}", before * 2000 + "x = x")
        yield Payload(f"39 {name}", nested(before, "x_t", after, 39) + " = x_t")
    yield Payload("scripts", nested("x_{", "t", "}", 41) + " = x", "nested more than 40")
    yield Payload("superscripts", nested("x^{", "t", "}", 39) + " = x_t")
    yield Payload("e to e", nested("e^{", "x_t", "}", 39) + " = 1")
    yield Payload("2 to 2", nested("2^{", "2", "}", 39) + f" = {A}")
    rows = r"\begin{cases}", r"\end{cases}"
    yield Payload("environments", nested(rows[0], "x", rows[1], 45) + " = x", "nested more than 40")
    yield Payload("open environments", rows[0] * 30 + "x = x")
    yield Payload("only ends", r"\end{cases}" * 500)
    yield Payload("entries", r"\begin{matrix}" + "x&" * 150 + r"x\end{matrix} = x", "100 entries")
    yield Payload(
        "many entries", r"\begin{matrix}" + (r"x&x&x\\" * 60) + r"x\end{matrix} = x", "100"
    )
    yield Payload("exponent", f"{A}^{{65}} = {A}")
    yield Payload("exponents of scalars", f"({A})^{{999999999}} = {A}", "an exponent beyond 64")
    yield Payload("negative exponent", f"W_{{aa}}^{{-99999}} = {A}", "an exponent beyond 64")
    yield Payload("exponent T", f"({A})^{{1000000 T}} = {A}", "an exponent beyond 64")
    yield Payload("scripts of one symbol", "a_{" + ",".join("1" * 40) + "} = 1", "scripts")
    yield Payload("tokens of one script", "a_{" + "k" * 400 + "} = 1")
    yield Payload("open angles", "a^{" + "<" * 5000 + ">} = 1")
    yield Payload("relations", "=".join([A] * 400), "relations")
    yield Payload(
        "false relations", f"{A} = " + "=".join(f"{k}x_t" for k in range(400)), "relations"
    )
    yield Payload("statements", ", ".join(["x_t = x_t"] * 700), "relations")
    yield Payload("rows", r"\\".join(["x_t &= x_t"] * 600), "relations")


def slow() -> Iterator[Payload]:
    """What takes exponential or quadratic time in a reader that tries twice."""
    yield Payload("nested d", nested("d(", "x", ")", 39) + " = 1")
    yield Payload("nested d with slash", nested("d(", "x", ")/d", 30) + " = 1")
    yield Payload("nested d in braces", nested("d{", "x", "}", 39) + " = 1")
    yield Payload("nested roman d", nested(r"\mathrm{d}(", "x", ")", 39) + " = 1")
    yield Payload("nested partials", nested(r"\partial x/{1+", "x", "}", 39) + " = 1")
    yield Payload("partials of partials", nested(r"\partial x/{\partial y ", "x", "}", 38) + " = 1")
    yield Payload("d d d", "d " * 3000 + "= 1")
    yield Payload("partials", r"\partial " * 3000 + "= 1")
    yield Payload("operators", r"\frac{\partial}{\partial W_{aa}} " * 600 + f"{A} = 1")
    yield Payload("sums of sums", r"\sum_k " * 2000 + "1 = 1")
    yield Payload("tanh of tanh", r"\tanh " * 2900 + "x = 1")
    yield Payload("minus", "-" * 5900 + "x = x")
    yield Payload("primes", "x" + "'" * 5900 + " = 1")
    yield Payload("derivatives of σ", r"\sigma" + "'" * 100 + r"(x) = 1")
    yield Payload("subscripts", "x" + "_a" * 2900 + " = 1")
    yield Payload("letters", "é" * 5900 + " = 1")
    yield Payload("a long word", "f" * 5900 + " = 1")
    yield Payload("row sizes", r"\\[)" * 1900 + "x = 1")
    yield Payload("rows that go on", r"x \\ + " * 1900 + "x = 1")
    yield Payload("open rows", r"( \\ ) + " * 1400 + "x = 1")
    yield Payload("overset", r"\overset{x}{=}" * 1000)
    yield Payload("oversets", r"\overset" * 5000)
    yield Payload("texts", r"\text{if} x_t " * 700 + "= 1")
    yield Payload("accents", r"\hat" * 5000 + " x = 1")
    yield Payload("bars in a bracket", "(" + "|x| " * 1480 + ") = 1")
    yield Payload("open bars in a bracket", "(" + "|" * 5900)
    yield Payload("bars between", "(" + r"x \mid " * 2900 + "x) = 1")
    yield Payload("norms in a bracket", "[" + r"\|x\| " * 1400 + "] = 1")
    yield Payload("words in a row", r"\text{a b c} x " * 600 + "= 1")
    yield Payload("open words", r"\text{" + "a " * 5000)
    yield Payload("commas", "x_t" + "," * 5000 + "x_t = 1")
    yield Payload("calls of a name", nested("h(", "t", ")", 39) + " = 1")
    yield Payload("long calls", nested("a(", "x_t +" * 900 + "t", ")", 39) + " = 1")
    yield Payload("calls of σ", nested(r"\sigma(", "x_t", ")", 39) + " = 1")
    yield Payload("products of factors", f"{A} = " + " ".join([r"W_{aa}"] * 700) + A)
    yield Payload("Kronecker", r" \otimes ".join([r"W_{aa}"] * 30) + " = 1")
    yield Payload("Kronecker of I", r" \otimes ".join(["I", r"W_{aa}"] * 15) + " = 1")
    yield Payload("blocks", nested("[", A, f", {A}]", 39) + " = 1")
    yield Payload("dots of a million", r"x_1 + x_2 + \cdots + x_{1000000000} = x_t")
    jacobian = r"\frac{\partial a_{i}}{\partial a_{i-1}}"
    tail = r"\frac{\partial a_t}{\partial W_{aa}}"
    yield Payload(
        "dots and a huge product",
        rf"{tail} = {tail} + \cdots + (\prod_{{i=t+1}}^{{t+999999999}} {jacobian}) {tail}",
    )


def judged() -> Iterator[Payload]:
    """What is read, and would take for ever to evaluate."""
    body = r"\frac{\partial L^{\langle t\rangle}}{\partial a^{\langle t\rangle}}"
    for n in (4, 10, 25):
        sums = "".join(rf"\sum_{{k_{i}=1}}^{{T}}" for i in range(n))
        yield Payload(f"{n} nested sums", f"{sums} {body} = {body}")
        sums = "".join(rf"\sum_{{{c}=1}}^{{T}}" for c in "bcdefghijklmnopqrsuvwxyz"[:n])
        yield Payload(f"{n} nested sums of letters", f"{sums} {A} = {A}")
        products = "".join(rf"\prod_{{{c}=1}}^{{T}}" for c in "bcdefghijklmnopqrsuvwxyz"[:n])
        yield Payload(f"{n} nested products", f"{products} W_{{aa}} = {A}")
    yield Payload("a long sum", rf"\sum_{{k=1}}^{{999999999}} {A} = {A}", "2,000 terms")
    yield Payload(
        "a longer sum", rf"\sum_{{k=-999999999}}^{{999999999 T}} {A} = {A}", "2,000 terms"
    )
    deep = nested("999999999(", "T", ")", 30)
    yield Payload("limits of 270 digits", rf"\sum_{{k=1}}^{{{deep}}} {A} = {A}", "up to what")
    yield Payload("negative limits", rf"\sum_{{k={deep}}}^{{-{deep}}} {A} = 0")
    yield Payload("product of many", rf"\prod_{{k=1}}^{{999999999}} W_{{aa}} = {A}", "2,000 terms")
    yield Payload("a far step", r"a^{\langle t+999999999\rangle} = 1")
    yield Payload("a far step in between", rf"a^{{\langle {deep}\rangle}} = 1")
    yield Payload("an entry far away", r"(a_t)_{999999999} = 1")
    letters = "bcdefghijklmnopqrsuvwxyz"
    indices = ", ".join(f"a_{c} < a_{c}" for c in "ijkns")
    yield Payload("free indices", f"a_i + a_j + a_k + a_n + a_s + a_\\tau = {indices}")
    apart = ", ".join(f"{c} < {c}" for c in ("i", "j", "k", "n", "s"))
    yield Payload("no choice", rf"a_i + a_j + a_k + a_n + a_s + a_\tau + a_t = x_t, {apart}")
    pairs = zip(letters[::2], letters[1::2], strict=True)
    entries = "+".join(f"(W_{{aa}})_{{{a},{b}}}" for a, b in pairs)
    yield Payload("free entries", f"{entries} = 1")
    yield Payload(
        "many derivatives", "+".join([r"\frac{\partial a_t}{\partial W_{aa}}"] * 250) + "= 0"
    )
    weights = ("W_{aa}", "W_{ax}", "b_a") * 30
    ambiguous = "+".join(rf"\frac{{\partial a_t}}{{\partial {w}}}" for w in weights)
    yield Payload("ambiguous ones", f"{ambiguous} = 0")
    yield Payload("powers of powers", nested("(", r"W_{aa}", ")^{64}", 30) + " = 1")
    yield Payload("powers in numbers", r"\| " + nested("(", r"W_{aa}", ")^{64}", 30) + r" \| \le 1")
    yield Payload("exp of exp", nested(r"\exp(", A, ")", 12) + r" \le 1")
    yield Payload("sech of exp", r"\mathrm{sech}(" + nested(r"\exp(", A, ")", 6) + ") = 1")
    yield Payload("sin of exp", r"\sin(" + nested(r"\exp(", A, ")", 5) + ") = 1")
    yield Payload("tanh of exp", r"\tanh(" + nested(r"\exp(", A, ")", 5) + r") \le 1")
    yield Payload("softmax of exp", r"\mathrm{softmax}(" + nested(r"\exp(", A, ")", 5) + r") \le 1")
    yield Payload("log of log", nested(r"\log(", A, ")", 8) + r" \le 1")
    yield Payload("root of less than nothing", r"\sqrt{-1} \le 1")
    yield Payload("log of nothing", r"\log(0) \le 1")
    yield Payload("one over nothing", r"\frac{1}{0} = 1")
    yield Payload("one over nothing, ordered", r"\frac{1}{0} \le 1")
    yield Payload("nothing over nothing", r"\frac{a_t - a_t}{a_t - a_t} \le 1")
    yield Payload("inverse of nothing", r"\| (W_{aa} - W_{aa})^{-1} \| \le 1")
    yield Payload("inverse of nothing, equal", r"(W_{aa} - W_{aa})^{-1} = 1")
    yield Payload("norms of norms", nested(r"\lVert ", A, r"\rVert ", 30) + r" \le 1")
    kron = r" \otimes ".join([r"W_{aa}"] * 6)
    yield Payload("norm of a Kronecker product", rf"\lVert {kron} \rVert \le 1")
    yield Payload("det of a Kronecker product", rf"\det({kron}) \le 1")
    yield Payload("outer products", rf"[{', '.join([A] * 300)}] [{', '.join([A] * 300)}]^\top = 1")
    yield Payload("diag of diag", nested(r"\mathrm{diag}(", A, ")", 30) + " = 1")
    yield Payload("vec of vec", nested(r"\mathrm{vec}(", f"{A} {A}^T", ")", 30) + " = 1")
    yield Payload("a sum of 1,000", "+".join([A] * 900) + f" = {A}")
    yield Payload("a chain", " ".join([r"\frac{\partial a_t}{\partial a_{t-1}}"] * 200) + " = 1")
    operator = r"\frac{\partial}{\partial W_{aa}} ("
    yield Payload("derivatives of derivatives", nested(operator, A, ")", 30) + "= 1")
    yield Payload(
        "derivative by a sum", rf"\frac{{\partial L}}{{\partial ({' + '.join([A] * 100)})}} = 1"
    )


def defining() -> Iterator[Payload]:
    """Definitions that define each other, themselves, or grow."""
    yield Payload("by itself", "q = q + 1")
    yield Payload("by itself, later used", "q_t = q_t + 1, q_t = 2")
    yield Payload("each other", "q_t = r_t, r_t = q_t, q_t = 1")
    yield Payload("each other, shifted", "q_t = x_t, r_t = q_{t+1}, q_t = r_{t+1}, r_t = 1")
    yield Payload("recursion without end", r"q_t = W_{aa} q_{t+1}, q_t = a_t")
    yield Payload("recursion both ways", r"q_t = q_{t+1} + q_{t-1}, q_t = a_t")
    yield Payload("recursion that doubles", r"q_t = q_{2t} + q_{3t}, q_t = a_t")
    yield Payload("recursion far away", r"q_t = q_{999999999t}, q_t = a_t")
    yield Payload(
        "δ without end", r"\delta_t = W_{aa}^\top \delta_{t+1} + \delta_{t-1}, \delta_t = 0"
    )
    yield laughs("blocks", "a_t", "[{0}, {0}]")
    yield laughs("sums", "a_t", "{0} + {0}")
    yield laughs("⊗", "W_{{aa}}", r"{0} \otimes {0}")
    yield laughs("powers", "W_{{aa}}", "{0}^{{64}}")
    yield laughs("products", "W_{{aa}}", "{0} {0}")
    yield laughs("Σ", "a_t", r"\sum_{{k=1}}^{{T}} {0}")
    yield laughs("functions", "a_t", r"\exp({0} + {0})")


def laughs(name: str, first: str, step: str) -> Payload:
    """Definitions, each of which uses the one before it twice."""
    names = [first.format(), *(f"Q{chr(97 + k)}word" for k in range(24))]
    rows = [f"{b} = {step.format(a)}" for a, b in pairwise(names)]
    return Payload(f"a billion laughs of {name}", ", ".join([*rows, f"{names[-1]} = 1"]))


def expanding() -> Iterator[Payload]:
    """Macros that do not end, or grow."""
    m = Definition
    yield Payload("a macro of itself", r"\a = 1", "made of itself", {r"\a": m(r"\a")})
    yield Payload("two macros", r"\a = 1", "come to an end", {r"\a": m(r"\b"), r"\b": m(r"\a")})
    yield Payload("a macro that grows", r"\a = 1", "", {r"\a": m(r"\b x"), r"\b": m(r"\a y")})
    laughs = {f"\\{chr(97 + k)}": m(f"\\{chr(98 + k)}" * 10) for k in range(12)}
    yield Payload("a billion laughs", r"\a = 1", "", laughs)
    double = {f"\\{chr(97 + k)}": m(f"\\{chr(98 + k)}{{#1#1}}", 1) for k in range(24)}
    yield Payload("arguments that double", r"\a{xxxxxxxxxx} = 1", "20,000 characters", double)
    huge = {r"\a": m("#1" * 5000, 1)}
    yield Payload("one large step", r"\a{" + "x" * 15_000 + "} = 1", "20,000 characters", huge)
    yield Payload("a large body", r"\a = 1", "20,000 characters", {r"\a": m("x" * 10_000_000)})
    yield Payload(
        "an argument that lacks", r"\a = 1 \a", "lacks an argument", {r"\a": m("#1#2", 2)}
    )
    yield Payload("an open argument", r"\a{x = 1", "a brace is not closed", {r"\a": m("#1", 1)})
    yield Payload("an open default", r"\a[x = 1", "", {r"\a": m("#1", 1, "y")})
    yield Payload("commands with macros", r"\b" * 100_000, "200,000 characters", {r"\a": m("x")})
    yield Payload("bodies of shell", r"\a = 1", "", {r"\a": m(r"\write18{touch PWNED}")})
    yield Payload("many macros", r"\a = 1", "", {f"\\a{'b' * k}": m("x") for k in range(500)})


def programs() -> Iterator[Payload]:
    """Names that look like Python, shell, TeX, HTML or SQL, one a line of `programs.txt`."""
    for text in (HERE / "programs.txt").read_text(encoding="utf-8").splitlines():
        yield Payload(f"bare {text}", f"{text} = x_t")
        if not text.startswith("\\"):
            yield Payload(f"name {text}", f"h_{{{text}}} = x_t")
            yield Payload(f"text {text}", rf"\text{{{text}}} x_t = x_t")


def unicode() -> Iterator[Payload]:
    """Characters that are not what they look like."""
    for name, text in (
        ("null", "\0"), ("bell", "\a"), ("escape", "\x1b[2J\x1b[31m"), ("delete", "\x7f"),
        ("high surrogate", "\ud800"), ("low surrogate", "\udfff"), ("bidi override", "\u202e"),
        ("bidi isolate", "\u2066\u2069"), ("zero width", "\u200b\u200d"), ("mark", "\ufeff"),
        ("no character", "\uffff"), ("private", "\ue000"), ("combining", "x" + "\u0301" * 3000),
        ("tag", "\U000e0061"), ("line separator", "\u2028"), ("emoji", "\U0001f469"),
        ("variation", "x\ufe0f"), ("fullwidth", "\uff41\uff1d\uff42"), ("bold", "\U0001d431"),
        ("Arabic digits", "\u0663\u0664"), ("superscript three", "x\u00b3"), ("Roman", "\u2167"),
        ("circled", "\u2460"), ("fraction", "\u00be"), ("Cyrillic a", "\u0430_t"),
        ("dotless", "\u0131"), ("sharp s", "\u00df"), ("ligature", "\ufb01"), ("Hebrew", "\u05d0"),
        ("Chinese", "\u640d\u5931"), ("right to left", "\u0645\u0631"), ("next line", "\x85"),
        ("vertical tab", "\v"), ("form feed", "\f"),
    ):  # fmt: skip
        yield Payload(f"{name}", f"{text} = x_t")
        yield Payload(f"{name} in a script", f"x_{{{text}}} = x_t")
        yield Payload(f"{name} in text", rf"\text{{{text}}} = x_t")
        yield Payload(f"{name} after a backslash", f"\\{text} = x_t")
        yield Payload(f"{name} at the end", f"x_t = x_t {text}")
    yield Payload("order of ∂, superscript", "∂^\u00b3 L = x_t")
    yield Payload("order of ∂, Arabic", "\\partial^{\u0663} L = x_t")
    yield Payload("order of ∂, long", r"\partial^{" + "9 " * 2500 + "} L = x_t")
    yield Payload("index, Arabic", "a_{\u0663} = x_t")
    yield Payload("index, superscript", "a_{\u00b3} = x_t")
    yield Payload("number, Arabic decimals", "\u0663.\u0664 = x_t")


def fragments() -> Iterator[Payload]:
    """Pieces of formulas, one a line of `fragments.txt`."""
    for text in (HERE / "fragments.txt").read_text(encoding="utf-8").splitlines():
        yield Payload(f"fragment {text!r}", text)


def corpus() -> list[Payload]:
    """All payloads."""
    groups = (known, sized, slow, judged, defining, expanding, programs, unicode, fragments)
    return [p for group in groups for p in group()]
