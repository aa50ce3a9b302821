"""What several owners of sealed data sets agree on, ask for and release: agreement, request, release, shared disk.

    agreement   JSON {"confvm_agreement": 1, "terms": {...}, "signatures": [hex or ""]}; each owner signs (Ed25519)
                "confvm-agreement-1" || 0 || the terms as canonical JSON. Its digest is the SHA-256 of the same bytes.
    request     JSON {"confvm_release_request": 1, "agreement", "nonces", "evidence"}: an evidence bundle whose report
                carries the guest's X25519 key (32) || SHA-256("confvm-release-nonce-1" || digest || all nonces)
    release     the report's nonce (32) || sealed to the guest's key (`sev.sealed_box`, salt = REPORT_DATA, info
                "confvm-share-1"): "CVSHARE1" | owners u32 | owner u32 | asker u32 | 0 u32 | digest 32 | the asker's
                mailbox key 32, zeros in the others' | for each data set this owner's share of its key, 32
    disk        4096 clear bytes: "CVMSHAR1" | version u32 1 | owners u32 | zeros to 64 | for each data set its id 32,
                first sector u64, bytes u64, zeros 16 | zeros; then the ciphertexts, each from a whole page on

All binary numbers little-endian. One report answers all owners: each finds his own nonce under its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.guest_evidence import NONCE_SIZE
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.domain.release import Conditions, StrictFields
from confvm_gui.domain.sealed_set import (
    MOST_OWNERS,
    SHARE_BYTES,
    SIGNATURE_BYTES,
    OwnerCard,
    OwnerKeys,
    SealedSet,
    check_owners,
    index_of,
    verify_signature,
)
from confvm_gui.domain.strict_json import parse_strictly
from confvm_gui.sev.sealed_box import PUBLIC_KEY_BYTES, seal

MAILBOX_KEY_BYTES: Final = 32
SHARED_DISK_MAGIC: Final = b"CVMSHAR1"
MOST_AGREEMENT: Final = 256 << 10
"""Bytes of an agreement's file."""
MOST_REQUEST: Final = 12 << 20

