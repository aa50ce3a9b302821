"""ID block and ID authentication information of SNP_LAUNCH_FINISH (56860, ID_BLOCK and ID_AUTH_INFO).

With them the guest's owner signs what is to be launched; the firmware refuses to start anything else, and reports the
digests of the keys.

    ID block, 0x60:   LD 48 | FAMILY_ID 16 | IMAGE_ID 16 | VERSION u32 = 1 | GUEST_SVN u32 | POLICY u64
    ID auth, 0x1000:  000 ID_KEY_ALGO u32 | 004 AUTHOR_KEY_ALGO u32 | 040 ID_BLOCK_SIG 512 | 240 ID_KEY 0x404
                      680 ID_KEY_SIG 512 | 880 AUTHOR_KEY 0x404 | zeros elsewhere

The ID key signs the ID block, the author key, if there is one, signs the 0x404 bytes of the ID key. Algorithm 1 is
ECDSA on P-384 with SHA-384. A key's digest is the SHA-384 of its 0x404 bytes.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.sev.ecc_format import ECDSA_SIZE, PUBLIC_KEY_SIZE, decode_public_key, encode_public_key
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.key_usage import Algorithm
from confvm_gui.sev.signature import SIGNATURE_SIZE, sign, verify
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.status import Status

ID_BLOCK_SIZE: Final = 0x60
ID_AUTH_SIZE: Final = 0x1000
ECDSA_P384_SHA384: Final = 1

_BLOCK: Final = struct.Struct("<48s16s16sIIQ")
_AUTH: Final = struct.Struct("<II56s512s1028s60s512s1028s892s")


@dataclass(frozen=True, slots=True)
class IdBlock:
    """What is to be launched."""

    launch_digest: bytes
    """48 bytes."""
    policy: SnpPolicy
    """Must be the policy of the launch."""
    family_id: bytes = bytes(16)
    """The owner's to choose; reported."""
    image_id: bytes = bytes(16)
    """The owner's to choose; reported."""
    guest_svn: int = 0
    version: int = 1

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode ID_BLOCK_SIZE bytes; InvalidInput("id-block") for another length or version."""
        require_length(data, ID_BLOCK_SIZE, "id-block", "An ID block")
        launch_digest, family_id, image_id, version, guest_svn, policy = _BLOCK.unpack(data)
        if version != 1:
            raise InvalidInput("id-block", f"The ID block has version {version}; only 1 is known")
        return cls(launch_digest, SnpPolicy(policy), family_id, image_id, guest_svn, version)

    def to_bytes(self) -> bytes:
        """ID_BLOCK_SIZE bytes; InvalidInput("id-block") if a field does not fit."""
        for content, size in ((self.launch_digest, 48), (self.family_id, 16), (self.image_id, 16)):
            require_length(content, size, "id-block", "This field of an ID block")
        if not 0 <= self.guest_svn < 1 << 32:
            raise InvalidInput("id-block", f"A guest's SVN has 32 bits; {self.guest_svn} does not fit")
        return _BLOCK.pack(
            self.launch_digest, self.family_id, self.image_id, self.version, self.guest_svn, self.policy.value
        )


@dataclass(frozen=True, slots=True)
class IdAuth:
    """Who says so. Keys are the 0x404 bytes in which SEV writes them, signatures 512 bytes."""

    id_block_signature: bytes
    id_key: bytes
    id_key_signature: bytes = bytes(SIGNATURE_SIZE)
    author_key: bytes = bytes(PUBLIC_KEY_SIZE)
    id_key_algorithm: int = ECDSA_P384_SHA384
    author_key_algorithm: int = 0
    """Zero without an author key."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode ID_AUTH_SIZE bytes; InvalidInput("id-auth") for another length or bytes that must be zero."""
        require_length(data, ID_AUTH_SIZE, "id-auth", "ID authentication information")
        (
            id_algorithm,
            author_algorithm,
            zeros_08,
            block_signature,
            id_key,
            zeros_644,
            key_signature,
            author_key,
            zeros_c84,
        ) = _AUTH.unpack(data)
        if any(zeros_08) or any(zeros_644) or any(zeros_c84):
            raise InvalidInput("id-auth", "Reserved bytes of the ID authentication information are not zero")
        return cls(block_signature, id_key, key_signature, author_key, id_algorithm, author_algorithm)

    @classmethod
    def sign(
        cls, block: IdBlock, id_key: ec.EllipticCurvePrivateKey, author_key: ec.EllipticCurvePrivateKey | None = None
    ) -> Self:
        """Sign `block` with keys on P-384; InvalidInput("id-key") for another curve.

        Old firmware takes no launch without an author key (INVALID_PARAM).
        """
        for key in (id_key, author_key):
            if key is not None and not isinstance(key.curve, ec.SECP384R1):
                raise InvalidInput("id-key", f"ID and author keys are on P-384, not {key.curve.name}")
        public = encode_public_key(id_key.public_key())
        signature = sign(id_key, Algorithm.ECDSA_SHA384, block.to_bytes())
        if author_key is None:
            return cls(signature, public)
        return cls(
            signature,
            public,
            sign(author_key, Algorithm.ECDSA_SHA384, public),
            encode_public_key(author_key.public_key()),
            author_key_algorithm=ECDSA_P384_SHA384,
        )

    def to_bytes(self) -> bytes:
        """ID_AUTH_SIZE bytes."""
        return _AUTH.pack(
            self.id_key_algorithm,
            self.author_key_algorithm,
            b"",
            self.id_block_signature,
            self.id_key,
            b"",
            self.id_key_signature,
            self.author_key,
            b"",
        )

    @property
    def has_author_key(self) -> bool:
        return self.author_key_algorithm != 0 or any(self.author_key)

    @property
    def id_key_digest(self) -> bytes:
        """48 bytes, as ID_KEY_DIGEST of a report."""
        return hashlib.sha384(self.id_key).digest()

    @property
    def author_key_digest(self) -> bytes:
        """48 bytes, as AUTHOR_KEY_DIGEST of a report: zeros without an author key."""
        return hashlib.sha384(self.author_key).digest() if self.has_author_key else bytes(48)

    def signs(self, block: IdBlock) -> bool:
        """Whether the ID key signed `block`."""
        return _is_signed(self.id_key_algorithm, self.id_key, self.id_block_signature, block.to_bytes())

    def certifies_id_key(self) -> bool:
        """Whether there is an author key and it signed the ID key."""
        return _is_signed(self.author_key_algorithm, self.author_key, self.id_key_signature, self.id_key)


