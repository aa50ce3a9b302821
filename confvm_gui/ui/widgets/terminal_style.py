"""Select Graphic Rendition: the numbers of `CSI … m` as a pyte cell's attributes.

pyte's own is not used: it takes xterm's `CSI > 4 ; 2 m` for an underline, knows no colons, and keeps colours by names.
Sources: ECMA-48 8.3.117; ISO 8613-6 (38 and 48); xterm's ctlseqs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyte.screens import Char

_PLAIN: Final = Char(" ")
_MOST: Final = 32
"""Numbers that are looked at in one sequence."""


def rendition(attributes: Char, groups: Sequence[Sequence[int]]) -> Char:
    """`attributes` after the sequence. `groups` are its parameters, each with what followed it after colons."""
    at = 0
    groups = groups[:_MOST]
    while at < len(groups):
        group = groups[at]
        at += 1
        number = group[0]
        if number in (38, 48):
            if len(group) > 1:
                colour = _colour(group[1:2], group[-3:] if group[1] == 2 else group[2:])
            else:
                rest = [one[0] for one in groups[at : at + 4]]
                colour = _colour(rest[:1], rest[1:])
                at += 4 if rest[:1] == [2] else 2
            if colour:
                attributes = attributes._replace(fg=colour) if number == 38 else attributes._replace(bg=colour)
        else:
            attributes = _simple(attributes, number, group)
    return attributes


def _simple(attributes: Char, number: int, group: Sequence[int]) -> Char:
    found = attributes
    if number == 0:
        found = _PLAIN
    elif number in (1, 22):
        found = attributes._replace(bold=number == 1)
    elif number in (3, 23):
        found = attributes._replace(italics=number == 3)
    elif number in (4, 21, 24):
        found = attributes._replace(underscore=number != 24 and group[1:2] != [0])
    elif number in (7, 27):
        found = attributes._replace(reverse=number == 7)
    elif number in (9, 29):
        found = attributes._replace(strikethrough=number == 9)
    elif 30 <= number <= 37:
        found = attributes._replace(fg=str(number - 30))
    elif 40 <= number <= 47:
        found = attributes._replace(bg=str(number - 40))
    elif number == 39:
        found = attributes._replace(fg="default")
    elif number == 49:
        found = attributes._replace(bg="default")
    elif 90 <= number <= 97:
        found = attributes._replace(fg=str(number - 82))
    elif 100 <= number <= 107:
        found = attributes._replace(bg=str(number - 92))
    return found


def _colour(kind: Sequence[int], values: Sequence[int]) -> str:
    """A colour by its kind (5 palette, 2 red, green and blue), "" if it is none."""
    if list(kind) == [5] and values and values[0] <= 255:
        return str(values[0])
    if list(kind) == [2] and len(values) >= 3 and max(values[:3]) <= 255:
        return "#{:02x}{:02x}{:02x}".format(*values[:3])
    return ""
