"""The Markdown parser with all the dialects in which authors write formulas.

Used by `markdown`. markdown-it-py for the structure, dollarmath and footnotes from
mdit-py-plugins, and the rules of `blocks` and `inlines`.
"""

from __future__ import annotations

from typing import Any

from rnnsym.sources import blocks, inlines
from rnnsym.sources.libraries import load

#: blocks that one of the added rules may interrupt
INTERRUPTED = {"alt": ["paragraph", "reference", "blockquote", "list"]}
NESTING = 60


def parser(*, indented_code: bool = True) -> Any:
    """A parser; without `indented_code` indented lines are text like others."""
    markdown: Any = load("markdown_it").MarkdownIt("commonmark", {"maxNesting": NESTING})
    markdown.enable("table")
    load("mdit_py_plugins.footnote").footnote_plugin(markdown, inline=False, move_to_end=False)
    block, inline = markdown.block.ruler, markdown.inline.ruler
    block.before("fence", "template", blocks.template, INTERRUPTED)
    block.before("fence", "directive", blocks.directive, INTERRUPTED)
    block.before("fence", "display", blocks.display, INTERRUPTED)
    rules, notes = load("markdown_it.rules_block"), load("mdit_py_plugins.footnote.index")
    for name, nested, interrupted in (
        ("list", rules.list_block, ["paragraph", "reference", "blockquote"]),
        ("blockquote", rules.blockquote, INTERRUPTED["alt"]),
        ("footnote_def", notes.footnote_def, ["paragraph", "reference"]),
    ):
        block.at(name, blocks.shallow(nested), {"alt": interrupted})
    block.at("table", blocks.short(rules.table), {"alt": ["paragraph", "reference"]})
    block.disable("lheading")
    block.at("paragraph", blocks.paragraph)
    rule = load("mdit_py_plugins.dollarmath.index").math_inline_dollar(allow_double=False)
    inline.before("escape", "tex", inlines.tex)
    inline.before("tex", "dollars", inlines.dollars(rule))
    inline.before("dollars", "template", inlines.template)
    inline.before("template", "role", inlines.role)
    inline.at("text", inlines.text)
    standard = load("markdown_it.rules_inline")
    inline.at("link", inlines.brief(standard.link))
    inline.at("image", inlines.brief(inlines.placed(standard.image)))
    if not indented_code:
        markdown.disable("code")
    return markdown
