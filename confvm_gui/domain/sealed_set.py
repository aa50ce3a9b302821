"""One owner's data set, sealed so that only what all owners release together opens it.

    magic "CVSEALD1" | version u32 1 | header_size u32 | header, JSON | signature 64 | ciphertext

    header       {"owner", "owners", "id", "rows", "columns", "bytes", "sha256", "shares"}: who sealed it, the cards of
                 all owners in their order, a random id of 32 bytes, names of the columns, bytes and SHA-256 of the
                 ciphertext, and for each owner a share of 32 random bytes, sealed to his sealing key (`sev.sealed_box`,
                 salt = id || number of the owner u32, info "confvm-share-of-set-1")
    signature    Ed25519 (RFC 8032) of the owner who sealed it, over all that is before it
    key          HKDF-SHA256(all shares in the owners' order, salt = id, info = "confvm-shared-set-1"), 32 bytes
    ciphertext   chunks of 65,536 bytes, the last one shorter: AES-256-GCM (SP 800-38D), tag behind, nonce = number of
                 the chunk u32 | 1 for the last one, else 0, u32 | 0 u32

All little-endian. The key is kept nowhere, and no owner has more than his own share of it, not even whoever sealed the
set. A chunk that is altered, moved or left out does not open.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.release import StrictFields
from confvm_gui.domain.strict_json import parse_strictly
from confvm_gui.sev.sealed_box import OVERHEAD, PUBLIC_KEY_BYTES, seal, unseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

MOST_OWNERS: Final = 8
MOST_CIPHERTEXT: Final = 64 << 20
"""Bytes; the records guest takes no more."""
SHARE_BYTES: Final = 32
CHUNK_BYTES: Final = 65_536
TAG_BYTES: Final = 16
ID_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_MAGIC: Final = b"CVSEALD1"
_VERSION: Final = 1
_HEAD: Final = struct.Struct("<8sII")
_PLACE: Final = struct.Struct("<III")
_NUMBER: Final = struct.Struct("<I")
_MOST_HEADER: Final = 64 << 10
_MOST_COLUMNS: Final = 64
_LONGEST_NAME: Final = 100
_SHARE_INFO: Final = b"confvm-share-of-set-1"
_KEY_INFO: Final = b"confvm-shared-set-1"


@dataclass(frozen=True, slots=True)
class OwnerCard:
    """What others know of an owner: the file that he gives them."""

    name: str
    """For people; what counts are the keys."""
    signing_key: bytes
    """Ed25519, 32 bytes."""
    sealing_key: bytes
    """X25519, 32 bytes."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over both keys, hex: to be compared by telephone before the first use."""
        return hashlib.sha256(self.signing_key + self.sealing_key).hexdigest()

    def same_keys(self, other: OwnerCard) -> bool:
        return (self.signing_key, self.sealing_key) == (other.signing_key, other.sealing_key)

    def to_mapping(self) -> dict[str, str]:
        """For JSON."""
        return {
            "name": self.name,
            "signing_key": self.signing_key.hex(),
            "sealing_key": self.sealing_key.hex(),
        }

    def encode(self) -> bytes:
        """The file."""
        return json.dumps({"confvm_owner": 1, **self.to_mapping()}, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> OwnerCard:
        """Raises InvalidInput("owner")."""

        def malformed(problem: str) -> InvalidInput:
            return InvalidInput("owner", f"The owner's card {problem}; ask the owner for the file again")

        if len(data) > _MOST_HEADER:
            raise malformed("is too large")
        fields = StrictFields(parse_strictly(data, malformed, fractions=False), malformed)
        fields.number("confvm_owner", 1, 1)
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: StrictFields) -> OwnerCard:
        """Raises InvalidInput with the field of `fields`."""
        card = cls(
            fields.text("name", _LONGEST_NAME),
            fields.hex("signing_key", PUBLIC_KEY_BYTES),
            fields.hex("sealing_key", PUBLIC_KEY_BYTES),
        )
        fields.end()
        return card


