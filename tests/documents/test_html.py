"""Pages: self-contained, well-formed, formulas as MathML, no text taken as HTML."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sympy import MatMul

import rnnsym as rs
from rnnsym import api
from rnnsym.documents import mathml
from rnnsym.documents.content import (
    Bullets,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Paragraph,
    Ref,
    Remark,
    Remarks,
    Row,
    Styled,
    Table,
)
from rnnsym.documents.files import save
from rnnsym.documents.html import Link, Navigation, heads, html, inlined
from rnnsym.errors import UnavailableError

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order; collects what tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.text += data

    def all(self, attribute: str) -> list[str]:
        return [str(a[attribute]) for _, a in self.tags if attribute in a]

    def count(self, tag: str) -> int:
        return sum(t == tag for t, _ in self.tags)


@pytest.fixture(scope="module")
def elman() -> rs.Network:
    return rs.elman()


@pytest.fixture(scope="module")
def page(elman: rs.Network) -> Page:
    return Page(html(api.derivations_document([elman.derive(n) for n in ("W_aa", "W_ax")])[0]))


def test_a_page_needs_nothing_else(page: Page) -> None:
    assert page.count("script") == page.count("link") == page.count("img") == 0
    assert all(href.startswith("#") for href in page.all("href"))
    policy = [a for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy[0]["content"])
    text = html(Document(("x",), []))
    assert not re.search(r"url\(|@import|https?:", text)


def test_identifiers_are_unique_and_references_lead_somewhere(page: Page) -> None:
    names = page.all("id")
    assert len(set(names)) == len(names)
    assert {href.removeprefix("#") for href in page.all("href")} <= set(names)


def test_every_row_has_its_number_and_its_remark(page: Page) -> None:
    rows = [name for name in page.all("id") if name.startswith("eq-")]
    assert rows == [f"eq-{i + 1}" for i in range(len(rows))] and len(rows) > 40
    assert page.text.count("✓ exact test") == len(rows)
    assert "As above: (15)–(23)" in page.text or re.search(r"As above: \(\d+\)–\(\d+\)", page.text)


def test_formulas_are_mathml(page: Page) -> None:
    assert page.count("math") > 100
    assert "\\" not in page.text and "$" not in page.text


def test_there_is_one_title_and_the_rest_is_below(page: Page) -> None:
    text = html(rs.elman().derive("b_y").document())
    assert text.count("<h1>") == 1 and "<title>The gradient ∂L/∂b_y of elman</title>" in text


HOSTILE = "<script>alert(1)</script>&amp;\"'\x00\u202e</title></style>"


def every_block(word: str, net: rs.Network) -> Document:
    a = net.vectors["a"]
    blocks = [
        Heading(2, (word, a)),
        Heading(2, (word, a)),
        Paragraph((word, Styled(word, "em"), Styled(word, "code"), Ref(1))),
        Bullets([(word,)]),
        Display([Row(a, "=", a, 1)]),
        Remarks([Remark(1, word, (word,), word, False)]),
        Table([(word,), ("b",)], [[("c",), (word,)]], "rc", (word,)),
        Figure("", "", word, "", (word,)),
        Figure("", "", "", '<svg xmlns="http://www.w3.org/2000/svg"/>', (), word),
        Code(word, word),
    ]
    return Document((word,), blocks)


@pytest.mark.parametrize("word", [HOSTILE, "--><!--", "]]>", "&#60;b>", "</code></pre>"])
def test_no_text_is_taken_as_html(word: str, elman: rs.Network) -> None:
    plain, hostile = (Page(html(every_block(w, elman))) for w in ("word", word))
    assert [t for t, _ in plain.tags] == [t for t, _ in hostile.tags]
    assert [set(a) - {"class"} for _, a in plain.tags] == [
        set(a) - {"class"} for _, a in hostile.tags
    ]
    assert len(set(hostile.all("id"))) == len(hostile.all("id"))


def test_a_wrong_step_is_marked_in_words_too(elman: rs.Network) -> None:
    right = elman.derive("W_ya")
    steps = (replace(right.steps[0], relation="≠"), *right.steps[1:])
    wrong = api.Derivation.of(elman, replace(right, steps=steps), "W_ya")
    page = Page(html(api.derivations_document([wrong])[0]))
    assert page.text.count("✗ fails:") == 1


def test_the_pictures_of_a_page_do_not_share_identifiers() -> None:
    svg = '<svg><marker id="m"/><path marker-end="url(#m)"/><use href="#m"/><g id="mm"/></svg>'
    assert inlined(svg, "p1-", "A") == (
        '<svg aria-label="A"><marker id="p1-m"/><path marker-end="url(#p1-m)"/>'
        '<use href="#p1-m"/><g id="p1-mm"/></svg>'
    )
    graph = rs.elman().unroll(2).svg()
    document = Document(("x",), [Figure("", "", "", graph), Figure("", "", "", graph)])
    names = Page(html(document)).all("id")
    assert len(names) == len(set(names)) == 2


def test_pages_of_a_book_lead_to_each_other() -> None:
    navigation = Navigation(Link("a.html", "A <b>"), Link("index.html", "All"), None)
    page = Page(html(Document(("x",), []), navigation))
    assert page.all("href") == ["a.html", "index.html"] * 2
    assert "← A <b>" in page.text


def test_the_sections_of_a_page_can_be_listed() -> None:
    document = Document(("x",), [Heading(2, ("One",)), Heading(3, ("One",)), Heading(2, ("One",))])
    assert heads(document) == [("one", "One"), ("one-3", "One")]
    assert {"one", "one-2", "one-3"} == set(Page(html(document)).all("id"))


def test_without_math_core_a_page_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elman: rs.Network
) -> None:
    mathml.converter.cache_clear()
    monkeypatch.setitem(sys.modules, "math_core", None)
    with pytest.raises(UnavailableError, match=r"pip install 'rnnsym\[latex\]'"):
        save(elman.derive("b_y").document(), tmp_path / "d.html")
    assert not list(tmp_path.iterdir())
    mathml.converter.cache_clear()


@pytest.mark.parametrize("make", [rs.elman, rs.lstm, rs.gru])
def test_every_notation_makes_pages(make: Callable[..., rs.Network]) -> None:
    for notation in ("post", "goodfellow", "d2l", "pytorch", "karpathy"):
        net = make(notation=notation)
        Page(html(net.derive("b_y").document()))


def test_raised_figures_are_raised_by_the_page(elman: rs.Network) -> None:
    text = html(Document(("x",), [Paragraph(("2⁻⁵¹ and ∂⁺",))]))
    assert "2<sup>−51</sup> and ∂<sup>+</sup>" in text


def test_what_is_too_wide_scrolls_in_its_own_box(elman: rs.Network) -> None:
    a = elman.vectors["a"]
    wide = MatMul(*[elman.parameters["W_aa"]] * 30, a, evaluate=False)
    text = html(Document(("x",), [Display([Row(a, "=", wide)]), Display([Row(a, "=", a)])]))
    assert text.count('class="display wide"') == text.count('class="display"') == 1
    assert "overflow-x: auto" in text
