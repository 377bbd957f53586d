"""Colours, line styles and type of pictures and pages.

Six colours in the hues of Okabe and Ito.  For each ground their lightness was chosen so that each stands out from it
(3:1) and any two are far apart in CIELAB (by 28.9 or more), also for people with protanopia, deuteranopia or
tritanopia, by the matrices of Machado, Oliveira and Fernandes (2009).  No colour is the only sign of anything: a lane
is a place, what it says is a shape, and how a list knows an edge is a line style.  A seventh list begins the colours
again, with another shape of dot.

Each colour is set as ``color`` on a class and used as ``currentColor``, so that dark mode needs one rule a colour, and
programs that know no custom properties draw the light picture.  No rule uses an attribute ``style``, which the policy
of the page forbids.
"""

from __future__ import annotations

LIGHT = ("#008ffb", "#ea6d00", "#008152", "#c575aa", "#694b00", "#2c2f32")
DARK = ("#13c4ff", "#ff7b0a", "#009058", "#bd549b", "#fecf87", "#d6d8db")
PAPER_LIGHT, PAPER_DARK = "#ffffff", "#14171c"
COLORS = len(LIGHT)

_FONT = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"


def _colors(paper: str, ink: str, dim: str, warn: str, lanes: tuple[str, ...]) -> str:
    rules = [
        f".paper{{fill:{paper}}}.halo{{stroke:{paper}}}",
        f".ink{{color:{ink}}}",
        f".dim{{color:{dim}}}",
        f".warn{{color:{warn}}}",
    ]
    return "".join([*rules, *(f".c{number}{{color:{color}}}" for number, color in enumerate(lanes))])


PICTURE = (
    f"text{{font:12px {_FONT};fill:currentColor;white-space:pre}}"
    "text.head{font-size:15px;font-weight:bold}text.b{font-weight:bold}text.s{font-size:11px}"
    "text.n{font-size:10px;font-weight:bold;text-anchor:middle}"
    ".track{fill:currentColor;fill-opacity:.07}.band{fill:currentColor;fill-opacity:.16}"
    ".e,.j,.t,.x,.lead{fill:none;stroke:currentColor;stroke-linecap:round}"
    ".e{stroke-width:1.7}.named{stroke-dasharray:4 4;stroke-width:1.4}.joined{stroke-dasharray:.1 4}"
    ".j{stroke-width:1.7}.t{stroke-width:1;stroke-opacity:.55}.x{stroke-width:1.7}.lead{stroke-width:1.2}"
    ".x.halo{stroke-width:5.5}.dot{fill:currentColor}.ring{stroke:currentColor;stroke-width:1.6}"
    ".ghost{stroke-dasharray:2.4 2.1}"
    ".hit{fill:currentColor;fill-opacity:0}.row:hover .hit{fill-opacity:.08}"
    + _colors(PAPER_LIGHT, "#1f2328", "#59636e", "#9a3412", LIGHT)
    + "@media(prefers-color-scheme:dark){"
    + _colors(PAPER_DARK, "#e6e9ee", "#9aa4b2", "#ffb27a", DARK)
    + "}"
)
"""What a picture needs, in a page or alone."""

ALONE = (
    PICTURE + f":root{{color-scheme:light dark;background:{PAPER_LIGHT}}}"
    f"@media(prefers-color-scheme:dark){{:root{{background:{PAPER_DARK}}}}}"
)
"""What a picture alone needs: a window may be larger than it."""

PAGE = (
    PICTURE + ":root{color-scheme:light dark}"
    "body{margin:0;padding:1.5rem;font:15px/1.5 system-ui,sans-serif;background:#fff;color:#1f2328}"
    "h1{font-size:1.4rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.5rem 0 .25rem}"
    "p{margin:.25rem 0 .75rem;max-width:70em}"
    ".wide{overflow-x:auto;margin:1rem 0}svg{display:block;margin-left:-18px}"
    ".said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    "h1,h2,td{overflow-wrap:anywhere}"
    "table{border-collapse:collapse;font-size:.85rem;width:100%}"
    "caption{text-align:left;font-weight:bold;padding:.5rem 0}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-top:1px solid #d1d9e0}"
    "td.num,td.when{white-space:nowrap;overflow-wrap:normal}td small{display:block;color:#59636e}"
    "tr:target{background:#fff3c4}a{color:#0063a0}tr.unseen td{color:#59636e;font-style:italic}"
    "@media(prefers-color-scheme:dark){body{background:#14171c;color:#e6e9ee}th,td{border-color:#363d47}"
    "td small,tr.unseen td{color:#9aa4b2}tr:target{background:#4a3d10}a{color:#7cc4f5}}"
    "@media print{.wide{overflow:visible}}"
)
"""What a page needs."""
