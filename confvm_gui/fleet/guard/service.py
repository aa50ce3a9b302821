"""Guardrails of a session: denies launches, judges every instance on every change, tells of drift.

Rules are evaluated in a thread, one batch after the other; what is told and kept is told and kept on the event loop.
A session that only reads judges requests and packs when it is asked, and shows what the other console found.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import PolicyDenied, StoreError
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, LaunchRequest
from confvm_gui.domain.policy import (
    Compliance,
    CompliancePoint,
    ComplianceRecord,
    Mode,
    Outcome,
    Pack,
    RuleFinding,
)
from confvm_gui.domain.ports.repositories import Store
from confvm_gui.fleet.background import Background
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.guard.fixes import FixOutcome, apply_fixes, denials
from confvm_gui.fleet.guard.knowledge import Knowledge
from confvm_gui.fleet.guard.rules import Rules
from confvm_gui.fleet.identity import current_user
from confvm_gui.fleet.inventory import Inventory, InventoryChange
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.settings import Settings
from confvm_gui.policy.evaluate import RuleBook
from confvm_gui.policy.facts import Facts, Known, instance_facts, request_facts
from confvm_gui.policy.standing import standing

if TYPE_CHECKING:
    from confvm_gui.domain.attestation_record import AttestationRecord
    from confvm_gui.domain.exposure import ExposureResult

_AGAIN_SECONDS: Final = 600.0
"""Facts that only time changes (the age of evidence, an image's end of support) are looked at so often."""
_SHOWN_AT_ONCE: Final = 500
_HISTORY_SECONDS: Final = 60.0
"""At most one moment of the history in so long."""


@dataclass(frozen=True, slots=True)
class PackTest:
    """What a pack would find in the present fleet if it were enforced everywhere."""

    pack: str
    version: int
    instances: int
    compliant: int
    by_rule: Mapping[str, tuple[str, ...]]
    """Rule → ids of the instances that it does not hold for."""
    points: tuple[CompliancePoint, ...]
    """By provider, label and rule."""
    faults: tuple[tuple[str, str], ...]
    """Rules that cannot be evaluated at all, and why."""


@dataclass(frozen=True, slots=True)
class _Judged:
    instance: Instance
    facts: Facts
    record: ComplianceRecord


class Guardrails:
    """What a window or a command line asks of the rules."""

    def __init__(
        self,
        catalog: Catalog,
        inventory: Inventory,
        store: Store,
        events: EventFeed,
        settings: Settings,
        *,
        readonly_reason: str = "",
    ) -> None:
        self.changes: Observable[Sequence[ComplianceRecord]] = Observable()
        """Records of instances that stand in another way than before."""
        self.rules = Rules(store.policies, events, settings, readonly_reason=readonly_reason)
        self._catalog = catalog
        self._inventory = inventory
        self._compliance = store.compliance
        self._events = events
        self._readonly_reason = readonly_reason
        self._knowledge = Knowledge(store.operations, store.evidence)
        self._judged: dict[str, _Judged] = {}
        self._pending: set[str] = set()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._history_at = 0.0
        self._new_rules = True
        """Whether what is found next says more of the rules than of the instances."""
        self._background = Background()

    async def load(self) -> None:
        """Read what is on disk. Raises StoreError."""
        await self.rules.load()

    def start(self) -> None:
        """Judge all instances now, and each one when it changes."""
        self._inventory.changes.subscribe(self._on_inventory)
        self.rules.changes.subscribe(self._on_rules)
        self._background.start(self._follow(), "guardrails")
        if self.rules.assignments():
            self._judge_all()

    async def aclose(self) -> None:
        await self._background.aclose()

    # Requests -------------------------------------------------------------------------------------------------------

    async def check(self, request: LaunchRequest) -> ComplianceRecord:
        """What the rules that are on say of a request."""
        return await self._check(await self.rules.current(), request)

    async def check_with(
        self, request: LaunchRequest, packs: Sequence[Pack], mode: Mode = Mode.ENFORCE
    ) -> ComplianceRecord:
        """What these packs say of a request, whether they are on or not."""
        return await self._check(self.rules.book_of(packs, mode), request)

    async def fix(
        self, request: LaunchRequest, *, packs: Sequence[Pack] | None = None, disk_keys: Sequence[str] = ()
    ) -> FixOutcome:
        """The nearest request that passes, as far as values are known that do; see `fixes.apply_fixes`."""
        book = await self.rules.current() if packs is None else self.rules.book_of(packs, Mode.ENFORCE)
        now, today = _now()

        def check(changed: LaunchRequest) -> ComplianceRecord:
            return book.check_request(request_facts(self._catalog, changed, today), now)

        return await in_daemon_thread(
            "guardrails-fix", lambda _: apply_fixes(self._catalog, request, check, disk_keys=disk_keys)
        )

    async def require_allowed(self, request: LaunchRequest) -> None:
        """Raises PolicyDenied with the rule, the field and what would pass; the denial is recorded."""
        record = await self.check(request)
        if record.denied:
            found = denials(record)
            more = f" ({len(found) - 1} more rules deny it)" if len(found) > 1 else ""
            message = f"Denied by {found[0].pack}/{found[0].rule}: {found[0].message}{more}"
            self._record_denial(request, message, found)
            raise PolicyDenied(message, field=found[0].field, record=record)
        for finding in record.findings:
            if finding.outcome is Outcome.EXCEPTED:
                self._events.record(
                    "policy.exception-used",
                    f"{request.name} is launched under an exception of {finding.pack}/{finding.rule}",
                    severity=Severity.WARNING,
                )

    # The fleet ------------------------------------------------------------------------------------------------------

    def record(self, instance_id: str) -> ComplianceRecord | None:
        """What was found of an instance last; None where nothing was evaluated yet."""
        judged = self._judged.get(instance_id)
        return None if judged is None else judged.record

    def records(self) -> Sequence[tuple[Instance, ComplianceRecord]]:
        return [(each.instance, each.record) for each in self._judged.values()]

    async def standing(self) -> Sequence[CompliancePoint]:
        """Counts of this moment: of all, by provider, label and rule."""
        judged, now = self.records(), time.time()
        return await in_daemon_thread("guardrails-standing", lambda _: standing(judged, now))

    async def history(self, kind: str = "fleet", key: str = "", *, limit: int = 500) -> Sequence[CompliancePoint]:
        """Oldest first. Raises StoreError."""
        return await self._compliance.history(kind, key, limit=limit)

    async def test(self, pack: Pack) -> PackTest:
        """What `pack` would find in the present fleet."""
        instances = tuple(self._inventory.all())
        await self._knowledge.learn([instance.id for instance in instances])
        book = self.rules.book_of([pack], Mode.ENFORCE)
        judged = await self._evaluate(book, instances)
        by_rule: dict[str, list[str]] = {rule.id: [] for rule in pack.rules}
        for each in judged:
            for finding in each.record.findings:
                by_rule.setdefault(finding.rule, []).append(each.instance.id)
        return PackTest(
            pack.name,
            pack.version,
            len(judged),
            sum(each.record.compliance is Compliance.COMPLIANT for each in judged),
            {rule: tuple(ids) for rule, ids in by_rule.items()},
            tuple(standing([(each.instance, each.record) for each in judged], time.time())),
            tuple(self.rules.ready(pack).faults),
        )

    async def report(self, where: str) -> str:
        """The compliance report of this moment as one HTML page. `where`: whose fleet it is, for people."""
        from confvm_gui.policy.report import ReportContent, ReportEntry, report_html  # the window starts without it

        content = ReportContent(
            at=time.time(),
            made_by=current_user(),
            where=where,
            entries=[
                ReportEntry(each.instance, each.record, self._knowledge.get(instance_id).evidence)
                for instance_id, each in self._judged.items()
            ],
            points=await self.standing(),
            packs=self.rules.packs(),
            assignments=self.rules.assignments(),
            exceptions=self.rules.exceptions(),
        )
        return await in_daemon_thread("guardrails-report", lambda _: report_html(content))

    async def judge_now(self) -> None:
        """Judge all instances and wait for it. Raises StoreError."""
        self._pending.update(instance.id for instance in self._inventory.all())
        await self._judge_pending()

    def note_attestation(self, record: AttestationRecord) -> None:
        """A verdict came."""
        if record.instance_id:
            self._knowledge.note_record(record)
            self._judge_later([record.instance_id])

    def note_exposure(self, result: ExposureResult) -> None:
        """An exposure scan ended."""
        self._knowledge.note_exposure(result)
        self._judge_later([result.instance_id])

    # Inside ---------------------------------------------------------------------------------------------------------

    def _record_denial(self, request: LaunchRequest, message: str, found: Sequence[RuleFinding]) -> None:
        self._events.record(
            "policy.denied",
            f"The launch of {request.name} was refused. {message}",
            severity=Severity.WARNING,
            detail={"rules": [f"{one.pack}/{one.rule}" for one in found], "fields": [one.field for one in found]},
        )

    async def _check(self, book: RuleBook, request: LaunchRequest) -> ComplianceRecord:
        now, today = _now()
        facts = request_facts(self._catalog, request, today)
        return await in_daemon_thread("guardrails-check", lambda _: book.check_request(facts, now))

    def _on_rules(self, _: None) -> None:
        self._new_rules = True
        self._judge_all()

    def _on_inventory(self, change: InventoryChange) -> None:
        for instance_id in change.removed:
            self._judged.pop(instance_id, None)
            self._pending.discard(instance_id)
        self._knowledge.forget(change.removed)
        self._judge_later(instance.id for instance in change.upserted if self._tells_more(instance))

    def _tells_more(self, instance: Instance) -> bool:
        """Whether more has changed than what no rule reads: many instances change their load each second."""
        judged = self._judged.get(instance.id)
        if judged is None:
            return True
        return replace(judged.instance, load=instance.load, compliance=instance.compliance) != instance

    def _judge_later(self, instance_ids: Iterable[str]) -> None:
        if self.rules.assignments() or self._judged:
            self._pending.update(instance_ids)
            self._wake.set()

    def _judge_all(self) -> None:
        self._pending.update(instance.id for instance in self._inventory.all())
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._seconds_to_next_look())
            if not self._wake.is_set() and self.rules.assignments():
                self.rules.renew()  # an exception may have ended
                self._judge_all()
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
        ends = [one.until - now for one in self.rules.exceptions() if one.until > now]
        return min([_AGAIN_SECONDS, *(seconds + 0.1 for seconds in ends)])

    async def _judge_pending(self) -> None:
        async with self._turn:
            wanted, self._pending = self._pending, set()
            known = {instance.id: instance for instance in self._inventory.all()}
            instances = [known[instance_id] for instance_id in wanted if instance_id in known]
            if not self.rules.assignments():
                await self._unguard(instances)
                return
            new_rules, self._new_rules = self._new_rules, False
            await self._knowledge.learn([instance.id for instance in instances])
            judged = await self._evaluate(await self.rules.current(), instances)
            await self._take(judged, new_rules)
        await self._keep_history()

    async def _evaluate(self, book: RuleBook, instances: Sequence[Instance]) -> Sequence[_Judged]:
        known: Mapping[str, Known] = {instance.id: self._knowledge.get(instance.id) for instance in instances}
        now, today = _now()

        def evaluate(_: object) -> Sequence[_Judged]:
            found = []
            for instance in instances:
                facts = instance_facts(self._catalog, instance, known[instance.id], now, today)
                found.append(_Judged(instance, facts, book.check_instance(instance.id, facts, now)))
            return found

        return await in_daemon_thread("guardrails", evaluate)

    async def _take(self, judged: Sequence[_Judged], new_rules: bool) -> None:
        changed: list[ComplianceRecord] = []
        for each in judged:
            before = self._judged.get(each.instance.id)
            self._judged[each.instance.id] = each
            if (
                before is None
                or before.record.findings != each.record.findings
                or (before.record.compliance is not each.record.compliance)
            ):
                changed.append(each.record)
                if not new_rules:
                    self._tell_drift(before, each)
        await self._show({each.instance.id: each.record.compliance.value for each in judged})
        if new_rules and judged:
            failing = sum(each.record.compliance is Compliance.VIOLATING for each in judged)
            self._events.record(
                "policy.evaluated",
                f"{len(judged)} instances were judged by the rules that are on; {failing} violate them",
                severity=Severity.WARNING if failing else Severity.INFO,
                actor="console",
            )
        if changed:
            self.changes.emit(changed)

    def _tell_drift(self, before: _Judged | None, now: _Judged) -> None:
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
            )
        elif had and not has:
            self._events.record(
                "policy.restored",
                f"{now.instance.name} complies with all rules again",
                subject=now.instance.id,
                actor="console",
            )

    async def _unguard(self, instances: Sequence[Instance]) -> None:
        """Nothing is on: nothing is said of any instance."""
        self.rules.renew()
        had = [instance.id for instance in instances if instance.compliance or instance.id in self._judged]
        for instance_id in had:
            self._judged.pop(instance_id, None)
        await self._show(dict.fromkeys(had, ""))

    async def _show(self, found: Mapping[str, str]) -> None:
        """In slices: the loop has a window to serve in between."""
        items = list(found.items())
        for at in range(0, len(items), _SHOWN_AT_ONCE):
            self._inventory.note_compliance(dict(items[at : at + _SHOWN_AT_ONCE]))
            await asyncio.sleep(0)

    async def _keep_history(self) -> None:
        now = time.time()
        if self._readonly_reason or now - self._history_at < _HISTORY_SECONDS or not self._judged:
            return
        self._history_at = now
        judged = self.records()
        self._compliance.append(await in_daemon_thread("guardrails-history", lambda _: standing(judged, now)))


def _failing(record: ComplianceRecord) -> dict[tuple[str, str], RuleFinding]:
    return {(one.pack, one.rule): one for one in record.findings if one.outcome is not Outcome.EXCEPTED}


def _now() -> tuple[float, str]:
    now = time.time()
    return now, datetime.fromtimestamp(now, UTC).date().isoformat()
