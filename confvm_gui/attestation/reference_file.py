"""Reference values out of a file: JSON or TOML, the same names in both.

    report_data = "hex"                    measurements = ["hex", …]
    allow_debug = false                    allow_provisional = true | false        require_revocation = false
    accepted_tcb_statuses = ["SWHardeningNeeded"]        trusted_keys = ["SHA-256 of a SubjectPublicKeyInfo"]
    [expected]   claim = value or list of accepted values       "policy.debug" = false, "pcr.sha256.7" = "hex" …
    [forbidden]  claim = value or list of refused values        chip_id = ["hex"], product = "Milan" …
    [minimum]    claim = number                                 "reported_tcb.snp" = 24 …
    [[trusted_roots]]  name, spki_sha256 or certificate_sha256, emulated

Names that are not known are refused: a misspelt expectation would expect nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from confvm_gui.attestation.byte_reader import require_size
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.domain.attestation import ClaimValue, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import InvalidInput

_FIELD: Final = "reference"
_WHAT: Final = "The reference file"
_MAX_SIZE: Final = 256 * 1024
_MAX_TOML: Final = 32 * 1024
_MAX_DOTS: Final = 32
"""In one line: `tomllib` takes time and memory by the square of a dotted key's parts."""
_NAMES: Final = frozenset(
    {
        "report_data",
        "measurements",
        "expected",
        "forbidden",
        "minimum",
        "allow_debug",
        "allow_provisional",
        "require_revocation",
        "accepted_tcb_statuses",
        "trusted_roots",
        "trusted_keys",
    }
)
_HEX_DIGITS: Final = frozenset("0123456789abcdef")


def parse_reference_values(data: bytes) -> ReferenceValues:
    """Read a file; InvalidInput("reference")."""
    require_size(data, _MAX_SIZE, _WHAT, _FIELD)
    reader = JsonReader(_parsed(data), _WHAT, _FIELD)
    unknown = sorted(reader.value.keys() - _NAMES)
    if unknown:
        raise InvalidInput(
            _FIELD, f"{_WHAT} has `{unknown[0]}`, which means nothing; known are {', '.join(sorted(_NAMES))}"
        )
    return ReferenceValues(
        report_data=reader.hex("report_data") if reader.has("report_data") else None,
        measurements=tuple(_hex(reader, "measurements", value) for value in _texts(reader, "measurements")),
        expected=_values(reader, "expected"),
        forbidden=_values(reader, "forbidden"),
        minimum=_floors(reader),
        allow_debug=_flag(reader, "allow_debug") or False,
        allow_provisional=_flag(reader, "allow_provisional"),
        require_revocation=_flag(reader, "require_revocation") or False,
        accepted_tcb_statuses=_texts(reader, "accepted_tcb_statuses"),
        trusted_roots=tuple(_root(item) for item in reader.members("trusted_roots", 64))
        if reader.has("trusted_roots")
        else (),
        trusted_keys=frozenset(_digest(reader, "trusted_keys", value) for value in _texts(reader, "trusted_keys")),
    )


def _parsed(data: bytes) -> dict[str, Any]:
    if data.lstrip()[:1] == b"{":
        return parse_object(data, _WHAT, _FIELD)
    require_size(data, _MAX_TOML, f"{_WHAT} (TOML)", _FIELD)
    if any(line.count(b".") > _MAX_DOTS for line in data.splitlines()):
        raise InvalidInput(_FIELD, f"{_WHAT} has a line with more than {_MAX_DOTS} dots")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        raise InvalidInput(_FIELD, f"{_WHAT} is neither JSON nor TOML: {problem}") from None


def _texts(reader: JsonReader, name: str) -> tuple[str, ...]:
    if not reader.has(name):
        return ()
    values = reader.items(name, 1024)
    if not all(isinstance(value, str) for value in values):
        raise reader.error(name, "a list of texts")
    return tuple(values)


def _hex(reader: JsonReader, name: str, value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise reader.error(name, "a list of bytes in hex") from None


def _digest(reader: JsonReader, name: str, value: str) -> str:
    lowered = value.lower().replace(":", "")
    if len(lowered) != 64 or not set(lowered) <= _HEX_DIGITS:
        raise reader.error(name, "a SHA-256 in hex")
    return lowered


def _flag(reader: JsonReader, name: str) -> bool | None:
    if not reader.has(name):
        return None
    value = reader.value[name]
    if not isinstance(value, bool):
        raise reader.error(name, "true or false")
    return value


def _values(reader: JsonReader, name: str) -> Mapping[str, tuple[ClaimValue, ...]]:
    if not reader.has(name):
        return MappingProxyType({})
    table = reader.member(name)
    found: dict[str, tuple[ClaimValue, ...]] = {}
    for claim, value in table.value.items():
        accepted = value if isinstance(value, list) else [value]
        if not accepted or not all(isinstance(item, str | int | bool) for item in accepted):
            raise table.error(claim, "a text, a number, true, false, or a list of those")
        found[claim] = tuple(accepted)
    return MappingProxyType(found)


def _floors(reader: JsonReader) -> Mapping[str, int]:
    if not reader.has("minimum"):
        return MappingProxyType({})
    table = reader.member("minimum")
    return MappingProxyType({claim: table.number(claim) for claim in table.value})


def _root(reader: JsonReader) -> TrustedRoot:
    spki = _digest(reader, "spki_sha256", reader.text("spki_sha256")) if reader.has("spki_sha256") else ""
    whole = (
        _digest(reader, "certificate_sha256", reader.text("certificate_sha256"))
        if reader.has("certificate_sha256")
        else ""
    )
    if not spki and not whole:
        raise reader.error("spki_sha256", "a SHA-256 in hex")
    return TrustedRoot(reader.text("name"), spki, whole, _flag(reader, "emulated") or False)
