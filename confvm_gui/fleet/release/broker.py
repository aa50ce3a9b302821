"""Secrets that leave only for a guest whose fresh report shows what they are bound to.

    REPORT_DATA     the guest's X25519 key (32) || SHA-256("confvm-secret-nonce-1" || name in UTF-8 || 0 || nonce)
    release         the second half of REPORT_DATA (32) || sealed to the guest's key (`sev.sealed_box`, salt =
                    REPORT_DATA, info = RELEASE_INFO)

Whatever does not hold, is missing or cannot be looked up is a refusal. A nonce is used up by the release that it asked
for, and by no other; whoever carries report and release learns neither the secret nor how to open it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, Verdict
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NotFound, ReadOnly, Unsupported, WrongState
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.guest_evidence import NONCE_SIZE, GuestEvidence
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.domain.ports.provider import Capability, HasEvidence, Provider
from confvm_gui.domain.ports.repositories import BoundSecretRepository
from confvm_gui.domain.release import MAXIMUM_SECRET, RELEASE_INFO, BoundSecret, Challenge, Conditions, SecretKind
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.attest.judgement import judge_guest
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.keys import KeyStores
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.release.envelope import unwrap_secret, wrap_secret
from confvm_gui.fleet.release.examination import Refused, Release, parse_report, require_trusted, told_of
from confvm_gui.fleet.roles.access import Access
from confvm_gui.sev.sealed_box import PUBLIC_KEY_BYTES, seal
from confvm_gui.sev.snp_report import SnpReport

NONCE_SECONDS: Final = 300.0
"""How long a guest has to answer."""
LONGEST_NAME: Final = 64

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NONCE_LABEL: Final = b"confvm-secret-nonce-1"


class SecretBroker:
    """Methods that change something raise ReadOnly in a session that only reads, and Forbidden."""

    def __init__(
        self,
        kept: BoundSecretRepository,
        stores: KeyStores,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        events: EventFeed,
        access: Access,
        *,
        find_endorsements: Callable[[], EndorsementCache | None] = lambda: None,
        readonly_reason: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.changes: Observable[str] = Observable()
        """Name of a secret that was bound, given or revoked."""
        self._kept = kept
        self._stores = stores
        self._providers = providers
        self._inventory = inventory
        self._events = events
        self._access = access
        self._find_endorsements = find_endorsements
        self._readonly_reason = readonly_reason
        self._clock = clock

    async def listing(self) -> Sequence[BoundSecret]:
        """All, those that were revoked too, by name. Raises StoreError."""
        return await self._kept.all(SecretKind.BOUND)

    # Binding --------------------------------------------------------------------------------------------------------

    async def conditions_of(self, instance_id: str, *, only_this: bool = False) -> Conditions:
        """What this running instance shows now: its measurement, policy, and TCB as the floor.

        `only_this`: nobody else who shows the same. Raises NotFound, Unsupported, WrongState where its own report is
        not trusted, GuestFault.
        """
        self._access.require(Permission.MANAGE_KEYS, subject=instance_id)
        guest, verdict = await self._ask(instance_id)
        claims = verdict.claim_values()
        floors = {
            name: value
            for name, value in claims.items()
            if name.startswith("reported_tcb.") and isinstance(value, int) and not isinstance(value, bool)
        }
        return Conditions(
            measurements=(bytes.fromhex(str(claims["measurement"])),),
            policies=(str(claims["policy"]),),
            minimum=MappingProxyType(floors),
            roots=tuple(root for root in guest.reference.trusted_roots if root.spki_sha256),
            instance=instance_id if only_this else "",
        )

    async def bind(self, name: str, secret: bytes, key_ref: str, conditions: Conditions) -> BoundSecret:
        """Keep `secret`, wrapped by the key, for guests that meet the conditions.

        Raises InvalidInput (`name`, `secret`, `conditions`, `disk_key`), NameTaken, KeyUnavailable, StoreError.
        """
        self._require(Permission.MANAGE_KEYS)
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "name", f"A secret's name has 1 to {LONGEST_NAME} letters, digits, dots, dashes or underscores"
            )
        if not 0 < len(secret) <= MAXIMUM_SECRET:
            raise InvalidInput("secret", f"A secret has 1 to {MAXIMUM_SECRET} bytes, not {len(secret):,}")
        if not conditions.measurements:
            raise InvalidInput("conditions", "Name at least one launch measurement, or any guest would do")
        store = self._stores.store(key_ref.partition(":")[0])
        bound = await wrap_secret(secret, store, key_ref, name, conditions, self._clock())
        await self._kept.add(bound)
        self._events.record(
            "release.bound",
            f"The secret {name} was bound to {_told(conditions)}",
            subject=conditions.instance,
            detail={"name": name, "key": key_ref},
            after=conditions.to_mapping(),
        )
        self.changes.emit(name)
        return bound

    async def revoke(self, name: str) -> None:
        """Give it to nobody any more; what was given is with those who have it. Raises NotFound, StoreError."""
        self._require(Permission.MANAGE_KEYS)
        await self._kept.revoke(name, SecretKind.BOUND, self._clock())
        self._events.record(
            "release.revoked", f"The secret {name} was revoked", severity=Severity.WARNING, detail={"name": name}
        )
        self.changes.emit(name)

    # Release --------------------------------------------------------------------------------------------------------

    async def challenge(self, name: str) -> bytes:
        """A nonce for a guest that wants it, good for NONCE_SECONDS. Raises NotFound, WrongState, StoreError."""
        self._require(Permission.OPERATE)
        bound = await self._kept.get(name)
        if bound.revoked_at is not None:
            raise WrongState(f"The secret {name} was revoked: nobody is given it")
        nonce = secrets.token_bytes(NONCE_SIZE)
        await self._kept.ask(Challenge(nonce, _subject(name), self._clock()))
        self._events.record("release.challenge", f"A nonce for the secret {name} was given out", detail={"name": name})
        return nonce

    async def give(self, name: str, evidence: Evidence, endorsements: Endorsements) -> Release:
        """Release the secret to the guest that this is the report of, or say why not.

        Raises NotFound for a secret that is not there, StoreError, KeyUnavailable; a refusal is an answer.
        """
        self._require(Permission.OPERATE)
        bound = await self._kept.get(name)
        verdict: Verdict | None = None
        try:
            verdict, report, nonce = await self._examined(bound, evidence, endorsements)
            sealed = await self._sealed(bound, report.report_data, nonce)
        except Refused as refused:
            verdict = refused.verdict = refused.verdict or verdict
            release = refused.release()
        except ConfvmError as error:
            self._tell(name, verdict, error.message)
            raise
        else:
            release = Release(sealed, "", verdict.findings)
        self._tell(name, verdict, release.reason)
        if release.given:
            self.changes.emit(name)
        return release

    async def _examined(
        self, bound: BoundSecret, evidence: Evidence, endorsements: Endorsements
    ) -> tuple[Verdict, SnpReport, bytes]:
        """The verdict, the report and the nonce that it answers, of one who may have the secret."""
        conditions = bound.conditions
        if bound.revoked_at is not None or conditions is None:
            raise Refused("The secret was revoked")
        report = parse_report(evidence)
        nonce = await self._nonce(bound.name, report.report_data[PUBLIC_KEY_BYTES:])
        cache = self._find_endorsements()
        verdict = await require_trusted(evidence, endorsements, conditions, report.report_data, cache)
        if conditions.instance:
            await self._require_instance(conditions.instance, verdict)
        return verdict, report, nonce

    async def _nonce(self, name: str, answered: bytes) -> bytes:
        """Which of the nonces that wait this is the answer to."""
        oldest = self._clock() - NONCE_SECONDS
        for each in await self._kept.waiting(_subject(name)):
            if secrets.compare_digest(nonce_digest(name, each.nonce), answered):
                if each.made_at < oldest:
                    raise Refused("The report answers a nonce that is too old; ask for another")
                return each.nonce
        raise Refused("The report answers no nonce that waits for this secret, or one that was answered before")

    async def _require_instance(self, instance_id: str, verdict: Verdict) -> None:
        """The report is of this instance: the same REPORT_ID, which the firmware draws for each launch."""
        try:
            _, own = await self._ask(instance_id)
        except ConfvmError as error:
            raise Refused(f"The one instance that may have it could not be asked: {error.message}", verdict) from error
        wanted, found = own.claim("report_id"), verdict.claim("report_id")
        if not wanted or wanted != found or own.claim("chip_id") != verdict.claim("chip_id"):
            raise Refused("The report is of another instance than the one that may have the secret", verdict)

    async def _sealed(self, bound: BoundSecret, report_data: bytes, nonce: bytes) -> bytes:
        conditions = bound.conditions
        if conditions is None:
            raise Refused("The secret was never to be released")
        secret = await unwrap_secret(bound, conditions, self._stores.store(bound.key_ref.partition(":")[0]))
        try:
            sealed = seal(secret, report_data[:PUBLIC_KEY_BYTES], salt=report_data, info=RELEASE_INFO)
        except InvalidInput as error:
            raise Refused(error.message) from None
        try:
            # Of two who come with the same report, one gets through.
            await self._kept.answer(nonce, _subject(bound.name), self._clock() - NONCE_SECONDS)
        except NotFound as error:
            raise Refused(error.message) from None
        if (await self._kept.get(bound.name)).revoked_at is not None:
            raise Refused("The secret was revoked meanwhile")
        await self._kept.count(bound.name)
        return report_data[PUBLIC_KEY_BYTES:] + sealed

    async def _ask(self, instance_id: str) -> tuple[GuestEvidence, Verdict]:
        """The instance's own fresh report, trusted."""
        instance = self._inventory.get(instance_id)
        if self._readonly_reason:
            raise Unsupported(f"{self._readonly_reason}: {instance.name} cannot be asked from here")
        provider = self._providers[instance.provider]
        if not isinstance(provider, HasEvidence):
            raise Unsupported(provider.reason_unsupported(Capability.ATTESTATION))
        if EvidenceFormat.SNP_REPORT not in provider.evidence_formats(instance_id):
            raise Unsupported(f"{instance.name} gives no SEV-SNP report: only a running SEV-SNP instance does")
        guest = await provider.evidence(instance_id, EvidenceFormat.SNP_REPORT, secrets.token_bytes(NONCE_SIZE))
        verdict = (await judge_guest(guest, self._find_endorsements())).verdict
        if not verdict.trusted:
            raise WrongState(f"The report of {instance.name} is not trusted; see its attestation panel")
        return guest, verdict

    def _tell(self, name: str, verdict: Verdict | None, reason: str) -> None:
        self._events.record(
            "release.refused" if reason else "release.given",
            f"The secret {name} was refused: {reason}" if reason else f"The secret {name} was given to a guest",
            severity=Severity.WARNING if reason else Severity.INFO,
            outcome=EventOutcome.DENIED if reason else EventOutcome.SUCCESS,
            detail={"name": name, **told_of(verdict)},
        )

    def _require(self, permission: Permission) -> None:
        if self._readonly_reason:
            raise ReadOnly(f"{self._readonly_reason}: no secret can be bound or given from here")
        self._access.require(permission)


def nonce_digest(name: str, nonce: bytes) -> bytes:
    """What a guest's REPORT_DATA has behind its key (32 bytes): for this secret and no other."""
    return hashlib.sha256(_NONCE_LABEL + name.encode() + b"\0" + nonce).digest()


def _subject(name: str) -> str:
    return f"secret:{name}"


def _told(conditions: Conditions) -> str:
    count = len(conditions.measurements)
    return f"{count} launch measurement" + ("s" if count > 1 else "")
