"""OpenPGP signatures of lists of checksums (RFC 9580), verified by Sequoia (`pysequoia`, imported when needed)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import InvalidInput, Unsupported

if TYPE_CHECKING:
    from pysequoia import Cert

LARGEST_KEYS: Final = 1 << 20
LARGEST_DETACHED: Final = 4 << 10
"""Bytes of a detached signature, of which vendors give up to three in one file: a parser is kept busy by more."""
_FAULTS: Final = (RuntimeError, ValueError, TypeError, OSError)
"""What the library raises for anything malformed or wrong."""
_CLEAR: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"


def verify_signature(data: bytes, signature: bytes | None, keys: bytes, signed_by: Sequence[str]) -> tuple[bytes, str]:
    """What was signed, and the fingerprint (upper case) of the pinned key that signed it.

    `signature` is detached, or itself a clear-text signed message whose text then is what counts (`data` does not);
    None: `data` is such a message. Keys that are not pinned in `signed_by` do not count.
    Raises InvalidInput("image") if it is not so, Unsupported where pysequoia is not installed.
    """
    try:
        import pysequoia
    except ImportError:
        raise Unsupported(
            "Signatures of images cannot be verified: pysequoia is not installed (pip install pysequoia)"
        ) from None
    pinned = {fingerprint.upper() for fingerprint in signed_by}

    def parse(text: bytes) -> list[Cert]:
        return pysequoia.Cert.split_bytes(text)

    try:
        certificates = [cert for cert in parse(keys) if cert.fingerprint.upper() in pinned]
    except _FAULTS:
        raise InvalidInput("image", "The vendor's keys cannot be read") from None
    if not certificates:
        raise InvalidInput("image", "The vendor's keys are not those that the catalogue pins by fingerprint")
    message = data if signature is None else signature
    inline = message.lstrip().startswith(_CLEAR)
    if not inline and len(message) > LARGEST_DETACHED:
        raise InvalidInput("image", f"The signature has {len(message)} bytes; up to {LARGEST_DETACHED} are read")
    try:
        if inline:
            verified = pysequoia.verify(bytes=message, store=lambda _: certificates)
        else:
            detached = pysequoia.Sig.from_bytes(message)
            verified = pysequoia.verify(bytes=data, store=lambda _: certificates, signature=detached)
    except _FAULTS:
        raise InvalidInput("image", "The signature of the checksums is wrong, or not by a key that is pinned") from None
    signers = {str(signature.certificate).upper() for signature in verified.valid_sigs} & pinned
    if not signers:
        raise InvalidInput("image", "The checksums are not signed by a key that is pinned")
    text = verified.bytes if inline else data
    if text is None:
        raise InvalidInput("image", "The signed message has no text")
    return bytes(text), min(signers)