def check_id_block(
    block: IdBlock, auth: IdAuth, *, launch_digest: bytes, policy: SnpPolicy, author_key_enabled: bool
) -> Status:
    """What the firmware answers to SNP_LAUNCH_FINISH with an ID block, in its order of checks.

    The digest first (BAD_MEASUREMENT), then the policy (POLICY_FAILURE), then the signature of the ID key and, with
    AUTHOR_KEY_EN, of the author key (BAD_SIGNATURE).
    """
    if block.launch_digest != launch_digest:
        return Status.BAD_MEASUREMENT
    if block.policy != policy:
        return Status.POLICY_FAILURE
    if not auth.signs(block) or (author_key_enabled and not auth.certifies_id_key()):
        return Status.BAD_SIGNATURE
    return Status.SUCCESS


def _is_signed(algorithm: int, key_field: bytes, signature: bytes, data: bytes) -> bool:
    """Whether a key in SEV's form signed `data`; False too for a key or signature that is none."""
    if algorithm != ECDSA_P384_SHA384:
        return False
    try:
        key = decode_public_key(key_field)
    except InvalidInput:
        return False
    if not isinstance(key.curve, ec.SECP384R1) or not any(signature[:ECDSA_SIZE]):
        return False
    return verify(key, Algorithm.ECDSA_SHA384, signature, data)
