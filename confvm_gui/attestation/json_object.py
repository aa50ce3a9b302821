"""JSON from untrusted bytes: limits, no duplicate names, and nothing but InvalidInput."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from confvm_gui.attestation.byte_reader import require_size
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.strict_json import parse_strictly

MAX_JSON_SIZE = 512 * 1024


def parse_object(data: bytes, what: str, field: str = "evidence") -> dict[str, Any]:
    """The object that `data` is; InvalidInput(`field`)."""
    require_size(data, MAX_JSON_SIZE, what, field)
    return parse_strictly(data, lambda problem: InvalidInput(field, f"{what} {problem}"), fractions=False)


class JsonReader:
    """Reads typed members of an object; InvalidInput names what is wrong."""

    __slots__ = ("field", "value", "what")

    def __init__(self, value: dict[str, Any], what: str, field: str = "evidence") -> None:
        self.value = value
        self.what = what
        self.field = field

    def has(self, name: str) -> bool:
        return name in self.value

    def text(self, name: str) -> str:
        value = self.value.get(name)
        if not isinstance(value, str):
            raise self.error(name, "a text")
        return value

    def number(self, name: str, limit: int = 1 << 64) -> int:
        """A whole number from 0 up to `limit`, exclusive."""
        value = self.value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
            raise self.error(name, "a number in range")
        return value

    def items(self, name: str, limit: int = 4096) -> list[Any]:
        value = self.value.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise self.error(name, f"a list of at most {limit}")
        return value

    def member(self, name: str) -> JsonReader:
        value = self.value.get(name)
        if not isinstance(value, dict):
            raise self.error(name, "an object")
        return JsonReader(value, f"{self.what}'s {name}", self.field)

    def members(self, name: str, limit: int = 1024) -> list[JsonReader]:
        """A list of objects."""
        found = []
        for value in self.items(name, limit):
            if not isinstance(value, dict):
                raise self.error(name, "a list of objects")
            found.append(JsonReader(value, f"{self.what}'s {name}", self.field))
        return found

    def hex(self, name: str, length: int | None = None) -> bytes:
        """Bytes written in hex."""
        try:
            value = bytes.fromhex(self.text(name))
        except ValueError:
            raise self.error(name, "hex") from None
        if length is not None and len(value) != length:
            raise self.error(name, f"{length} bytes in hex")
        return value

    def binary(self, name: str) -> bytes:
        """Bytes written as hex, as base64 (either alphabet), or as a list of numbers."""
        value = self.value.get(name)
        if isinstance(value, list):
            return self._listed(name, value)
        return self.decoded(name, value)

    def binaries(self, name: str, limit: int = 64) -> list[bytes]:
        """A list of such."""
        return [
            self._listed(name, value) if isinstance(value, list) else self.decoded(name, value)
            for value in self.items(name, limit)
        ]

    def decoded(self, name: str, value: object) -> bytes:
        if not isinstance(value, str):
            raise self.error(name, "bytes in hex or base64")
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
        try:
            padded = value.replace("-", "+").replace("_", "/") + "=" * (-len(value) % 4)
            return base64.b64decode(padded, validate=True)
        except (ValueError, binascii.Error):
            raise self.error(name, "bytes in hex or base64") from None

    def _listed(self, name: str, value: list[Any]) -> bytes:
        if not all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= 255 for item in value):
            raise self.error(name, "a list of bytes")
        return bytes(value)

    def error(self, name: str, wanted: str) -> InvalidInput:
        return InvalidInput(self.field, f"{self.what} lacks `{name}`, or it is not {wanted}")
