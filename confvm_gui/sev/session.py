"""The session that a guest owner hands to LAUNCH_START: transport keys for the firmware alone (55766, LAUNCH_START).

Both sides agree on Z, the x-coordinate of the ECDH of the guest owner's DH key and the platform's PDH:

    master   = KDF(Z, "sev-master-secret", NONCE)
    KEK, KIK = KDF(master, "sev-kek"), KDF(master, "sev-kik")

128 bytes:

    0x00 NONCE 16 | 0x10 WRAP_TK 32 = AES-128-CTR(KEK, WRAP_IV, TEK || TIK) | 0x30 WRAP_IV 16
    0x40 WRAP_MAC 32 = HMAC-SHA-256(KIK, WRAP_TK) | 0x60 POLICY_MAC 32 = HMAC-SHA-256(TIK, POLICY)
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final, NoReturn, Self

from confvm_gui.sev import aes_ctr
from confvm_gui.sev.errors import InvalidInput, require_length
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.kdf import derive
from confvm_gui.sev.key_material import TransportKey

SESSION_SIZE: Final = 128


@dataclass(frozen=True, slots=True)
class TransportKeys:
    """TEK and TIK, shared by guest owner and firmware for one launch."""

    tek: TransportKey
    """Transport encryption key."""
    tik: TransportKey
    """Transport integrity key."""

    @classmethod
    def generate(cls) -> Self:
        return cls(TransportKey.generate(), TransportKey.generate())

    def wipe(self) -> None:
        """Destroy both."""
        self.tek.wipe()
        self.tik.wipe()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("TransportKeys are neither pickled nor copied")


@dataclass(frozen=True, slots=True)
class LaunchSession:
    """The session blob. Nothing in it is secret."""

    nonce: bytes
    wrapped_keys: bytes
    wrap_iv: bytes
    wrap_mac: bytes
    policy_mac: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Decode SESSION_SIZE bytes; InvalidInput("session")."""
        require_length(data, SESSION_SIZE, "session", "A launch session")
        return cls(data[:0x10], data[0x10:0x30], data[0x30:0x40], data[0x40:0x60], data[0x60:])

    def to_bytes(self) -> bytes:
        """SESSION_SIZE bytes."""
        return self.nonce + self.wrapped_keys + self.wrap_iv + self.wrap_mac + self.policy_mac

    @classmethod
    def build(cls, shared_secret: bytes, keys: TransportKeys, policy: GuestPolicy, *, nonce: bytes, iv: bytes) -> Self:
        """As the guest owner: wrap `keys` under `shared_secret` (Z) and bind them to `policy`.

        `nonce` and `iv` are 16 fresh random bytes each.
        """
        require_length(nonce, 16, "session", "A session's nonce")
        kek, kik = _wrapping_keys(shared_secret, nonce)
        tik = keys.tik.reveal()
        wrapped = aes_ctr.crypt(kek, iv, keys.tek.reveal() + tik)
        return cls(
            nonce=nonce,
            wrapped_keys=wrapped,
            wrap_iv=iv,
            wrap_mac=hmac.digest(kik, wrapped, "sha256"),
            policy_mac=hmac.digest(tik, policy.to_bytes(), "sha256"),
        )

    def open(self, shared_secret: bytes, policy: GuestPolicy) -> TransportKeys:
        """As the platform: unwrap the keys, after both MACs were checked.

        InvalidInput("session") if the keys were not wrapped for this platform or not for this policy.
        """
        kek, kik = _wrapping_keys(shared_secret, self.nonce)
        if not hmac.compare_digest(hmac.digest(kik, self.wrapped_keys, "sha256"), self.wrap_mac):
            raise InvalidInput(
                "session", "The launch session was not made for this platform's PDH; make it anew with its certificate"
            )
        plain = aes_ctr.crypt(kek, self.wrap_iv, self.wrapped_keys)
        tek, tik = plain[:16], plain[16:]
        if not hmac.compare_digest(hmac.digest(tik, policy.to_bytes(), "sha256"), self.policy_mac):
            raise InvalidInput(
                "session", "The launch session was made for another guest policy; launch with the owner's policy"
            )
        return TransportKeys(TransportKey(tek), TransportKey(tik))


def _wrapping_keys(shared_secret: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    master = derive(shared_secret, b"sev-master-secret", nonce)
    return derive(master, b"sev-kek"), derive(master, b"sev-kik")