class OwnerKeys:
    """An owner's private keys. Neither printed nor pickled."""

    __slots__ = ("_sealing", "_signing")

    SIZE: Final = 64

    def __init__(self, data: bytes) -> None:
        """`data`: Ed25519 seed (32) || X25519 private key (32), as `KeyStore` wraps it."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        if len(data) != self.SIZE:
            raise InvalidInput("owner", "The owner's keys are damaged")
        self._signing: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(data[:32])
        self._sealing: X25519PrivateKey = X25519PrivateKey.from_private_bytes(data[32:])

    @staticmethod
    def generate() -> bytes:
        """New ones, to be wrapped."""
        return os.urandom(OwnerKeys.SIZE)

    def __repr__(self) -> str:
        return "<OwnerKeys>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an owner's keys are neither pickled nor copied")

    def card(self, name: str) -> OwnerCard:
        return OwnerCard(
            name, self._signing.public_key().public_bytes_raw(), self._sealing.public_key().public_bytes_raw()
        )

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def share_of(self, sealed_set: SealedSet) -> bytes:
        """This owner's share of the set's key. Raises InvalidInput("set")."""
        number = index_of(self.card(""), sealed_set.owners)
        if number is None:
            raise InvalidInput("set", f"The data set of {sealed_set.owner.name} was not sealed for this owner")
        salt = sealed_set.set_id + _NUMBER.pack(number)
        try:
            share = unseal(sealed_set.shares[number], self._sealing, salt=salt, info=_SHARE_INFO)
        except InvalidInput:
            raise InvalidInput("set", "This owner's share of the data set does not open with his key") from None
        if len(share) != SHARE_BYTES:
            raise InvalidInput("set", "This owner's share of the data set has another length")
        return share


@dataclass(frozen=True, slots=True)
class SealedSet:
    """A sealed data set, its signature verified."""

    owner: OwnerCard
    owners: tuple[OwnerCard, ...]
    set_id: bytes
    rows: int
    columns: tuple[str, ...]
    shares: tuple[bytes, ...]
    """Sealed, in the order of the owners."""
    digest: bytes
    """SHA-256 of all up to the signature: what an agreement names."""
    ciphertext: bytes = field(repr=False)

    @classmethod
    def decode(cls, data: bytes) -> SealedSet:
        """Raises InvalidInput("set") for what is malformed, altered, or not signed by its owner."""
        if len(data) < _HEAD.size:
            raise _malformed("is too short")
        magic, version, size = _HEAD.unpack_from(data)
        if magic != _MAGIC or version != _VERSION:
            raise _malformed("is none, or was made by a newer console")
        end = _HEAD.size + size
        if size > _MOST_HEADER or len(data) < end + SIGNATURE_BYTES:
            raise _malformed("is cut short")
        fields = StrictFields(parse_strictly(data[_HEAD.size : end], _malformed, fractions=False), _malformed)
        ciphertext = data[end + SIGNATURE_BYTES :]
        bytes_ = fields.number("bytes", TAG_BYTES + 1, MOST_CIPHERTEXT)
        sha256 = fields.hex("sha256", 32)
        found = cls(
            owner=OwnerCard.from_fields(fields.part("owner")),
            owners=tuple(OwnerCard.from_fields(each) for each in fields.objects("owners", MOST_OWNERS)),
            set_id=fields.hex("id", ID_BYTES),
            rows=fields.number("rows", 1, 1_000_000),
            columns=tuple(_names(fields)),
            shares=tuple(fields.hexes("shares", OVERHEAD + SHARE_BYTES, MOST_OWNERS)),
            digest=hashlib.sha256(data[:end]).digest(),
            ciphertext=ciphertext,
        )
        fields.end()
        check_owners(found.owners, _malformed)
        if index_of(found.owner, found.owners) is None or len(found.shares) != len(found.owners):
            raise _malformed("does not have a share for each owner")
        verify_signature(found.owner, data[end : end + SIGNATURE_BYTES], data[:end], _malformed)
        if len(ciphertext) != bytes_ or hashlib.sha256(ciphertext).digest() != sha256:
            raise _malformed("was altered, or is cut short")
        return found


def seal_set(
    plain: bytes, keys: OwnerKeys, name: str, owners: Sequence[OwnerCard], *, rows: int, columns: Sequence[str]
) -> bytes:
    """The file. `plain` is what the guest reads; `owners` in the order that all use, the sealing one too.

    Raises InvalidInput("owners", "records").
    """

    def unfit(problem: str) -> InvalidInput:
        return InvalidInput("owners", f"The list of owners {problem}")

    check_owners(owners, unfit)
    number = index_of(keys.card(name), owners)
    if number is None:
        raise unfit("does not have this owner's card in it")
    set_id = os.urandom(ID_BYTES)
    shares = [os.urandom(SHARE_BYTES) for _ in owners]
    ciphertext = _encrypt(plain, set_key(set_id, shares))
    if len(ciphertext) > MOST_CIPHERTEXT:
        raise InvalidInput("records", f"The records take more than the {MOST_CIPHERTEXT >> 20} MiB of a data set")
    header = {
        "owner": owners[number].to_mapping(),
        "owners": [owner.to_mapping() for owner in owners],
        "id": set_id.hex(),
        "rows": rows,
        "columns": list(columns),
        "bytes": len(ciphertext),
        "sha256": hashlib.sha256(ciphertext).hexdigest(),
        "shares": [
            seal(share, owner.sealing_key, salt=set_id + _NUMBER.pack(at), info=_SHARE_INFO).hex()
            for at, (owner, share) in enumerate(zip(owners, shares, strict=True))
        ],
    }
    text = json.dumps(header, ensure_ascii=False, sort_keys=True).encode()
    if len(text) > _MOST_HEADER:
        raise InvalidInput("records", "The names of the records' columns take too much room")
    head = _HEAD.pack(_MAGIC, _VERSION, len(text)) + text
    return head + keys.sign(head) + ciphertext


def set_key(set_id: bytes, shares: Sequence[bytes]) -> bytes:
    """The key of a data set from all its shares, in the order of the owners. A missing share gives another key."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, set_id, _KEY_INFO).derive(b"".join(shares))


