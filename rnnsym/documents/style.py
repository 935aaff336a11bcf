"""The style of our pages: reads like a book on a screen and on paper, light and dark."""

from __future__ import annotations

CSS = """\
:root { --ink: #1c1b1a; --paper: #fffefb; --faint: #6a6660; --line: #d9d5cd; --shade: #f5f2ec;
  --link: #0b5394; --good: #2a6a35; --bad: #b3261e; color-scheme: light dark; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e2da; --paper: #1a1a1c;
  --faint: #a19c93; --line: #3c3b3a; --shade: #252527; --link: #8ab8e8; --good: #85c290;
  --bad: #ff8a80; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 50rem; padding: 1.5rem 1.25rem 4rem; color: var(--ink);
  background: var(--paper); font: 1.0625rem/1.6 "Latin Modern Roman", "STIX Two Text", Charter,
  "Bitstream Charter", "Iowan Old Style", Cambria, Georgia, serif; overflow-wrap: break-word; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 2em 0 .6em; font-weight: 600;
  break-after: avoid; text-wrap: balance; }
h1 { font-size: 1.9rem; margin-top: .8em; } h2 { font-size: 1.4rem; } h3 { font-size: 1.15rem; }
h4, h5, h6 { font-size: 1rem; }
a { color: var(--link); text-decoration-thickness: .06em; text-underline-offset: .18em; }
.anchor { opacity: 0; text-decoration: none; font-weight: 400; }
:is(h2, h3, h4, h5, h6):hover .anchor, .anchor:focus { opacity: .6; }
.display, .table, .picture, pre { overflow-x: auto; max-width: 100%; }
.display { margin: 1em 0; padding: .2em 0; }
.display:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.display table { border-spacing: 0; margin: 0 auto; min-width: 100%; }
.display td { padding: .4em 0; vertical-align: baseline; white-space: nowrap; }
.display td.r { width: 40%; text-align: right; } .display td.whole { padding-bottom: 0; }
.display td + td { padding-left: .28em; }
.display td.number { padding-left: 1.5em; text-align: right; color: var(--faint);
  font-size: .9rem; font-variant-numeric: tabular-nums; position: sticky; right: 0;
  background: var(--paper); }
sup { font-size: .72em; line-height: 0; }
tr:target > td { background: var(--shade); }
ul { padding-left: 1.3em; } li { margin: .25em 0; }
.remarks { list-style: none; padding-left: 0; font-size: .92rem; }
.remarks li { margin: .45em 0; padding-left: 3em; text-indent: -3em; }
.remarks a { text-decoration: none; }
.remarks math { text-indent: 0; }
.ok, .bad { font-size: .82rem; color: var(--good); } .bad { color: var(--bad); font-weight: 700; }
.table table { border-collapse: collapse; margin: 1.2em auto; font-size: .95rem;
  border-top: 2px solid var(--ink); border-bottom: 2px solid var(--ink); }
.table th, .table td { padding: .35em .8em; text-align: left; vertical-align: baseline; }
.table th { border-bottom: 1px solid var(--ink); font-weight: 600; }
.table .c { text-align: center; } .table .r { text-align: right;
  font-variant-numeric: tabular-nums; }
caption, figcaption { color: var(--faint); font-size: .92rem; padding: .5em 0; }
figure { margin: 1.5em 0; text-align: center; break-inside: avoid; }
figure svg { max-width: 100%; height: auto; }
figure svg :is(.rs-paper, .ground) { fill: none; }
figure svg .edge text { stroke: var(--paper); } figure pre { display: inline-block; }
pre { background: var(--shade); padding: .8em 1em; text-align: left; font-size: .85rem;
  line-height: 1.45; border-radius: 4px; }
code { font-family: ui-monospace, "Latin Modern Mono", "DejaVu Sans Mono", Menlo, Consolas,
  monospace; font-size: .92em; }
nav { display: flex; justify-content: space-between; gap: 1em; font-size: .92rem; }
nav a { text-decoration: none; } nav + main { border-top: 1px solid var(--line); }
main + nav { border-top: 1px solid var(--line); margin-top: 3em; padding-top: 1em; }
.contents { list-style: none; padding: 0; } .contents ul { list-style: none; }
.contents > li { margin: .9em 0; } .contents ul li { margin: .1em 0; font-size: .95rem; }
.lead { color: var(--faint); }
@media (max-width: 40rem) { body { font-size: 1rem; } .display td.r { width: auto; } }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav, .anchor { display: none; } .display { overflow: visible; }
  .display.wide { font-size: 60%; } .display td.number { position: static; background: none; }
  .remarks li { break-inside: avoid; }
  a { color: inherit; text-decoration: none; } }
"""
