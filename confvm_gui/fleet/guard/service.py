"""Guardrails of a session: what they deny, how every instance stands, what a pack would find, what an auditor reads.

A session that only reads judges instances, requests and packs when it is asked, and shows in the fleet what the other
console found.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from confvm_gui.catalog import Catalog
from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import PolicyDenied
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.policy import (
    Assignment,
    Compliance,
    CompliancePoint,
    ComplianceRecord,
    Mode,
    Outcome,
    Pack,
    RuleFinding,
)
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.domain.ports.repositories import Store
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.guard.fixes import FixOutcome, apply_fixes, denials
from confvm_gui.fleet.guard.judge import Judge, now_and_today
from confvm_gui.fleet.guard.knowledge import Knowledge
from confvm_gui.fleet.guard.rules import EXCEPTION, Rules
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.job_context import Copy
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.settings import Settings
from confvm_gui.policy.evaluate import RuleBook, Switched
from confvm_gui.policy.facts import Facts, instance_facts, request_facts
from confvm_gui.policy.standing import standing

if TYPE_CHECKING:
    from confvm_gui.domain.attestation_record import AttestationRecord
    from confvm_gui.domain.exposure import ExposureResult
    from confvm_gui.policy.report import ReportContent


@dataclass(frozen=True, slots=True)
class PackTest:
    """What a pack would find in the present fleet if it were enforced there."""

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


class Guardrails:
    """What a window or a command line asks of the rules."""

    def __init__(
        self,
        catalog: Catalog,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        store: Store,
        events: EventFeed,
        settings: Settings,
        access: Access,
        approvals: Approvals,
        *,
        readonly_reason: str = "",
    ) -> None:
        self.rules = Rules(store.policies, events, settings, access, approvals, readonly_reason=readonly_reason)
        self._catalog = catalog
        self._providers = providers
        self._inventory = inventory
        self._store = store
        self._events = events
        self._access = access
        self._readonly = bool(readonly_reason)
        self._knowledge = Knowledge(store.operations, store.evidence)
        self._judge = Judge(
            catalog, inventory, events, self.rules, self._knowledge, store.compliance, readonly=self._readonly
        )
        approvals.on_approved(EXCEPTION, self.rules.grant_approved)

    @property
    def changes(self) -> Observable[Sequence[ComplianceRecord]]:
        """Records of instances that stand in another way than before."""
        return self._judge.changes

    async def load(self) -> None:
        """Read what is on disk. Raises StoreError."""
        await self.rules.load()

    def start(self) -> None:
        """Judge all instances now, and each one when it changes."""
        self._judge.start()

    async def aclose(self) -> None:
        await self._judge.aclose()

    # Requests -------------------------------------------------------------------------------------------------------

    async def check(self, request: LaunchRequest) -> ComplianceRecord:
        """What the rules that are on say of a request."""
        return await self._check_request(await self.rules.current(), request)

    async def check_with(
        self, request: LaunchRequest, packs: Sequence[Pack], mode: Mode = Mode.ENFORCE
    ) -> ComplianceRecord:
        """What these packs say of a request, whether they are on or not."""
        return await self._check_request(await self.rules.book_of(packs, mode), request)

    async def fix(
        self,
        request: LaunchRequest,
        *,
        packs: Sequence[Pack] | None = None,
        disk_keys: Sequence[str] = (),
        warnings: bool = False,
    ) -> FixOutcome:
        """The nearest request that passes and that its provider can run; see `fixes.apply_fixes`."""
        book = await self.rules.current() if packs is None else await self.rules.book_of(packs, Mode.ENFORCE)
        provider = self._providers.get(request.provider)
        technologies = provider.technologies if provider is not None else None
        now, today = now_and_today()

        def check(changed: LaunchRequest) -> ComplianceRecord:
            return book.check_request(request_facts(self._catalog, changed, today), now)

        return await in_daemon_thread(
            "guardrails-fix",
            lambda _: apply_fixes(
                self._catalog, request, check, technologies=technologies, disk_keys=disk_keys, warnings=warnings
            ),
        )

    async def require_allowed(self, wanted: LaunchRequest | Copy) -> None:
        """Raises PolicyDenied with the rule, the field and the nearest change that passes; the denial is recorded."""
        name = wanted.name
        if isinstance(wanted, Copy):
            record = await self._check_copy(wanted.source, name)
        else:
            record = await self.check(wanted)
        if record.denied:
            found = denials(record)
            first = found[0]
            others = "1 more rule denies it" if len(found) == 2 else f"{len(found) - 1} more rules deny it"
            more = f" ({others})" if len(found) > 1 else ""
            message = f"Denied by {first.pack}/{first.rule}, for its {first.field}: {first.message}{more}"
            if not isinstance(wanted, Copy):
                message += _nearest(await self.fix(wanted))
            self._record_denial(name, message, found)
            raise PolicyDenied(message, field=first.field, record=record)
        for finding in record.findings:
            if finding.outcome is Outcome.EXCEPTED:
                self._events.record(
                    "policy.exception-used",
                    f"{name} is launched under an exception of {finding.pack}/{finding.rule}",
                    severity=Severity.WARNING,
                )

    # The fleet ------------------------------------------------------------------------------------------------------

    def record(self, instance_id: str) -> ComplianceRecord | None:
        """What was found of an instance last; None where nothing was evaluated yet."""
        judged = self._judge.judged.get(instance_id)
        return None if judged is None else judged.record

    def records(self) -> Sequence[tuple[Instance, ComplianceRecord]]:
        return [(each.instance, each.record) for each in self._judge.judged.values()]

    async def standing(self) -> Sequence[CompliancePoint]:
        """Counts of this moment: of all, by provider, label and rule."""
        judged, now = self.records(), time.time()
        return await in_daemon_thread("guardrails-standing", lambda _: standing(judged, now))

    async def history(self, kind: str = "fleet", key: str = "", *, limit: int = 500) -> Sequence[CompliancePoint]:
        """Oldest first. Raises StoreError."""
        return await self._store.compliance.history(kind, key, limit=limit)

    async def test(
        self, pack: Pack, *, labels: Mapping[str, str] = MappingProxyType({}), provider: str = ""
    ) -> PackTest:
        """What `pack` would find in the present fleet, or in the part of it that has all of `labels` at `provider`.

        Raises StoreError.
        """
        part = Switched(Assignment(pack.name, pack.version, Mode.ENFORCE, labels, provider), None)
        instances = [one for one in self._inventory.all() if part.concerns(one.labels, one.provider)]
        judged = await self._judge.evaluate(await self.rules.book_of([pack], Mode.ENFORCE), instances)
        faults = self.rules.ready(pack).faults

        def count(_: object) -> PackTest:
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
                tuple(faults),
            )

        return await in_daemon_thread("guardrails-test", count)

    async def report(self, where: str) -> ReportContent:
        """All that the compliance report of this moment says. `where`: whose fleet it is, for people.

        Raises StoreError.
        """
        from confvm_gui.fleet.guard.evidence import attachments  # the window starts without these
        from confvm_gui.policy.report import ReportContent, ReportEntry

        judged = list(self._judge.judged.values())
        attached = await attachments(self._store.evidence, [each.instance for each in judged])
        return ReportContent(
            at=time.time(),
            made_by=self._access.user,
            where=where,
            entries=[ReportEntry(each.instance, each.record, attached.of.get(each.instance.id, ())) for each in judged],
            points=await self.standing(),
            packs=self.rules.packs(),
            assignments=self.rules.assignments(),
            exceptions=self.rules.exceptions(),
            left_out=attached.left_out,
        )

    def note_report(self, name: str, digest: str, instances: int) -> None:
        """A report was written; `digest`: SHA-256 of the file, in hex."""
        self._events.record(
            "policy.report-made",
            f"A compliance report over {instances} instances was written: {name}",
            detail={"sha256": digest},
        )

    async def judge_now(self) -> None:
        """Judge all instances and wait for it; a session that only reads asks first what is on. Raises StoreError."""
        if self._readonly:
            await self.rules.load()
        await self._judge.judge_now()

    def note_attestation(self, record: AttestationRecord) -> None:
        """A verdict came."""
        if record.instance_id:
            self._knowledge.note_record(record)
            self._judge.judge_later([record.instance_id])

    def note_exposure(self, result: ExposureResult) -> None:
        """An exposure scan ended."""
        self._knowledge.note_exposure(result)
        self._judge.judge_later([result.instance_id])

    # Inside ---------------------------------------------------------------------------------------------------------

    def _record_denial(self, name: str, message: str, found: Sequence[RuleFinding]) -> None:
        self._events.record(
            "policy.denied",
            f"The launch of {name} was refused. {message}",
            severity=Severity.WARNING,
            outcome=EventOutcome.DENIED,
            detail={"rules": [f"{one.pack}/{one.rule}" for one in found], "fields": [one.field for one in found]},
        )

    async def _check_request(self, book: RuleBook, request: LaunchRequest) -> ComplianceRecord:
        now, today = now_and_today()
        return await self._check(book, request_facts(self._catalog, request, today), now)

    async def _check_copy(self, source: Instance, name: str) -> ComplianceRecord:
        """A copy is launched as its source was; where that is not known, it is judged by what its source is."""
        await self._knowledge.learn([source.id])
        known = self._knowledge.get(source.id)
        if known.request is not None:
            return await self.check(replace(known.request, name=name))
        now, today = now_and_today()
        copy = replace(source, name=name, state=InstanceState.CREATING, trust=Trust.UNKNOWN, attested_at=None)
        return await self._check(
            await self.rules.current(), instance_facts(self._catalog, copy, known, now, today), now
        )

    async def _check(self, book: RuleBook, facts: Facts, now: float) -> ComplianceRecord:
        return await in_daemon_thread("guardrails-check", lambda _: book.check_request(facts, now))


def _nearest(fixed: FixOutcome) -> str:
    """What would pass, to stand behind a denial."""
    if not fixed.changes:
        return ""
    changes = ", ".join(f"{one.field} {one.after}" for one in fixed.changes)
    return f". With {changes} " + ("less would be denied" if fixed.record.denied else "it would be allowed")
