"""Where the boxes of a chain of trust stand: a forest, roots first, from left to right or, when narrow, downwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect

from confvm_gui.domain.attestation import TrustLink

BOX_WIDTH = 182
BOX_HEIGHT = 92
_GAP = 32
"""Pixels between issuer and issued, for the arrow."""
_BETWEEN = 14
"""Pixels between boxes of one rank."""
_INDENT = 28
"""Pixels by which an issued box stands in, when they stand one below the other."""
_MOST_INDENT = 4


@dataclass(frozen=True, slots=True)
class ChainLayout:
    """Rectangles and parents by number of link."""

    boxes: tuple[QRect, ...]
    parents: tuple[int | None, ...]
    """Number of the link that vouches for it; None for a root, and where nobody was found."""
    height: int
    vertical: bool


def parents_of(links: Sequence[TrustLink]) -> tuple[int | None, ...]:
    """Who vouches for whom, by name. Names may occur twice and may lie; no circle comes of it."""
    first: dict[str, int] = {}
    for at, link in enumerate(links):
        first.setdefault(link.name, at)
    parents: list[int | None] = []
    for at, link in enumerate(links):
        parent = first.get(link.issuer) if link.issuer and link.issuer != link.name else None
        parents.append(None if parent == at else parent)
    for at in range(len(parents)):
        seen = {at}
        walk = parents[at]
        while walk is not None:
            if walk in seen:
                parents[at] = None
                break
            seen.add(walk)
            walk = parents[walk]
    return tuple(parents)


def arrange(links: Sequence[TrustLink], width: int) -> ChainLayout:
    """Lay out for `width` pixels: ranks side by side if they fit, else one below the other."""
    parents = parents_of(links)
    depths = [_depth(parents, at) for at in range(len(links))]
    ranks = max(depths, default=0) + 1
    order = _in_order(parents)
    if ranks * BOX_WIDTH + (ranks - 1) * _GAP <= width:
        return _across(parents, depths, order, width, ranks)
    boxes = [QRect()] * len(links)
    top = 0
    for at in order:
        indent = min(depths[at], _MOST_INDENT) * _INDENT
        boxes[at] = QRect(indent, top, max(120, min(width - indent, 420)), BOX_HEIGHT)
        top += BOX_HEIGHT + _BETWEEN
    return ChainLayout(tuple(boxes), parents, max(0, top - _BETWEEN), True)


def _across(
    parents: tuple[int | None, ...], depths: list[int], order: list[int], width: int, ranks: int
) -> ChainLayout:
    """Leaves take a row each; whoever vouches for several stands in the middle of them."""
    room = (width - (ranks - 1) * _GAP) // ranks
    box_width = min(room, 300)
    rows: dict[int, float] = {}
    free = 0
    children: dict[int, list[int]] = {}
    for at, parent in enumerate(parents):
        if parent is not None:
            children.setdefault(parent, []).append(at)
    for at in reversed(order):
        below = children.get(at)
        if below:
            rows[at] = sum(rows[child] for child in below) / len(below)
        else:
            rows[at] = free
            free += 1
    boxes = []
    for at in range(len(parents)):
        # `order` was walked from its end: turn it round, so that the first root is at the top.
        row = free - 1 - rows[at]
        boxes.append(
            QRect(depths[at] * (box_width + _GAP), round(row * (BOX_HEIGHT + _BETWEEN)), box_width, BOX_HEIGHT)
        )
    return ChainLayout(tuple(boxes), parents, max(0, free * (BOX_HEIGHT + _BETWEEN) - _BETWEEN), False)


def _depth(parents: tuple[int | None, ...], at: int) -> int:
    depth = 0
    walk = parents[at]
    while walk is not None:
        depth += 1
        walk = parents[walk]
    return depth


def _in_order(parents: tuple[int | None, ...]) -> list[int]:
    """Every root, followed by all that it vouches for."""
    children: dict[int | None, list[int]] = {}
    for at, parent in enumerate(parents):
        children.setdefault(parent, []).append(at)
    order: list[int] = []
    waiting = list(reversed(children.get(None, [])))
    while waiting:
        at = waiting.pop()
        order.append(at)
        waiting.extend(reversed(children.get(at, [])))
    return order
