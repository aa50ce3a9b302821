"""Integrity monitoring: what every start measured, compared with what was measured when all was well.

The first start is learned. A later one that differs changes nothing by itself: an event names what differs, and the
administrator either accepts it as the new baseline (an update does this) or looks into it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord, Drift, Occasion
from confvm_gui.domain.errors import ConfvmError, NotFound, OperationCancelled, Transient, Unsupported, WrongState
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.attest.baseline import comparable
from confvm_gui.fleet.attest.service import Attestations
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory

_NAMED = 4
"""Components in one event; the record has all."""
_BOOT_SECONDS = 180.0
"""How long a system may take until its agent answers for its boot."""
_PAUSE_SECONDS = 5.0
"""Between two attempts to ask it."""


class IntegrityMonitor:
    """Watches the inventory for starts of instances that ask for it."""

    def __init__(
        self,
        attestations: Attestations,
        inventory: Inventory,
        events: EventFeed,
        *,
        boot_seconds: float = _BOOT_SECONDS,
        pause_seconds: float = _PAUSE_SECONDS,
    ) -> None:
        self._attestations = attestations
        self._inventory = inventory
        self._boot_seconds = boot_seconds
        self._pause_seconds = pause_seconds
        self._events = events
        self._background = Background()
        self._unsubscribe = inventory.started.subscribe(self._on_start)

    async def aclose(self) -> None:
        """Stop watching; what is being checked is left."""
        self._unsubscribe()
        await self._background.aclose()

    def _on_start(self, instance: Instance) -> None:
        if instance.integrity_monitoring and EvidenceFormat.TPM_QUOTE in self._attestations.formats(instance.id):
            self._background.start(self._check(instance), f"integrity of {instance.name}")

    async def _check(self, instance: Instance) -> None:
        try:
            record = await self._taken(instance)
            if record is None or not comparable(record.verdict):
                return  # told by the record's own event, and what it measured is not to be believed
            if await self._attestations.baseline(instance.id, record.verdict.format) is None:
                await self._attestations.learn_baseline(record)
                self._tell("learned", f"What {instance.name} booted is its baseline from now on", instance, record.id)
                return
            drift = await self._attestations.drift(record.id)
        except (NotFound, WrongState, OperationCancelled):
            return  # it was stopped or deleted meanwhile
        except ConfvmError as error:
            message = f"What {instance.name} booted could not be checked: {error.message}"
            self._tell("unchecked", message, instance, "", Severity.WARNING)
            return
        if drift:
            message = f"{instance.name} booted something else than its baseline: {_named(drift)}"
            self._tell("drift", message, instance, record.id, Severity.WARNING)

    async def _taken(self, instance: Instance) -> AttestationRecord | None:
        """A quote, as soon as the system that is starting gives one; where none comes, the boot's log alone.

        None if the power-on that it is about is over. Raises as `Attestations.take` does.
        """
        power_on = self._inventory.power_on(instance.id)
        deadline = time.monotonic() + self._boot_seconds
        while True:
            try:
                return await self._attestations.take(instance.id, EvidenceFormat.TPM_QUOTE, Occasion.INTEGRITY)
            except (Transient, Unsupported) as error:
                if isinstance(error, Unsupported) or time.monotonic() >= deadline:
                    if EvidenceFormat.TCG_EVENT_LOG not in self._attestations.formats(instance.id):
                        raise
                    break
            await asyncio.sleep(self._pause_seconds)
            if self._inventory.power_on(instance.id) != power_on:
                return None
        return await self._attestations.take(instance.id, EvidenceFormat.TCG_EVENT_LOG, Occasion.INTEGRITY)

    def _tell(
        self, what: str, message: str, instance: Instance, record_id: str, severity: Severity = Severity.INFO
    ) -> None:
        self._events.record(
            f"integrity.{what}",
            message,
            subject=instance.id,
            severity=severity,
            actor="console",
            detail={"record": record_id},
        )


def _named(drift: Sequence[Drift]) -> str:
    components = list(dict.fromkeys(one.component for one in drift))
    more = len(components) - _NAMED
    return "; ".join(components[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
