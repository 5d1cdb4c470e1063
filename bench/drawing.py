"""Bars as SVG, readable on light and dark paper."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_ROW, _BAR, _LABEL, _WIDTH, _HEAD = 24, 15, 220, 760, 30
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 }
.head { font-weight: 600 } .paper { fill: #fff } .bar { fill: #8a94a6 } .ours { fill: #1f6feb } .floor { fill: #c4cad4 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e6e6 } .paper { fill: #16181d } .bar { fill: #7d8799 } .ours { fill: #5b9bff } .floor { fill: #4a5261 }
}
"""


class Bar(NamedTuple):
    """One bar: its name, how long it is, and its kind (`bar`, `ours` or `floor`)."""

    name: str
    value: float
    kind: str


def bars(title: str, groups: Sequence[tuple[str, Sequence[Bar]]], unit: str) -> str:
    """Groups of bars below each other, all on one scale."""
    most = max(bar.value for _, group in groups for bar in group)
    scale = (_WIDTH - _LABEL - 90) / most
    parts, y = [], 12
    for name, group in groups:
        parts.append(f'<text class="head" x="12" y="{y + 14}">{escape(name)}</text>')
        y += _HEAD
        for bar in group:
            parts += [
                f'<text x="{_LABEL - 10}" y="{y + 12}" text-anchor="end">{escape(bar.name)}</text>',
                f'<rect class="{bar.kind}" x="{_LABEL}" y="{y}" width="{bar.value * scale:.1f}" height="{_BAR}" rx="2"/>',
                f'<text x="{_LABEL + bar.value * scale + 6:.1f}" y="{y + 12}">{bar.value:.1f} {escape(unit)}</text>',
            ]
            y += _ROW
        y += 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}" role="img">'
    )
    lines = [head, f"<title>{escape(title)}</title>", f"<style>{_STYLE}</style>"]
    lines += [f'<rect class="paper" width="{_WIDTH}" height="{y}"/>', *parts, "</svg>"]
    return "\n".join(lines) + "\n"
