"""PEM (RFC 7468) out of text: certificates and revocation lists."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from confvm_gui.domain.errors import InvalidInput

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_MARK: Final = b"-----BEGIN "
MAX_BLOCKS: Final = 64


def is_pem(data: bytes) -> bool:
    """Whether a PEM block stands near the beginning."""
    return _MARK in data[:4096]


def pem_blocks(data: bytes, field: str = "endorsements") -> list[tuple[str, bytes]]:
    """(label, DER) of every block in `data`; InvalidInput(`field`) if one is malformed, or there are too many."""
    if data.count(_MARK) > MAX_BLOCKS:
        raise InvalidInput(field, f"The PEM text has more than {MAX_BLOCKS} blocks")
    found = []
    for match in _BLOCK.finditer(data):
        try:
            der = base64.b64decode(b"".join(match[2].split()), validate=True)
        except (ValueError, binascii.Error):
            raise InvalidInput(field, "A PEM block is not valid base64") from None
        found.append((match[1].decode("ascii"), der))
    if len(found) != data.count(_MARK):
        raise InvalidInput(field, "A PEM block is cut short or malformed")
    return found


def pem_certificates(data: bytes, field: str = "endorsements") -> tuple[bytes, ...]:
    """DER of every certificate in `data`."""
    return tuple(der for label, der in pem_blocks(data, field) if label in ("CERTIFICATE", "X509 CERTIFICATE"))