_DIGEST: Final = 32
_SECTOR: Final = 512
_AGREEMENT_LABEL: Final = b"confvm-agreement-1\0"
_NONCE_LABEL: Final = b"confvm-release-nonce-1"
_SHARE_INFO: Final = b"confvm-share-1"
_RELEASE: Final = struct.Struct("<8sIIII32s32s")
_DISK: Final = struct.Struct("<8sII48x")
_PLACE: Final = struct.Struct("<32sQQ16x")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Which guest may open the owners' data sets, and who may ask it."""

    name: str
    owners: tuple[OwnerCard, ...]
    asker: int
    """Number of the owner who asks the guest; the others and the host get no answers."""
    sets: tuple[bytes, ...]
    """Digest of each owner's data set, in the order of the owners."""
    conditions: Conditions
    max_age: int
    """Seconds after which an owner's nonce is too old."""
    signatures: tuple[bytes, ...] = field(default=(), repr=False)
    """One for each owner, b"" for one who has not approved."""

    @property
    def terms(self) -> bytes:
        """What is signed."""
        return _AGREEMENT_LABEL + json.dumps(self._terms(), sort_keys=True, ensure_ascii=False).encode()

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.terms).digest()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the owners who have not approved."""
        return tuple(o.name for o, signature in zip(self.owners, self.signatures, strict=True) if not signature)

    def approved_by(self, keys: OwnerKeys) -> Agreement:
        """With this owner's signature. Raises InvalidInput("agreement") for one who is no owner."""
        number = self.number_of(keys)
        signatures = list(self.signatures)
        signatures[number] = keys.sign(self.terms)
        return replace(self, signatures=tuple(signatures))

    def joined(self, other: Agreement) -> Agreement:
        """With the approvals of both copies. Raises InvalidInput("agreement") where their terms differ."""
        if other.terms != self.terms:
            raise _malformed("differs from the other copy of it")
        pairs = zip(self.signatures, other.signatures, strict=True)
        return replace(self, signatures=tuple(own or given for own, given in pairs))

    def number_of(self, keys: OwnerKeys) -> int:
        """Raises InvalidInput("agreement")."""
        number = index_of(keys.card(""), self.owners)
        if number is None:
            raise _malformed("does not have this console among its owners")
        return number

    def require_approved(self) -> None:
        """Raises InvalidInput("agreement") unless all owners have approved."""
        if self.missing:
            raise _malformed(f"is not approved by {', '.join(self.missing)}")

    def require_sets(self, sets: Sequence[SealedSet]) -> None:
        """Raises InvalidInput("sets") unless these are the data sets that all approved, in the owners' order."""
        given = {sealed.digest: sealed for sealed in sets}
        for owner, digest in zip(self.owners, self.sets, strict=True):
            sealed = given.get(digest)
            if sealed is None or not sealed.owner.same_keys(owner):
                raise InvalidInput("sets", f"The data set of {owner.name} is not among those given, or is another")
            if not all(own.same_keys(theirs) for own, theirs in zip(self.owners, sealed.owners, strict=True)):
                raise InvalidInput("sets", f"The data set of {owner.name} was sealed for other owners")
        if len(sets) != len(self.sets):
            raise InvalidInput("sets", "More data sets are given than the agreement has")

    def ordered(self, sets: Sequence[SealedSet]) -> Sequence[SealedSet]:
        """In the order of the owners. Raises InvalidInput("sets")."""
        self.require_sets(sets)
        return sorted(sets, key=lambda sealed: self.sets.index(sealed.digest))

    def encode(self) -> bytes:
        """The file."""
        content = {
            "confvm_agreement": 1,
            "terms": self._terms(),
            "signatures": [signature.hex() for signature in self.signatures],
        }
        return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Agreement:
        """Raises InvalidInput("agreement"), also where a signature that is there does not hold."""
        if len(data) > MOST_AGREEMENT:
            raise _malformed("is too large")
        outer = StrictFields(parse_strictly(data, _malformed, fractions=False), _malformed)
        outer.number("confvm_agreement", 1, 1)
        fields = outer.part("terms")
        owners = tuple(OwnerCard.from_fields(each) for each in fields.objects("owners", MOST_OWNERS))
        check_owners(owners, _malformed)
        signatures = outer.items("signatures", MOST_OWNERS)
        outer.end()
        found = cls(
            name=fields.text("name", 100),
            owners=owners,
            asker=fields.number("asker", 0, len(owners) - 1),
            sets=tuple(fields.hexes("sets", _DIGEST, MOST_OWNERS)),
            conditions=Conditions.from_fields(fields.part("conditions")),
            max_age=fields.number("max_age", 1, 30 * 86400),
            signatures=tuple(_signature(each) for each in signatures),
        )
        fields.end()
        if len(found.sets) != len(owners) or len(set(found.sets)) != len(owners) or len(signatures) != len(owners):
            raise _malformed("does not have one data set and one signature, or its place, for each owner")
        for owner, signature in zip(owners, found.signatures, strict=True):
            if signature:
                verify_signature(owner, signature, found.terms, _malformed)
        return found

    def _terms(self) -> dict[str, object]:
        return {
            "name": self.name,
            "owners": [owner.to_mapping() for owner in self.owners],
            "asker": self.asker,
            "sets": [digest.hex() for digest in self.sets],
            "conditions": self.conditions.to_mapping(),
            "max_age": self.max_age,
        }


