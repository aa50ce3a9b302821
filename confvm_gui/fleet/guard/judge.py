"""Judges instances by the rules that are on: each when it changes, all when the rules do, and tells of drift.

Rules are evaluated in a thread, slice by slice, so that whoever waits for the event loop waits for one slice only, and
an instance that changed does not wait for the rest of ten thousand others. What is told and kept is told and kept on
the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import NotFound, StoreError
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.policy import Compliance, ComplianceRecord, Outcome, RuleFinding
from confvm_gui.domain.ports.repositories import ComplianceRepository
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.guard.knowledge import Knowledge
from confvm_gui.fleet.guard.rules import Rules
from confvm_gui.fleet.inventory import Inventory, InventoryChange
from confvm_gui.fleet.observable import Observable
from confvm_gui.policy.evaluate import RuleBook
from confvm_gui.policy.facts import Known, instance_facts
from confvm_gui.policy.standing import standing

SLICE: Final = 250
"""Instances that are judged, and shown, at a time."""
_AGAIN_SECONDS: Final = 600.0
"""Facts that only time changes (the age of evidence, an image's end of support) are looked at so often."""
_HISTORY_SECONDS: Final = 60.0
"""At most one moment of the history in so long."""
_UNREAD: Final = frozenset({"load", "compliance"})
"""Fields that no rule reads: many instances change their load each second."""
_what_rules_read: Final = attrgetter(*(each.name for each in fields(Instance) if each.name not in _UNREAD))


@dataclass(frozen=True, slots=True)
class Judged:
    instance: Instance
    record: ComplianceRecord


@dataclass(slots=True)
class _Round:
    """The first look at all instances after the rules have changed: what it finds says more of the rules."""

    waiting: set[str]
    judged: int = 0
    violating: int = 0
    at_start: bool = False
    """The rules are those of the session before, and an instance that has left them since has drifted."""


class Judge:
    """What is known of every instance's standing. A session that only reads judges nothing by itself."""

    def __init__(
        self,
        catalog: Catalog,
        inventory: Inventory,
        events: EventFeed,
        rules: Rules,
        knowledge: Knowledge,
        history: ComplianceRepository,
        *,
        readonly: bool,
    ) -> None:
        self.changes: Observable[Sequence[ComplianceRecord]] = Observable()
        """Records of instances that stand in another way than before."""
        self.judged: dict[str, Judged] = {}
        """The last finding of every instance."""
        self._catalog = catalog
        self._inventory = inventory
        self._events = events
        self._rules = rules
        self._knowledge = knowledge
        self._history = history
        self._readonly = readonly
        self._urgent: dict[str, None] = {}
        """They changed; before all that wait only because the rules did."""
        self._rest: dict[str, None] = {}
        self._round: _Round | None = None
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._history_at = 0.0
        self._background = Background()

    def start(self) -> None:
        """Judge all instances now, and each one when it changes."""
        self._inventory.changes.subscribe(self._on_inventory)
        self._rules.changes.subscribe(lambda _: self.judge_all())
        self._background.start(self._follow(), "guardrails")
        if self._rules.assignments():
            self.judge_all(at_start=True)

    async def aclose(self) -> None:
        await self._background.aclose()

    def judge_all(self, *, at_start: bool = False) -> None:
        """The rules are others: look at all again."""
        self._rest = {instance.id: None for instance in self._inventory.all()}
        self._round = _Round(set(self._rest), at_start=at_start)
        self._wake.set()

    def judge_later(self, instance_ids: Iterable[str]) -> None:
        """More is known of these than before."""
        if self._rules.assignments() or self.judged:
            self._urgent |= dict.fromkeys(instance_ids)
            self._wake.set()

    async def judge_now(self) -> None:
        """Judge all instances and wait for it. Raises StoreError."""
        self._rest |= {instance.id: None for instance in self._inventory.all()}
        await self._judge_pending()

    async def evaluate(self, book: RuleBook, instances: Sequence[Instance]) -> Sequence[Judged]:
        """What `book` says of these, from a thread. Raises StoreError."""
        await self._knowledge.learn([instance.id for instance in instances])
        known: Mapping[str, Known] = {instance.id: self._knowledge.get(instance.id) for instance in instances}
        now, today = now_and_today()

        def evaluate(_: object) -> Sequence[Judged]:
            found = []
            for instance in instances:
                facts = instance_facts(self._catalog, instance, known[instance.id], now, today)
                found.append(Judged(instance, book.check_instance(instance.id, facts, now)))
            return found

        return await in_daemon_thread("guardrails", evaluate)

    # Inside ---------------------------------------------------------------------------------------------------------

    def _on_inventory(self, change: InventoryChange) -> None:
        for instance_id in change.removed:
            self.judged.pop(instance_id, None)
            self._urgent.pop(instance_id, None)
            self._rest.pop(instance_id, None)
        self._knowledge.forget(change.removed)
        self._pass_round(change.removed)
        self.judge_later([instance.id for instance in change.upserted if self._tells_more(instance)])

    def _tells_more(self, instance: Instance) -> bool:
        judged = self.judged.get(instance.id)
        return judged is None or _what_rules_read(judged.instance) != _what_rules_read(instance)

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._seconds_to_next_look())
            if not self._wake.is_set() and self._rules.assignments():
                self._rules.renew()  # an exception may have ended
                self._rest |= {instance.id: None for instance in self._inventory.all()}
            self._wake.clear()
            try:
                await self._judge_pending()
            except StoreError as error:
                self._events.record(
                    "policy.not-evaluated",
                    f"The rules could not be evaluated: {error.message}",
                    severity=Severity.ERROR,
                )

    def _seconds_to_next_look(self) -> float:
        now = time.time()
        ends = [one.until - now for one in self._rules.exceptions() if one.until > now]
        return min([_AGAIN_SECONDS, *(seconds + 0.1 for seconds in ends)])

    async def _judge_pending(self) -> None:
        async with self._turn:
            while batch := self._next_batch():
                if self._rules.assignments():
                    self._take(await self._evaluate_or_keep(batch))
                else:
                    self._unguard(batch)
                await asyncio.sleep(0)  # the loop has a window to serve in between
        await self._keep_history()

    async def _evaluate_or_keep(self, batch: Sequence[Instance]) -> Sequence[Judged]:
        try:
            return await self.evaluate(await self._rules.current(), batch)
        except StoreError:
            self._rest |= {instance.id: None for instance in batch}  # for the next look
            raise

    def _next_batch(self) -> Sequence[Instance]:
        """What waits, up to a slice of it; nothing once nothing waits."""
        found: list[Instance] = []
        for waiting in (self._urgent, self._rest):
            while waiting and len(found) < SLICE:
                instance_id = next(iter(waiting))
                self._urgent.pop(instance_id, None)
                self._rest.pop(instance_id, None)
                with suppress(NotFound):
                    found.append(self._inventory.get(instance_id))
        return found

    def _take(self, judged: Sequence[Judged]) -> None:
        changed: list[ComplianceRecord] = []
        for each in judged:
            instance_id, record = each.instance.id, each.record
            before = self.judged.get(instance_id)
            self.judged[instance_id] = each
            if before is not None and (before.record.findings, before.record.compliance) == (
                record.findings,
                record.compliance,
            ):
                continue
            changed.append(record)
            if self._readonly:
                continue
            waited = self._round is not None and instance_id in self._round.waiting
            if not waited:
                self._tell_drift(before, each)
            elif self._round is not None and self._round.at_start and _has_left(each):
                self._tell_drift(None, each)
        self._show({each.instance.id: each.record.compliance.value for each in judged})
        if self._round is not None:
            self._round.judged += len(judged)
            self._round.violating += sum(each.record.compliance is Compliance.VIOLATING for each in judged)
            self._pass_round([each.instance.id for each in judged])
        if changed:
            self.changes.emit(changed)

    def _pass_round(self, instance_ids: Iterable[str]) -> None:
        """These are done, or gone; after the last one, what was found is told."""
        now = self._round
        if now is None:
            return
        now.waiting.difference_update(instance_ids)
        if now.waiting:
            return
        self._round = None
        if now.judged:
            self._events.record(
                "policy.evaluated",
                f"{now.judged} instances were judged by the rules that are on; {now.violating} violate them",
                severity=Severity.WARNING if now.violating else Severity.INFO,
                actor="console",
            )

    def _tell_drift(self, before: Judged | None, now: Judged) -> None:
        """An event where an instance has left the rules, or has come back."""
        had = _failing(before.record) if before is not None else {}
        has = _failing(now.record)
        new = [finding for key, finding in has.items() if key not in had]
        if new:
            rules = ", ".join(f"{finding.pack}/{finding.rule}" for finding in new)
            self._events.record(
                "policy.drift",
                f"{now.instance.name} does not comply any more with {rules}: {new[0].message}"
                if before is not None
                else f"{now.instance.name} does not comply with {rules}: {new[0].message}",
                subject=now.instance.id,
                severity=Severity.WARNING,
                actor="console",
                detail={"rules": [f"{one.pack}/{one.rule}" for one in new], "actual": [one.actual for one in new]},
                before=before.record.compliance.value if before is not None else None,
                after=now.record.compliance.value,
            )
        elif had and not has:
            self._events.record(
                "policy.restored",
                f"{now.instance.name} complies with all rules again",
                subject=now.instance.id,
                actor="console",
            )

    def _unguard(self, instances: Sequence[Instance]) -> None:
        """Nothing is on: nothing is said of any instance."""
        self._rules.renew()
        had = [instance.id for instance in instances if instance.compliance or instance.id in self.judged]
        gone = [_unguarded(self.judged.pop(instance_id).record) for instance_id in had if instance_id in self.judged]
        self._show(dict.fromkeys(had, ""))
        self._pass_round([instance.id for instance in instances])
        if gone:
            self.changes.emit(gone)

    def _show(self, found: Mapping[str, str]) -> None:
        if not self._readonly:  # there the console that writes says how instances stand
            self._inventory.note_compliance(found)

    async def _keep_history(self) -> None:
        now = time.time()
        if self._readonly or now - self._history_at < _HISTORY_SECONDS or not self.judged:
            return
        self._history_at = now
        judged = [(each.instance, each.record) for each in self.judged.values()]
        self._history.append(await in_daemon_thread("guardrails-history", lambda _: standing(judged, now)))


def now_and_today() -> tuple[float, str]:
    """Seconds since the epoch, and the ISO date in UTC."""
    now = time.time()
    return now, datetime.fromtimestamp(now, UTC).date().isoformat()


def _unguarded(record: ComplianceRecord) -> ComplianceRecord:
    """Of an instance that no rule looks at any more."""
    return ComplianceRecord(record.subject, time.time(), Compliance.UNGUARDED, (), 0)


def _failing(record: ComplianceRecord) -> dict[tuple[str, str], RuleFinding]:
    return {(one.pack, one.rule): one for one in record.findings if one.outcome is not Outcome.EXCEPTED}


def _has_left(each: Judged) -> bool:
    """Whether it stood better when an earlier session looked at it."""
    return each.instance.compliance == Compliance.COMPLIANT.value and each.record.compliance in (
        Compliance.VIOLATING,
        Compliance.WARNING,
    )
