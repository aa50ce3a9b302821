"""CRC-32C (Castagnoli; RFC 3720, appendix B.4), by which Cloud KMS tells damage on the way. For a few hundred bytes."""

from __future__ import annotations

from typing import Final

_POLYNOMIAL: Final = 0x82F6_3B78


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ _POLYNOMIAL * (value & 1)
    return value


_TABLE: Final = tuple(_entry(value) for value in range(256))


def crc32c(data: bytes) -> int:
    crc = 0xFFFF_FFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF_FFFF
