"""A drawing made once and written twice: as SVG for screens, as TikZ for LaTeX.

Used by `plots`. Lengths are in pixels from the upper left; TikZ has the same picture, smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain

from rnnsym.documents.content import plain
from rnnsym.documents.scales import DASHES, SERIES

Point = tuple[float, float]
CM = 0.0235  # centimetres a pixel
INK, FAINT, PAPER = "ink", "faint", "paper"
#: colours on light and on dark ground
COLOURS = {
    INK: ("#222222", "#e6e2da"),
    FAINT: ("#cfcfcf", "#454545"),
    PAPER: ("#ffffff", "#1a1a1c"),
    **{f"s{i}": pair for i, pair in enumerate(SERIES)},
}
ANCHORS = {"start": "west", "middle": "center", "end": "east"}


@dataclass(frozen=True)
class Words:
    """A piece of text in both forms, with a superscript behind it; `tex` is LaTeX already."""

    text: str
    tex: str
    raised: str = ""


@dataclass
class Canvas:
    """A picture; what is drawn later lies on top."""

    width: float
    height: float
    title: str
    _svg: list[str] = field(default_factory=list)
    _tikz: list[str] = field(default_factory=list)
    _defined: set[str] = field(default_factory=set)

    def line(
        self, points: Sequence[Point], colour: str = INK, width: float = 1.0, dash: int = 0
    ) -> None:
        """A line through points, in one of COLOURS and one of DASHES."""
        path = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
        dashes = f' stroke-dasharray="{DASHES[dash]}"' if DASHES[dash] else ""
        self._svg.append(
            f'<polyline class="rs-{colour}" points="{path}" fill="none" '
            f'stroke="{COLOURS[colour][0]}" stroke-width="{width:g}"{dashes}/>'
        )
        lengths = [f"{float(d) * 0.6:.3g}pt" for d in DASHES[dash].split()]
        words = ("on", "off")
        pattern = " ".join(f"{words[i % 2]} {length}" for i, length in enumerate(lengths))
        style = f", dash pattern={pattern}" if pattern else ""
        route = " -- ".join(map(self._place, points))
        self._tikz.append(
            f"\\draw[{self._named(colour)}, line width={width * 0.6:.3g}pt{style}] {route};"
        )

    def dot(self, at: Point, colour: str, radius: float = 2.2, hollow: bool = False) -> None:
        """A round mark."""
        x, y = at
        light = COLOURS[colour][0]
        fill, kind = (COLOURS[PAPER][0], "hollow") if hollow else (light, "dot")
        self._svg.append(
            f'<circle class="rs-{colour} {kind}" cx="{x:.5g}" cy="{y:.5g}" r="{radius:g}" '
            f'fill="{fill}" stroke="{light}"/>'
        )
        inside = "white" if hollow else self._named(colour)
        self._tikz.append(
            f"\\filldraw[draw={self._named(colour)}, fill={inside}] {self._place(at)} "
            f"circle[radius={radius * CM:.3g}cm];"
        )

    def box(self, corner: Point, width: float, height: float, rgb: tuple[int, int, int]) -> None:
        """A filled rectangle without a border, of the same colour on every ground."""
        x, y = corner
        name = "".join(f"{c:02x}" for c in rgb)
        self._svg.append(
            f'<rect x="{x:.5g}" y="{y:.5g}" width="{width:.5g}" height="{height:.5g}" '
            f'fill="#{name}"/>'
        )
        self._define(name, name)
        end = self._place((x + width, y + height))
        self._tikz.append(f"\\fill[rs{name}] {self._place(corner)} rectangle {end};")

    def words(
        self, at: Point, words: Words, anchor: str = "middle", size: float = 13, turn: bool = False
    ) -> None:
        """Text; anchor: what of it stands at the point; turn: it runs upwards."""
        x, y = at
        raised = (
            f'<tspan dy="-.45em" font-size="75%">{escape(words.raised)}</tspan>'
            if words.raised
            else ""
        )
        turned = f' transform="rotate(-90 {x:.5g} {y:.5g})"' if turn else ""
        # the baseline is moved by hand: not every renderer knows dominant-baseline
        self._svg.append(
            f'<text class="rs-word" x="{x:.5g}" y="{y + size * 0.35:.5g}" font-size="{size:g}" '
            f'text-anchor="{anchor}" fill="{COLOURS[INK][0]}"{turned}>'
            f"{escape(plain(words.text))}{raised}</text>"
        )
        minus = words.raised.replace("−", "-")
        power = f"$^{{{minus}}}$" if minus else ""
        rotate = ", rotate=90" if turn else ""
        font = r"\small" if size > 12 else r"\footnotesize"
        self._tikz.append(
            f"\\node[anchor={ANCHORS[anchor]}, inner sep=0pt, font={font}{rotate}] at "
            f"{self._place(at)} {{{words.tex}{power}}};"
        )

    def svg(self) -> str:
        """The picture as SVG by itself; it follows the reader's choice of light or dark."""
        dark = "".join(
            f".rs-{name}{{stroke:{on_dark}}}.rs-{name}.dot{{fill:{on_dark}}}"
            for name, (_, on_dark) in COLOURS.items()
            if name != PAPER
        )
        paper, ink = COLOURS[PAPER][1], COLOURS[INK][1]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} '
                f'{self.height:g}" width="{self.width:g}" height="{self.height:g}" '
                'font-family="Charter, Georgia, DejaVu Serif, serif" '
                'role="img">',
                f"<title>{escape(plain(self.title))}</title>",
                "<style>@media screen and (prefers-color-scheme: dark){"
                f"{dark}.rs-word{{fill:{ink}}}.rs-paper,.hollow{{fill:{paper}}}}}</style>",
                '<rect class="rs-paper" width="100%" height="100%" '
                f'fill="{COLOURS[PAPER][0]}" stroke="none"/>',
                *self._svg,
                "</svg>\n",
            ]
        )

    def tikz(self) -> str:
        """The picture as a ``tikzpicture``; needs no library."""
        colours = sorted(self._defined)
        lines = chain(["\\begin{tikzpicture}"], colours, self._tikz, ["\\end{tikzpicture}"])
        return "\n".join(lines) + "\n"

    def _place(self, point: Point) -> str:
        return f"({point[0] * CM:.3f},{(self.height - point[1]) * CM:.3f})"

    def _named(self, colour: str) -> str:
        self._define(colour, COLOURS[colour][0].removeprefix("#"))
        return f"rs{colour}"

    def _define(self, name: str, hexadecimal: str) -> None:
        self._defined.add(f"\\definecolor{{rs{name}}}{{HTML}}{{{hexadecimal.upper()}}}")
