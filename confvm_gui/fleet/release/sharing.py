"""Data of several owners: their cards and keys, sealed sets, agreements, and release to the guest that all approved.

A console is an owner, or runs the guest, or both; what one gives to another are files, none of them secret. Formats are
in `domain.sealed_set` and `domain.shared_data`. An owner's keys are kept under a key of a KeyStore; the share of a data
set leaves only for a guest whose report meets the conditions that this owner signed, and answers his own nonce.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, Verdict
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NotFound, ReadOnly, Unsupported
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.guest_evidence import NONCE_SIZE
from confvm_gui.domain.ports.endorsement_source import EndorsementCache
from confvm_gui.domain.ports.provider import Capability, HasEvidence, HasSecretChannel, Provider
from confvm_gui.domain.ports.repositories import BoundSecretRepository
from confvm_gui.domain.records import let_go, parse_records
from confvm_gui.domain.records_encoding import encode_table
from confvm_gui.domain.records_file import read_records_file
from confvm_gui.domain.release import BoundSecret, Challenge, SecretKind
from confvm_gui.domain.roles import Permission
from confvm_gui.domain.sealed_set import OwnerCard, OwnerKeys, SealedSet, index_of, seal_set
from confvm_gui.domain.shared_data import MAILBOX_KEY_BYTES, Agreement, ReleaseRequest, meeting_nonce, seal_release
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.inventory import Inventory
from confvm_gui.fleet.keys import KeyStores
from confvm_gui.fleet.release.examination import Refused, Release, parse_report, require_trusted, told_of
from confvm_gui.fleet.roles.access import Access
from confvm_gui.sev.sealed_box import PUBLIC_KEY_BYTES


class DataSharing:
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
        self._kept = kept
        self._stores = stores
        self._providers = providers
        self._inventory = inventory
        self._events = events
        self._access = access
        self._find_endorsements = find_endorsements
        self._readonly_reason = readonly_reason
        self._clock = clock

    # As an owner ----------------------------------------------------------------------------------------------------

    async def card(self, name: str, key_ref: str = "") -> OwnerCard:
        """What others are given of the owner `name`; his keys are made under `key_ref` where there are none yet.

        Raises InvalidInput("owner", "key") for a name or key that is none, KeyUnavailable, StoreError.
        """
        self._require(Permission.MANAGE_KEYS)
        try:
            return (await self._open(await self._kept.get(name, SecretKind.OWNER))).card(name)
        except NotFound:
            if not key_ref:
                raise InvalidInput("key", f"Name the key under which the keys of {name} are to be kept") from None
        data = OwnerKeys.generate()
        card = OwnerKeys(data).card(name)
        OwnerCard.decode(card.encode())  # a name that others could not read is refused before anything is kept
        wrapped = await self._stores.store(_scheme(key_ref)).wrap(key_ref, data)
        await self._kept.add(BoundSecret(name, SecretKind.OWNER, key_ref, wrapped, None, self._clock()))
        self._tell("release.owner", f"Keys of {name} as an owner of shared data were made", {"owner": name})
        return card

    async def seal(self, path: Path, owners: Sequence[OwnerCard]) -> bytes:
        """A records file, sealed for these owners in this order, this console's own among them.

        Raises InvalidInput("records", "owners"), NotFound, KeyUnavailable, StoreError.
        """
        self._require(Permission.MANAGE_KEYS)
        name, keys, _ = await self._own(owners)

        def encrypt() -> tuple[bytes, int]:
            table = parse_records(read_records_file(path))
            rows = list(table.rows)
            sealed = seal_set(encode_table(table), keys, name, owners, rows=len(rows), columns=table.columns)
            del table
            count = len(rows)
            let_go(rows)
            return sealed, count

        sealed, count = await asyncio.to_thread(encrypt)
        told = {"owner": name, "for": [owner.name for owner in owners], "rows": count}
        self._tell("release.sealed", f"A data set of {name} was sealed for {len(owners)} owners", told)
        return sealed

    async def approve(self, agreement: Agreement) -> Agreement:
        """With this console's signature. Raises InvalidInput("agreement"), NotFound, KeyUnavailable, StoreError."""
        self._require(Permission.MANAGE_KEYS)
        if not agreement.conditions.measurements:
            raise InvalidInput("agreement", "The agreement names no launch measurement, so that any guest would do")
        if agreement.conditions.instance:
            raise InvalidInput("agreement", "The agreement names an instance, which its owners cannot tell from others")
        name, keys, _ = await self._own(agreement.owners)
        approved = agreement.approved_by(keys)
        told = {"owner": name, "agreement": agreement.digest.hex()}
        self._tell("release.approved", f"{name} approved the agreement {agreement.name}", told)
        return approved

    async def nonce(self, agreement: Agreement) -> bytes:
        """For whoever runs the guest, good for the agreement's `max_age`. Raises InvalidInput, NotFound, StoreError."""
        self._require(Permission.OPERATE)
        agreement.require_approved()
        await self._own(agreement.owners)
        nonce = secrets.token_bytes(NONCE_SIZE)
        await self._kept.ask(Challenge(nonce, _subject(agreement), self._clock()))
        told = {"agreement": agreement.digest.hex()}
        self._tell("release.challenge", f"A nonce for the agreement {agreement.name} was given out", told)
        return nonce

    async def release(self, agreement: Agreement, sets: Sequence[SealedSet], request: ReleaseRequest) -> Release:
        """This owner's shares, sealed to the guest of the request, or why not.

        Raises InvalidInput for an agreement or data sets that are not those that all approved, NotFound,
        KeyUnavailable, StoreError; a refusal of the guest is an answer.
        """
        self._require(Permission.MANAGE_KEYS)
        agreement.require_approved()
        ordered = agreement.ordered(sets)
        name, keys, key_ref = await self._own(agreement.owners)
        verdict: Verdict | None = None
        try:
            report_data, nonce, verdict = await self._examined(agreement, agreement.number_of(keys), request)
            shares = [keys.share_of(each) for each in ordered]
            await self._use_up(agreement, nonce)
            sealed = await self._sealed(agreement, keys, key_ref, shares, report_data)
        except Refused as refused:
            verdict = refused.verdict = refused.verdict or verdict
            release = refused.release()
        except ConfvmError as error:
            self._tell_release(agreement, name, verdict, error.message)
            raise
        else:
            release = Release(sealed, "", verdict.findings)
        self._tell_release(agreement, name, verdict, release.reason)
        return release

    async def _examined(
        self, agreement: Agreement, number: int, request: ReleaseRequest
    ) -> tuple[bytes, bytes, Verdict]:
        """REPORT_DATA, this owner's nonce in it, and the verdict."""
        if request.agreement != agreement.digest:
            raise Refused("The request is for another agreement, or for other terms of it")
        if len(request.nonces) != len(agreement.owners):
            raise Refused("The request does not have one nonce for each owner")
        nonce = request.nonces[number]
        oldest = self._clock() - agreement.max_age
        waiting = [each for each in await self._kept.waiting(_subject(agreement)) if each.nonce == nonce]
        if not waiting or waiting[0].made_at < oldest:
            raise Refused("The request answers no nonce of this console that waits, or one that is too old")
        evidence, endorsements = _unpacked(request.evidence)
        report = parse_report(evidence)
        if report.report_data[PUBLIC_KEY_BYTES:] != meeting_nonce(agreement.digest, request.nonces):
            raise Refused("The report answers other nonces than those of the request")
        cache = self._find_endorsements()
        verdict = await require_trusted(evidence, endorsements, agreement.conditions, report.report_data, cache)
        return report.report_data, nonce, verdict

    async def _sealed(
        self, agreement: Agreement, keys: OwnerKeys, key_ref: str, shares: Sequence[bytes], report_data: bytes
    ) -> bytes:
        number = agreement.number_of(keys)
        mailbox_key = b""
        if number == agreement.asker:
            # One for each guest: no two of them ever encrypt under the same.
            mailbox_key = os.urandom(MAILBOX_KEY_BYTES)
            wrapped = await self._stores.store(_scheme(key_ref)).wrap(key_ref, mailbox_key)
            named = report_data[PUBLIC_KEY_BYTES:].hex()
            await self._kept.add(BoundSecret(named, SecretKind.ASK, key_ref, wrapped, None, self._clock()))
        try:
            return seal_release(agreement, number, shares, report_data=report_data, mailbox_key=mailbox_key)
        except InvalidInput as error:  # a public key to which nothing can be sealed
            raise Refused(error.message) from None

    async def _use_up(self, agreement: Agreement, nonce: bytes) -> None:
        try:
            await self._kept.answer(nonce, _subject(agreement), self._clock() - agreement.max_age)
        except NotFound as error:
            raise Refused(error.message) from None

    # As whoever runs the guest --------------------------------------------------------------------------------------

    async def request(self, agreement: Agreement, instance_id: str, nonces: Sequence[bytes]) -> ReleaseRequest:
        """What the owners are asked with: fresh evidence of this instance that answers the nonces of all of them.

        `nonces` in the owners' order. Raises InvalidInput("nonces", "agreement"), NotFound, Unsupported, GuestFault.
        """
        from confvm_gui.attestation.bundle import Bundle, pack

        self._require(Permission.OPERATE)
        agreement.require_approved()
        if len(nonces) != len(agreement.owners) or any(len(each) != NONCE_SIZE for each in nonces):
            raise InvalidInput("nonces", f"Give one nonce of {NONCE_SIZE} bytes for each owner, in the owners' order")
        provider = self._provider(instance_id)
        if not isinstance(provider, HasEvidence):
            raise Unsupported(provider.reason_unsupported(Capability.ATTESTATION))
        nonce = meeting_nonce(agreement.digest, nonces)
        found = await provider.evidence(instance_id, EvidenceFormat.SNP_REPORT, nonce)
        bundle = Bundle(found.evidence, found.endorsements, datetime.fromtimestamp(self._clock(), UTC))
        told = {"agreement": agreement.digest.hex()}
        self._tell("release.request", f"Owners were asked to release {agreement.name}", told, instance_id)
        return ReleaseRequest(agreement.digest, tuple(nonces), pack(bundle))

    async def hand_over(self, agreement: Agreement, instance_id: str, releases: Sequence[bytes]) -> None:
        """Carry what the owners released to the guest; this console asks it from then on if it is the one who may.

        Raises InvalidInput("releases"), NotFound, WrongState, Unsupported, GuestFault, EvidenceRefused, KeyUnavailable.
        """
        self._require(Permission.OPERATE)
        if len(releases) != len(agreement.owners):
            raise InvalidInput("releases", f"Give what each of the {len(agreement.owners)} owners released")
        provider = self._provider(instance_id)
        if not isinstance(provider, HasSecretChannel):
            raise Unsupported("This provider carries no secrets to running guests")
        mailbox_key = await self._mailbox_key(releases[0][:NONCE_SIZE].hex())
        await provider.hand_over(instance_id, releases, mailbox_key)
        told = {"agreement": agreement.digest.hex(), "asks": bool(mailbox_key)}
        self._tell(
            "release.handed-over", f"What owners released of {agreement.name} was handed over", told, instance_id
        )

    async def _mailbox_key(self, named: str) -> bytes:
        """b"" where this console is not the one who asks."""
        try:
            kept = await self._kept.get(named, SecretKind.ASK)
        except NotFound:
            return b""
        return await self._stores.store(_scheme(kept.key_ref)).unwrap(kept.key_ref, kept.wrapped)

    # Both -----------------------------------------------------------------------------------------------------------

    async def owner_among(self, owners: Sequence[OwnerCard]) -> int | None:
        """Number of the owner that this console is, or None. Raises KeyUnavailable, StoreError."""
        try:
            name, keys, _ = await self._own(owners)
        except NotFound:
            return None
        return index_of(keys.card(name), owners)

    async def _own(self, owners: Sequence[OwnerCard]) -> tuple[str, OwnerKeys, str]:
        for kept in await self._kept.all(SecretKind.OWNER):
            if kept.revoked_at is None:
                keys = await self._open(kept)
                if index_of(keys.card(kept.name), owners) is not None:
                    return kept.name, keys, kept.key_ref
        names = ", ".join(owner.name for owner in owners)
        raise NotFound(f"This console has the keys of none of the owners ({names}); `confvm share card` makes keys")

    async def _open(self, kept: BoundSecret) -> OwnerKeys:
        return OwnerKeys(await self._stores.store(_scheme(kept.key_ref)).unwrap(kept.key_ref, kept.wrapped))

    def _provider(self, instance_id: str) -> Provider:
        return self._providers[self._inventory.get(instance_id).provider]

    def _tell(self, action: str, message: str, told: Mapping[str, object], subject: str = "") -> None:
        self._events.record(action, message, subject=subject, detail=dict(told))

    def _tell_release(self, agreement: Agreement, name: str, verdict: Verdict | None, reason: str) -> None:
        what = f"the share of {name} in {agreement.name}"
        self._events.record(
            "release.refused" if reason else "release.given",
            f"{what[0].upper()}{what[1:]} was {f'refused: {reason}' if reason else 'given to a guest'}",
            severity=Severity.WARNING if reason else Severity.INFO,
            outcome=EventOutcome.DENIED if reason else EventOutcome.SUCCESS,
            detail={"owner": name, "agreement": agreement.digest.hex(), **told_of(verdict)},
        )

    def _require(self, permission: Permission) -> None:
        if self._readonly_reason:
            raise ReadOnly(f"{self._readonly_reason}: nothing can be sealed, approved or released from here")
        self._access.require(permission)


def _unpacked(data: bytes) -> tuple[Evidence, Endorsements]:
    from confvm_gui.attestation.bundle import unpack

    try:
        bundle = unpack(data)
    except InvalidInput as error:
        raise Refused(error.message) from None
    return bundle.evidence, bundle.endorsements


def _subject(agreement: Agreement) -> str:
    return f"agreement:{agreement.digest.hex()}"


def _scheme(key_ref: str) -> str:
    return key_ref.partition(":")[0]
