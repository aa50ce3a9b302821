"""Key derivation of SEV sessions: NIST SP 800-108 in counter mode with HMAC-SHA-256 (55766, chapter 2).

SP 800-108 leaves the widths and the byte order of the counter [i] and the length [L] open; SEV writes both as 32 bits
little-endian: HMAC(key, LE32(i) || label || 0x00 || context || LE32(bits)).
"""

from __future__ import annotations

import hmac


def derive(key: bytes, label: bytes, context: bytes = b"", length: int = 16) -> bytes:
    """`length` bytes derived from `key` for the purpose `label`; `context` may be empty."""
    bits = (length * 8).to_bytes(4, "little")
    output = bytearray()
    counter = 0
    while len(output) < length:
        counter += 1
        output += hmac.digest(key, counter.to_bytes(4, "little") + label + b"\x00" + context + bits, "sha256")
    return bytes(output[:length])