def open_ciphertext(ciphertext: bytes, key: bytes) -> bytes:
    """As the guest does it; for rehearsals and tests. InvalidInput("set") where the key opens nothing."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, plain = AESGCM(key), bytearray()
    try:
        for number, at in enumerate(range(0, len(ciphertext), CHUNK_BYTES)):
            last = at + CHUNK_BYTES >= len(ciphertext)
            plain += cipher.decrypt(_PLACE.pack(number, last, 0), ciphertext[at : at + CHUNK_BYTES], None)
    except InvalidTag:
        raise InvalidInput("set", "The data set does not open with this key, or was altered") from None
    return bytes(plain)


def index_of(card: OwnerCard, owners: Sequence[OwnerCard]) -> int | None:
    """Number of the owner with these keys."""
    return next((number for number, owner in enumerate(owners) if owner.same_keys(card)), None)


def verify_signature(
    card: OwnerCard, signature: bytes, message: bytes, malformed: Callable[[str], InvalidInput]
) -> None:
    """Raises what `malformed` makes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(card.signing_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise malformed(f"was not signed by {card.name}, or was altered since") from None


def check_owners(owners: Sequence[OwnerCard], malformed: Callable[[str], InvalidInput]) -> None:
    """Two to eight, no keys twice. Raises what `malformed` makes."""
    if not 2 <= len(owners) <= MOST_OWNERS:
        raise malformed(f"has {len(owners)} owners; there are two to {MOST_OWNERS}")
    keys = {owner.signing_key for owner in owners} | {owner.sealing_key for owner in owners}
    if len(keys) != 2 * len(owners):
        raise malformed("has one owner's keys twice")


def _encrypt(plain: bytes, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, out, text = AESGCM(key), bytearray(), CHUNK_BYTES - TAG_BYTES
    for number, at in enumerate(range(0, len(plain), text)):
        out += cipher.encrypt(_PLACE.pack(number, at + text >= len(plain), 0), plain[at : at + text], None)
    return bytes(out)


def _names(fields: StrictFields) -> Sequence[str]:
    names = fields.items("columns", _MOST_COLUMNS)
    if not names or not all(isinstance(name, str) for name in names):
        raise _malformed("names no columns")
    return [str(name) for name in names]


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("set", f"The sealed data set {problem}; ask its owner for the file again")
