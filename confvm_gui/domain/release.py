"""What evidence must show before a secret is released to its guest, and secrets bound to such conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from confvm_gui.domain.attestation import ClaimValue, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import InvalidInput

MOST_MEASUREMENTS: Final = 64
MAXIMUM_SECRET: Final = 512
"""Bytes of a secret that is released; it takes a key, and no more has to fit past the host at once."""
RELEASE_INFO: Final = b"confvm-release-1"
"""HKDF's info for what is sealed to a guest; the salt is the guest's REPORT_DATA."""

LONGEST_CHALLENGE: Final = 30 * 86400.0
"""Seconds that a nonce can wait for its answer at most."""

_MEASUREMENT_BYTES: Final = 48
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
_FLOOR: Final = re.compile(r"(?:reported|launch|committed|current)_tcb\.[a-z_]{1,20}|guest_svn")
_POLICY: Final = re.compile(r"0x[0-9a-f]{1,16}")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an SEV-SNP report must show. Empty conditions still ask for a trusted, fresh report without debugging."""

    measurements: tuple[bytes, ...] = ()
    """Accepted launch digests, 48 bytes each; at least one."""
    policies: tuple[str, ...] = ()
    """Accepted guest policies as the `policy` claim has them (`0x30000`); empty: any without debugging."""
    minimum: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Floors by claim: `reported_tcb.snp` …"""
    roots: tuple[TrustedRoot, ...] = ()
    """Believed beside AMD's: those of emulated hosts, by their key."""
    instance: str = ""
    """Id of the one instance of this console that may have it; "" for whoever meets the rest."""

    def reference(self, report_data: bytes) -> ReferenceValues:
        """For the verifier, of a report that carries `report_data` (64 bytes)."""
        expected: dict[str, tuple[ClaimValue, ...]] = {"policy": self.policies} if self.policies else {}
        return ReferenceValues(
            report_data=report_data,
            measurements=self.measurements,
            expected=MappingProxyType(expected),
            minimum=self.minimum,
            trusted_roots=self.roots,
        )

    def to_mapping(self) -> dict[str, object]:
        """For JSON."""
        return {
            "measurements": [each.hex() for each in self.measurements],
            "policies": list(self.policies),
            "minimum": dict(sorted(self.minimum.items())),
            "roots": [{"name": r.name, "spki_sha256": r.spki_sha256, "emulated": r.emulated} for r in self.roots],
            "instance": self.instance,
        }

    @classmethod
    def from_fields(cls, fields: StrictFields) -> Conditions:
        """Raises InvalidInput with the field of `fields`."""
        found = cls(
            measurements=tuple(fields.hexes("measurements", _MEASUREMENT_BYTES, MOST_MEASUREMENTS)),
            policies=tuple(fields.texts("policies", MOST_MEASUREMENTS, _POLICY)),
            minimum=MappingProxyType(_floors(fields)),
            roots=tuple(_root(each) for each in fields.objects("roots", 8)),
            instance=fields.text("instance", 64),
        )
        fields.end()
        if not found.measurements:
            raise fields.malformed("names no launch measurement, so that any guest would do")
        return found


class SecretKind(Enum):
    """What a row of the broker's is."""

    BOUND = "bound"
    OWNER = "owner"
    """The private keys of this console as an owner of shared data."""
    ASK = "ask"
    """The key with which this console asks the guest of an agreement."""


@dataclass(frozen=True, slots=True)
class BoundSecret:
    """A secret as it is kept: wrapped, with what it is bound to."""

    name: str
    kind: SecretKind
    key_ref: str
    """KeyRef of the key that wraps it."""
    wrapped: bytes = field(repr=False)
    conditions: Conditions | None
    """None for what is never released."""
    made_at: float
    revoked_at: float | None = None
    given: int = 0
    """How often it was released."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A nonce that was given out, to be answered once."""

    nonce: bytes
    subject: str
    """What it is for: `secret:NAME`, `agreement:DIGEST`."""
    made_at: float


class StrictFields:
    """Takes a JSON object apart: every field is there once, of its type and size, and no other is."""

    def __init__(self, values: Mapping[str, Any], malformed: Callable[[str], InvalidInput]) -> None:
        self._values = dict(values)
        self.malformed = malformed

    def text(self, name: str, longest: int) -> str:
        value = self._take(name)
        if not isinstance(value, str) or len(value) > longest or not value.isprintable():
            raise self.malformed(f"has a {name} that is not a text of at most {longest} characters")
        return value

    def number(self, name: str, least: int, most: int) -> int:
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.malformed(f"has a {name} that is not a whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        value = self._take(name)
        if not isinstance(value, bool):
            raise self.malformed(f"has a {name} that is neither true nor false")
        return value

    def hex(self, name: str, length: int) -> bytes:
        return self._hex(name, self._take(name), length)

    def hexes(self, name: str, length: int, most: int) -> Sequence[bytes]:
        return [self._hex(name, each, length) for each in self.items(name, most)]

    def texts(self, name: str, most: int, form: re.Pattern[str]) -> Sequence[str]:
        found = self.items(name, most)
        if not all(isinstance(each, str) and form.fullmatch(each) for each in found):
            raise self.malformed(f"has {name} of another form")
        return found

    def objects(self, name: str, most: int) -> Sequence[StrictFields]:
        return [self._part(name, each) for each in self.items(name, most)]

    def part(self, name: str) -> StrictFields:
        return self._part(name, self._take(name))

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._take(name)
        if not isinstance(value, dict):
            raise self.malformed(f"has a {name} that is no object")
        return value

    def end(self) -> None:
        """Nothing is left."""
        if self._values:
            raise self.malformed(f"has the field {min(self._values)[:40]!r}, which is not known")

    def _take(self, name: str) -> Any:
        if name not in self._values:
            raise self.malformed(f"has no {name}")
        return self._values.pop(name)

    def items(self, name: str, most: int) -> Sequence[Any]:
        value = self._take(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.malformed(f"has {name} that are not a list of at most {most}")
        return value

    def _part(self, name: str, value: object) -> StrictFields:
        if not isinstance(value, dict):
            raise self.malformed(f"has a {name} that is no object")
        return StrictFields(value, self.malformed)

    def _hex(self, name: str, value: object, length: int) -> bytes:
        if not isinstance(value, str) or len(value) != 2 * length or not _HEX.fullmatch(value):
            raise self.malformed(f"has a {name} that is not {length} bytes in hex")
        return bytes.fromhex(value)


def _root(fields: StrictFields) -> TrustedRoot:
    root = TrustedRoot(fields.text("name", 100), fields.hex("spki_sha256", 32).hex(), emulated=fields.flag("emulated"))
    fields.end()
    return root


def _floors(fields: StrictFields) -> dict[str, int]:
    floors = fields.mapping("minimum")
    if len(floors) > MOST_MEASUREMENTS or not all(_FLOOR.fullmatch(name) for name in floors):
        raise fields.malformed("has a floor for a claim that has none")
    inner = StrictFields(floors, fields.malformed)
    return {name: inner.number(name, 0, 0xFFFF_FFFF) for name in floors}
