"""One line of the checklist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from confvm_gui.domain.catalogue import Technology

TECHNOLOGIES: Final = (Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP)
ALL: Final = frozenset(TECHNOLOGIES)
ES_AND_SNP: Final = frozenset({Technology.SEV_ES, Technology.SEV_SNP})
SNP: Final = frozenset({Technology.SEV_SNP})


class ItemState(Enum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """It could not be looked at; the hint tells how it can."""


@dataclass(frozen=True, slots=True)
class Item:
    """What was looked at, what was found, and what to do if it is not as it should be."""

    key: str
    """For programs; does not change between versions."""
    title: str
    state: ItemState
    found: str
    hint: str = ""
    blocks: frozenset[Technology] = frozenset()
    """Technologies whose guests cannot be hosted while this stays as it is."""


def ok(key: str, title: str, found: str) -> Item:
    return Item(key, title, ItemState.OK, found)


def warning(key: str, title: str, found: str, hint: str) -> Item:
    return Item(key, title, ItemState.WARNING, found, hint)


def missing(key: str, title: str, found: str, hint: str, blocks: frozenset[Technology]) -> Item:
    """Something that the technologies in `blocks` cannot do without. A warning if it blocks none."""
    return Item(key, title, ItemState.MISSING if blocks else ItemState.WARNING, found, hint, blocks)


def unknown(key: str, title: str, found: str, hint: str) -> Item:
    return Item(key, title, ItemState.UNKNOWN, found, hint)