def propose(
    name: str, sets: Sequence[SealedSet], conditions: Conditions, *, asker: int = 0, max_age: int = 3600
) -> Agreement:
    """An agreement over these data sets that nobody has approved yet. Raises InvalidInput."""
    if not sets:
        raise InvalidInput("sets", "An agreement is over the data sets of all owners; give their files")
    owners = sets[0].owners
    by_owner = {index_of(sealed.owner, owners): sealed.digest for sealed in sets}
    digests = tuple(by_owner.get(number, b"") for number in range(len(owners)))
    if not all(digests) or len(sets) != len(owners):
        raise InvalidInput("sets", "There must be one data set of each owner, sealed for the same owners in one order")
    agreement = Agreement(name, owners, asker, digests, conditions, max_age, (b"",) * len(owners))
    agreement.require_sets(sets)
    return Agreement.decode(agreement.encode())  # what others could not read is not proposed


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What whoever runs the guest gives to the owners."""

    agreement: bytes
    """Digest."""
    nonces: tuple[bytes, ...]
    """Of each owner, in their order."""
    evidence: bytes = field(repr=False)
    """An evidence bundle."""

    def encode(self) -> bytes:
        content = {
            "confvm_release_request": 1,
            "agreement": self.agreement.hex(),
            "nonces": [nonce.hex() for nonce in self.nonces],
            "evidence": base64.b64encode(self.evidence).decode(),
        }
        return json.dumps(content, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> ReleaseRequest:
        """Raises InvalidInput("request")."""
        if len(data) > MOST_REQUEST:
            raise _bad_request("is too large")
        fields = StrictFields(parse_strictly(data, _bad_request, fractions=False), _bad_request)
        fields.number("confvm_release_request", 1, 1)
        digest, nonces = fields.hex("agreement", _DIGEST), tuple(fields.hexes("nonces", NONCE_SIZE, MOST_OWNERS))
        text = fields.text("evidence", MOST_REQUEST)
        fields.end()
        try:
            evidence = base64.b64decode(text, validate=True)
        except ValueError:
            raise _bad_request("has evidence that is not base64") from None
        return cls(digest, nonces, evidence)


def meeting_nonce(digest: bytes, nonces: Sequence[bytes]) -> bytes:
    """What the guest's report carries behind its key, so that one report answers all owners. 32 bytes."""
    return hashlib.sha256(_NONCE_LABEL + digest + b"".join(nonces)).digest()


def seal_release(
    agreement: Agreement, owner: int, shares: Sequence[bytes], *, report_data: bytes, mailbox_key: bytes = b""
) -> bytes:
    """This owner's shares of all data sets, for the guest whose verified report carries `report_data` (64 bytes)."""
    count = len(agreement.owners)
    if len(shares) != count or any(len(share) != SHARE_BYTES for share in shares):
        raise InvalidInput("sets", "There must be one share for each data set")
    if len(mailbox_key) != (MAILBOX_KEY_BYTES if owner == agreement.asker else 0):
        raise InvalidInput("agreement", "The owner who asks releases a key for his questions, and no other does")
    head = _RELEASE.pack(b"CVSHARE1", count, owner, agreement.asker, 0, agreement.digest, mailbox_key)
    public_key, nonce = report_data[:PUBLIC_KEY_BYTES], report_data[PUBLIC_KEY_BYTES:]
    return nonce + seal(head + b"".join(shares), public_key, salt=report_data, info=_SHARE_INFO)


def build_shared_disk(agreement: Agreement, sets: Sequence[SealedSet]) -> bytes:
    """The disk of the guest that works on all data sets. Raises InvalidInput("sets")."""
    ordered = agreement.ordered(sets)
    head, body = _DISK.pack(SHARED_DISK_MAGIC, 1, len(ordered)), bytearray()
    for sealed in ordered:
        head += _PLACE.pack(sealed.set_id, (PAGE_SIZE + len(body)) // _SECTOR, len(sealed.ciphertext))
        body += sealed.ciphertext
        body += bytes(-len(body) % PAGE_SIZE)
    return head.ljust(PAGE_SIZE, b"\0") + bytes(body)


def _signature(value: object) -> bytes:
    if value == "":
        return b""
    if isinstance(value, str) and len(value) == 2 * SIGNATURE_BYTES:
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise _malformed("has a signature of another form")


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("agreement", f"The agreement {problem}")


def _bad_request(problem: str) -> InvalidInput:
    return InvalidInput("request", f"The request for a release {problem}; ask whoever runs the guest for it again")
