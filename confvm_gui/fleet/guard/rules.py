"""The rules of a session: packs, where they are on, and exceptions. Every change of them is an audited event."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Final

from confvm_gui.domain.approval import Approval
from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.event import Severity
from confvm_gui.domain.policy import Assignment, Mode, Pack, RuleException
from confvm_gui.domain.ports.repositories import PolicyRepository
from confvm_gui.domain.ports.signer import Signer
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.approvals.service import Approvals
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.guard.shelf import Shelf
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.settings import Settings
from confvm_gui.policy.evaluate import ReadyPack, RuleBook, Switched
from confvm_gui.policy.pack_file import dump_pack, parse_pack, signature_holds, signed_message

REQUIRE_SIGNED: Final = "policy.require_signed"
"""Setting: administrators' packs must be signed to be on."""
LONGEST_EXCEPTION: Final = 30 * 86400.0
"""Seconds. What has to last longer is a change of the rules."""
MOST_ASSIGNMENTS: Final = 100
EXCEPTION: Final = "policy.exception"
"""Kind of approval."""


class Rules:
    """What is asked for: packs by name and version, assignments, exceptions.

    What changes them raises ReadOnly in a session that only reads, and Forbidden for who may not change guardrails.
    """

    def __init__(
        self,
        policies: PolicyRepository,
        events: EventFeed,
        settings: Settings,
        access: Access,
        approvals: Approvals,
        *,
        readonly_reason: str = "",
    ) -> None:
        self.changes: Observable[None] = Observable()
        """Packs, assignments or exceptions are other than before."""
        self.signer: Signer | None = None
        """Signs packs, where the session has a key."""
        self._policies = policies
        self._events = events
        self._settings = settings
        self._access = access
        self._approvals = approvals
        self._readonly_reason = readonly_reason
        self._shelf = Shelf(())
        self._assignments: tuple[Assignment, ...] = ()
        self._exceptions: tuple[RuleException, ...] = ()
        self._book: RuleBook | None = None

    async def load(self) -> None:
        """Read what is on disk. Raises StoreError."""
        self._shelf = Shelf(await self._policies.packs())
        self._assignments = tuple(await self._policies.assignments())
        self._exceptions = tuple(await self._policies.exceptions())

    # Packs ----------------------------------------------------------------------------------------------------------

    def packs(self) -> Sequence[Pack]:
        """All, by name, newest version first."""
        return self._shelf.all()

    def pack(self, name: str, version: int | None = None) -> Pack:
        """The newest version where none is named. Raises NotFound."""
        return self._shelf.get(name, version)

    def import_pack(self, text: str) -> Pack:
        """Take in an administrator's pack. It is not on yet. Raises InvalidInput("pack")."""
        return self._keep(parse_pack(text), "policy.pack-imported", "was taken in")

    def copy_pack(self, name: str, new_name: str, version: int | None = None) -> Pack:
        """A copy that can be changed. Raises NotFound, InvalidInput("pack")."""
        copy = self._shelf.copy_of(self._shelf.get(name, version), new_name)
        return self._keep(copy, "policy.pack-copied", f"was made as a copy of {name}")

    async def sign_pack(self, name: str, version: int | None = None) -> Pack:
        """Sign a pack with the data directory's key.

        Raises NotFound, InvalidInput("pack"), KeyUnavailable.
        """
        self._require_right()
        pack = self._shelf.get(name, version)
        if pack.shipped or self.signer is None:
            why = "it came with the console" if pack.shipped else "this session has no key to sign with"
            raise InvalidInput("pack", f"{name} cannot be signed: {why}")
        signed = replace(pack, signature=await self.signer.sign(signed_message(pack)))
        return self._keep(signed, "policy.pack-signed", "was signed", before=pack)

    async def signature_of(self, pack: Pack) -> str:
        """`shipped`, `unsigned`, `signed`, `bad`, or `unknown` where there is no key to compare with."""
        if pack.shipped:
            return "shipped"
        if not pack.signature:
            return "unsigned"
        if self.signer is None:
            return "unknown"
        return "signed" if signature_holds(pack, await self.signer.public_key()) else "bad"

    def remove_pack(self, name: str, version: int) -> None:
        """Raises NotFound, InvalidInput("pack") while it is assigned."""
        self._require_right()
        if any((one.pack, one.version) == (name, version) for one in self._assignments):
            raise InvalidInput("pack", f"{name} {version} is assigned; take it off first")
        before = self._shelf.get(name, version)
        self._shelf.remove(name, version)
        self._policies.remove_pack(name, version)
        self._record("policy.pack-removed", f"Pack {name} {version} was removed", before=_pack_told(before))

    # What is on -----------------------------------------------------------------------------------------------------

    def assignments(self) -> Sequence[Assignment]:
        return self._assignments

    async def assign(self, assignments: Sequence[Assignment]) -> None:
        """Put these in place of all that were. Raises NotFound, InvalidInput("pack"), KeyUnavailable."""
        self._require_right()
        if len(assignments) > MOST_ASSIGNMENTS:
            raise InvalidInput("pack", f"At most {MOST_ASSIGNMENTS} assignments are kept")
        for one in assignments:
            problem = await self._unusable(self._shelf.get(one.pack, one.version))
            if problem and one.mode is not Mode.OFF:
                raise InvalidInput("pack", problem)
        before, self._assignments = self._assignments, tuple(assignments)
        self._policies.put_assignments(assignments)
        told = _told(self._assignments)
        self._record(
            "policy.assigned",
            f"Packs of rules that are on: {', '.join(told) or 'none'}",
            severity=Severity.WARNING,
            before=_told(before),
            after=told,
        )

    @property
    def signed_only(self) -> bool:
        """Whether administrators' packs must be signed to be on."""
        return self._settings.get(REQUIRE_SIGNED, False)

    def require_signed(self, on: bool) -> None:
        """From now on. A pack that is on and not signed denies what it looks at."""
        self._require_right()
        self._settings.put(REQUIRE_SIGNED, on)
        self.renew()
        self.changes.emit(None)

    def exceptions(self) -> Sequence[RuleException]:
        """Those that have ended too."""
        return self._exceptions

    async def grant(self, pack: str, rule: str, subject: str, reason: str, seconds: float) -> RuleException:
        """Do not enforce a rule for `subject` (a name, "" for all) for a while.

        Raises NotFound, InvalidInput("reason" or "until"), NeedsApproval once a second person was asked.
        """
        self._require_right()
        self._check_exception(pack, rule, reason, seconds)
        title = f"Not enforcing {pack}/{rule} for {subject or 'all instances'}"
        intent = {"pack": pack, "rule": rule, "subject": subject, "reason": reason.strip(), "seconds": seconds}
        await self._approvals.require(EXCEPTION, f"{pack}/{rule}", title, intent)
        return self._grant(uuid.uuid4().hex, pack, rule, subject, reason, seconds, self._access.user)

    async def grant_approved(self, approval: Approval) -> None:
        """The exception that two people want: its time begins now. Raises NotFound, InvalidInput."""
        told = {key: str(approval.intent.get(key, "")) for key in ("pack", "rule", "subject", "reason")}
        asked = approval.intent.get("seconds")
        seconds = float(asked) if isinstance(asked, int | float) else 0.0
        self._check_exception(told["pack"], told["rule"], told["reason"], seconds)
        by = f"{approval.asked_by}, approved by {approval.decided_by}"
        # The request's id: carried out twice, it is one exception.
        self._grant(approval.id, told["pack"], told["rule"], told["subject"], told["reason"], seconds, by)

    def revoke(self, exception_id: str) -> None:
        """End an exception now. Raises NotFound."""
        self._require_right()
        now = time.time()
        for one in self._exceptions:
            if one.id == exception_id and one.until > now:
                ended = replace(one, until=now)
                self._exceptions = tuple(ended if other is one else other for other in self._exceptions)
                self._policies.put_exception(ended)
                self._record(
                    "policy.exception-ended",
                    f"{one.pack}/{one.rule} is enforced again for {one.subject or 'all'}",
                    before=asdict(one),
                    after=asdict(ended),
                )
                return
        raise NotFound("This exception is not known, or has ended")

    # For who judges ---------------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Look at signatures and exceptions anew."""
        self._book = None

    async def prepare(self, packs: Sequence[Pack] = ()) -> None:
        """Read the console's packs and compile what is on, and these, in a thread: the first time takes a while."""
        wanted = [(one.pack, one.version) for one in self._assignments]

        def compile_all(_: object) -> None:
            known = {(pack.name, pack.version): pack for pack in self._shelf.all()}
            for pack in (*packs, *(known[key] for key in wanted if key in known)):
                self._shelf.ready(pack)

        await in_daemon_thread("guardrails-compile", compile_all)

    def ready(self, pack: Pack) -> ReadyPack:
        """Compiled."""
        return self._shelf.ready(pack)

    async def current(self) -> RuleBook:
        """The book of what is on now."""
        if self._book is None:
            await self.prepare()
            problems = [await self._problem(one) for one in self._assignments]
            assignments, exceptions = self._assignments, self._exceptions
            switched = [
                Switched(one, None if problem else self._shelf.ready(self._shelf.get(one.pack, one.version)), problem)
                for one, problem in zip(assignments, problems, strict=True)
            ]
            book = RuleBook(switched, exceptions)
            if (assignments, exceptions) != (self._assignments, self._exceptions):
                return await self.current()  # changed while signatures were looked at
            self._book = book
        return self._book

    async def _problem(self, assignment: Assignment) -> str:
        try:
            return await self._unusable(self._shelf.get(assignment.pack, assignment.version))
        except NotFound:
            damage = f" ({self._shelf.damaged[0]})" if self._shelf.damaged else ""
            return f"The pack {assignment.pack} {assignment.version} is on, but is not there any more{damage}"

    async def _unusable(self, pack: Pack) -> str:
        """Why a pack may not be on, or ""."""
        state = await self.signature_of(pack)
        if state == "bad":
            return f"The signature of {pack.name} {pack.version} does not hold: it was changed, or signed elsewhere"
        if state == "unsigned" and self.signed_only:
            return f"{pack.name} {pack.version} is not signed, and only signed packs may be on; sign it"
        return ""

    async def book_of(self, packs: Sequence[Pack], mode: Mode) -> RuleBook:
        """Of these packs, whether they are on or not."""
        await self.prepare(packs)
        return RuleBook(
            [Switched(Assignment(pack.name, pack.version, mode), self._shelf.ready(pack)) for pack in packs],
            self._exceptions,
        )

    # Inside ---------------------------------------------------------------------------------------------------------

    def _require_right(self) -> None:
        if self._readonly_reason:
            raise ReadOnly(self._readonly_reason)
        self._access.require(Permission.MANAGE_POLICY)

    def _check_exception(self, pack: str, rule: str, reason: str, seconds: float) -> None:
        if rule not in [known.id for known in self._shelf.get(pack).rules]:
            raise NotFound(f"{pack} has no rule {rule!r}")
        if not reason.strip():
            raise InvalidInput("reason", "Say why; an auditor will ask")
        if not 0 < seconds <= LONGEST_EXCEPTION:
            raise InvalidInput("until", "An exception lasts at most 30 days; for longer, change the rules")

    def _grant(
        self, exception_id: str, pack: str, rule: str, subject: str, reason: str, seconds: float, by: str
    ) -> RuleException:
        exception = RuleException(exception_id, pack, rule, subject, reason.strip(), by, time.time() + seconds)
        others = [one for one in self._exceptions if one.id != exception_id]
        self._exceptions = (exception, *others)
        self._policies.put_exception(exception)
        until = datetime.fromtimestamp(exception.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._record(
            "policy.exception-granted",
            f"{pack}/{rule} is not enforced for {subject or 'all instances'} until {until}: {exception.reason}",
            severity=Severity.WARNING,
            detail={"exception": exception.id, "until": exception.until, "granted_by": by},
            after=asdict(exception),
        )
        return exception

    def _keep(self, pack: Pack, action: str, what: str, before: Pack | None = None) -> Pack:
        self._require_right()
        self._shelf.add(pack)
        self._policies.put_pack(pack.name, pack.version, dump_pack(pack))
        told = None if before is None else _pack_told(before)
        self._record(action, f"Pack {pack.name} {pack.version} {what}", before=told, after=_pack_told(pack))
        return pack

    def _record(
        self,
        action: str,
        message: str,
        *,
        severity: Severity = Severity.INFO,
        detail: Mapping[str, object] | None = None,
        before: object = None,
        after: object = None,
    ) -> None:
        """The rules were changed: an audited event, and a new look at everything."""
        self._events.record(action, message, severity=severity, detail=detail, before=before, after=after)
        self.renew()
        self.changes.emit(None)


def _pack_told(pack: Pack) -> dict[str, object]:
    """What tells a pack from another in the audit log: a rule that was changed changes the digest."""
    text = dump_pack(pack)
    return {
        "name": pack.name,
        "version": pack.version,
        "rules": [rule.id for rule in pack.rules],
        "signed": bool(pack.signature),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _told(assignments: Sequence[Assignment]) -> list[str]:
    """`hygiene 1 (enforce), env=prod, provider embedded`, one for each."""
    found = []
    for one in assignments:
        parts = [f"{one.pack} {one.version} ({one.mode.value})", *(f"{k}={v}" for k, v in sorted(one.labels.items()))]
        found.append(", ".join([*parts, f"provider {one.provider}"] if one.provider else parts))
    return found
