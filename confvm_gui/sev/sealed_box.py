"""Sealing a short secret to whoever has an X25519 private key.

    sealing key   HKDF-SHA256(X25519 shared secret, salt, info), 32 bytes
    sealed        ephemeral public key (32) || ciphertext || tag (16), by AES-256-CCM (SP 800-38C) with a nonce of 13
                  zero bytes (each sealing key is used once) and the ephemeral public key authenticated

X25519: RFC 7748. HKDF: RFC 5869. `salt` and `info` say what the secret is for: sealed for one thing it does not open as
another. That somebody in particular sealed it, the seal does not prove.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confvm_gui.sev.errors import InvalidInput, require_length

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

PUBLIC_KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
OVERHEAD: Final = PUBLIC_KEY_BYTES + TAG_BYTES
"""Bytes that a sealed secret is longer than the secret."""

_NONCE: Final = bytes(13)


def seal(secret: bytes, public_key: bytes, *, salt: bytes, info: bytes, ephemeral: bytes | None = None) -> bytes:
    """Seal `secret` to `public_key` (32 bytes).

    `ephemeral` is the private key (32 bytes) for known-answer tests; without it a fresh one is made, used once and
    forgotten. Raises InvalidInput("public_key" or "ephemeral").
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    require_length(public_key, PUBLIC_KEY_BYTES, "public_key", "An X25519 public key")
    if ephemeral is not None:
        require_length(ephemeral, PUBLIC_KEY_BYTES, "ephemeral", "The owner's ephemeral key")
    own = X25519PrivateKey.generate() if ephemeral is None else X25519PrivateKey.from_private_bytes(ephemeral)
    cipher = _cipher(own, public_key, salt, info)
    own_key = own.public_key().public_bytes_raw()
    return own_key + cipher.encrypt(_NONCE, secret, own_key)


def unseal(sealed: bytes, private: X25519PrivateKey, *, salt: bytes, info: bytes) -> bytes:
    """What `seal` sealed. InvalidInput("sealed") if it was not sealed to this key, salt and info, or was altered."""
    from cryptography.exceptions import InvalidTag

    if len(sealed) <= OVERHEAD:
        raise InvalidInput("sealed", f"A sealed secret cannot have {len(sealed):,} bytes")
    ephemeral = sealed[:PUBLIC_KEY_BYTES]
    try:
        return _cipher(private, ephemeral, salt, info).decrypt(_NONCE, sealed[PUBLIC_KEY_BYTES:], ephemeral)
    except InvalidTag:
        raise InvalidInput("sealed", "The secret was not sealed to this key and for this use, or was altered") from None


def _cipher(private: X25519PrivateKey, public: bytes, salt: bytes, info: bytes) -> AESCCM:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        # A point of small order gives zero with every key: whoever sent it would know the sealing key (RFC 7748, 6.1).
        raise InvalidInput("public_key", "The public key is one with which nothing can be kept secret") from None
    return AESCCM(HKDF(SHA256(), 32, salt, info).derive(shared), tag_length=TAG_BYTES)
