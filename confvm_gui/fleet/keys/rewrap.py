"""Wrapping the disk keys of instances anew."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confvm_gui.domain.errors import BugError

if TYPE_CHECKING:
    from confvm_gui.domain.guest_evidence import GuestEvidence
    from confvm_gui.domain.instance import LaunchRequest


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What came of it."""

    done: tuple[str, ...]
    """Names of the instances whose disk key is wrapped anew."""
    failed: Mapping[str, str]
    """By name, why not: those are still wrapped as before."""


class RewrapContext:
    """The operation as the provider sees it. It launches nothing, and ends before anybody could cancel it."""

    def __init__(self, instance_id: str) -> None:
        self.operation_id = uuid.uuid4().hex
        self.instance_id = instance_id

    def step(self, name: str, progress: float, detail: str = "") -> None:
        """The outcome is told as an event."""

    async def launched(self) -> LaunchRequest | None:
        return None

    async def approve(self, launch: GuestEvidence) -> None:
        raise BugError("Wrapping a key anew launches nothing, so there is nothing to approve; please report this")
