"""Claims against reference values: what the administrator expects (RFC 9334, section 8.4, appraisal of evidence)."""

from __future__ import annotations

from typing import Final

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.domain.attestation import ClaimValue

_MEASUREMENTS: Final = ("measurement", "rtmr", "pcr.", "mr_", "hardware.measurement")
"""Claims that say what was launched: one of them expected is an expectation."""


def appraise(inquiry: Inquiry) -> None:
    """Compare all claims; findings for what differs, and for what nobody said what to expect of."""
    _report_data(inquiry)
    _measurement(inquiry)
    reference = inquiry.reference
    for name, accepted in reference.expected.items():
        value = _value(inquiry, name)
        if value is None:
            inquiry.error(Code.CLAIM_MISSING, name, expected=_listed(accepted))
        elif not any(_same(value, item) for item in accepted):
            inquiry.error(Code.CLAIM_MISMATCH, name, expected=_listed(accepted), actual=_text(value))
    for name, refused in reference.forbidden.items():
        value = _value(inquiry, name)
        if value is not None and any(_same(value, item) for item in refused):
            inquiry.error(Code.CLAIM_FORBIDDEN, name, expected=f"not {_listed(refused)}", actual=_text(value))
    for name, floor in reference.minimum.items():
        value = _value(inquiry, name)
        if not isinstance(value, int) or isinstance(value, bool):
            inquiry.error(Code.CLAIM_MISSING, name, expected=f"at least {floor}", actual=_text(value))
        elif value < floor:
            inquiry.error(Code.CLAIM_BELOW_MINIMUM, name, expected=f"at least {floor}", actual=str(value))


def _report_data(inquiry: Inquiry) -> None:
    """The nonce: exactly it, or it and then zeros where the field has a fixed size."""
    expected = inquiry.reference.report_data
    claim = inquiry.claims.get("report_data")
    if expected is None:
        if claim is not None and "report_data" not in inquiry.reference.expected:
            inquiry.warning(Code.REPORT_DATA_NOT_EXPECTED, claim.source, actual=_text(claim.value))
        return
    actual = bytes.fromhex(str(claim.value)) if claim is not None else b""
    padded = expected.ljust(len(actual), b"\0") if len(actual) in (32, 64) else expected
    if actual != padded:
        source = claim.source if claim is not None else "evidence"
        inquiry.error(Code.REPORT_DATA_MISMATCH, source, expected=expected.hex(), actual=actual.hex())


def _measurement(inquiry: Inquiry) -> None:
    accepted = [value.hex() for value in inquiry.reference.measurements]
    claim = inquiry.claims.get("measurement")
    if accepted:
        if claim is None or claim.value not in accepted:
            source = claim.source if claim is not None else "evidence"
            actual = _text(claim.value) if claim is not None else ""
            inquiry.error(Code.MEASUREMENT_MISMATCH, source, expected=" or ".join(accepted), actual=actual)
        return
    if claim is not None and not any(name.startswith(_MEASUREMENTS) for name in inquiry.reference.expected):
        inquiry.warning(Code.MEASUREMENT_NOT_EXPECTED, claim.source, actual=_text(claim.value))


def _value(inquiry: Inquiry, name: str) -> ClaimValue | None:
    claim = inquiry.claims.get(name)
    return None if claim is None else claim.value


def _same(value: ClaimValue, wanted: ClaimValue) -> bool:
    """Equal, and of one kind: 1 is not True. Hex compares whatever its case; a list holds a single text too."""
    if isinstance(value, bool) != isinstance(wanted, bool):
        return False
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted or value.lower() == wanted.lower().removeprefix("0x")
    if isinstance(value, tuple) and isinstance(wanted, str):
        return wanted in value
    return value == wanted


def _listed(values: tuple[ClaimValue, ...]) -> str:
    return " or ".join(_text(value) for value in values) or "nothing"


def _text(value: ClaimValue | None) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, tuple) else str(value)
