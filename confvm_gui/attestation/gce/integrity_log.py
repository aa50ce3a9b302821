"""Compute Engine's own log of launches and boots, `compute.googleapis.com/shielded_vm_integrity`.

What Google says of an instance: that the launch of its SEV guest passed, under which policy; what its vTPM measured at
each boot, and whether that is the baseline. Nobody signs it: it stands on Google's word and on the TLS by which it
came, so it never makes an instance trusted. What contradicts itself, or failed, speaks against it.

Sources: Google Cloud, "Validate Confidential VM with Cloud Monitoring" (launch attestation report event); Shielded VM,
"Monitoring integrity" (early and late boot report events); Cloud Logging API v2, LogEntry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.inquiry import Inquiry, shortened
from confvm_gui.attestation.json_object import JsonReader, parse_object
from confvm_gui.domain.attestation import Evidence
from confvm_gui.domain.errors import InvalidInput

LOG: Final = "compute.googleapis.com%2Fshielded_vm_integrity"
TYPE: Final = "type.googleapis.com/cloud_integrity.IntegrityEvent"
MAX_ENTRIES: Final = 512
_LAUNCH: Final = "sevLaunchAttestationReportEvent"
_BOOTS: Final = {"earlyBootReportEvent": "early", "lateBootReportEvent": "late"}
_FLAGS: Final = {
    "debugEnabled": "DEBUG",
    "keySharingAllowed": "KEY_SHARING",
    "esRequired": "ES",
    "sendAllowed": "SEND",
    "domainOnly": "DOMAIN",
    "sevOnly": "SEV",
}
"""Compute Engine's names of the guest policy's bits (55766, table 2), most of them the other way round."""
_MOST_MEASUREMENTS: Final = 64


def looks_like_integrity_log(value: Mapping[str, Any]) -> bool:
    """Whether this JSON is such a log."""
    entries = value.get("entries")
    return isinstance(entries, list) and any(isinstance(entry, dict) and "jsonPayload" in entry for entry in entries)


def verify_integrity_log(inquiry: Inquiry, evidence: Evidence) -> None:
    """Look at a log that nobody signed; InvalidInput("evidence")."""
    log = JsonReader(parse_object(evidence.data, "The integrity log"), "The integrity log")
    events = [_Event(entry) for entry in log.members("entries", MAX_ENTRIES)]
    events = [event for event in events if event.payload.value.get("@type") == TYPE]
    if not events:
        raise InvalidInput("evidence", "The log has no integrity events")
    if len({event.instance for event in events}) > 1:
        raise InvalidInput("evidence", "The log is of several instances; give the entries of one")
    inquiry.error(Code.NOT_SIGNED, "integrity log", expected="evidence that the guest fetches")
    for name, value in events[0].labels.items():
        inquiry.claim(f"gce.{name}", value, "integrity log")
    inquiry.claim("events", len(events), "integrity log")
    events.sort(key=lambda event: (event.boot, event.time))
    launches = [event for event in events if _LAUNCH in event.payload.value]
    if launches:
        _launch(inquiry, launches[-1])
    boots = [event for event in events if any(name in event.payload.value for name in _BOOTS)]
    if boots:
        newest = boots[-1].boot
        inquiry.claim("gce.boot.counter", newest, "integrity log")
        for event in boots:
            if event.boot == newest:
                _boot(inquiry, event)


class _Event:
    """One entry."""

    def __init__(self, entry: JsonReader) -> None:
        """Raises InvalidInput("evidence")."""
        self.payload = entry.member("jsonPayload")
        self.time = shortened(entry.text("timestamp"), 40)
        labels = entry.member("resource").member("labels")
        self.instance = labels.text("instance_id")
        self.labels = {
            name: shortened(labels.text(name), 100)
            for name in ("instance_id", "project_id", "zone")
            if labels.has(name)
        }
        counter = self.payload.value.get("bootCounter", "0")
        if not isinstance(counter, str) or not counter.isascii() or not counter.isdigit() or len(counter) > 18:
            raise self.payload.error("bootCounter", "a number written as text")
        self.boot = int(counter)


def _launch(inquiry: Inquiry, event: _Event) -> None:
    source = f"integrity log, launch of {event.time}"
    report = event.payload.member(_LAUNCH)
    passed = _flag(report, "integrityEvaluationPassed")
    inquiry.claim("gce.launch.passed", passed, source)
    if not passed:
        inquiry.error(Code.CLOUD_CHECK_FAILED, source, expected="passed", actual="failed")
    if not report.has("sevPolicy"):
        return
    policy = report.member("sevPolicy")
    flags = tuple(word for name, word in _FLAGS.items() if policy.has(name) and _flag(policy, name))
    debug = policy.has("debugEnabled") and _flag(policy, "debugEnabled")
    inquiry.claim("policy.debug", debug, source)
    inquiry.claim("policy.es", "ES" in flags, source)
    inquiry.claim("policy.flags", flags, source)
    for name, claim in (("minApiMajor", "policy.api_major"), ("minApiMinor", "policy.api_minor")):
        if policy.has(name):
            inquiry.claim(claim, policy.number(name, 256), source)
    if debug and not inquiry.reference.allow_debug:
        inquiry.error(Code.DEBUG_ALLOWED, source, expected="no debugging", actual="debugEnabled")


def _boot(inquiry: Inquiry, event: _Event) -> None:
    for name, part in _BOOTS.items():
        if name not in event.payload.value:
            continue
        source = f"integrity log, {part} boot of {event.time}"
        report = event.payload.member(name)
        passed = _flag(report, "policyEvaluationPassed")
        inquiry.claim(f"gce.boot.{part}_passed", passed, source)
        actual = _measurements(report, "actualMeasurements")
        policy = _measurements(report, "policyMeasurements")
        for register, value in actual.items():
            inquiry.claim(f"pcr.{register[0]}.{register[1]}", value, source)
        changed = [register for register, value in policy.items() if register in actual and actual[register] != value]
        if not passed:
            inquiry.error(
                Code.CLOUD_CHECK_FAILED, source, expected="the baseline", actual=_named(changed) or "another boot"
            )
        elif changed:
            inquiry.error(Code.EVENT_INVALID, source, expected="a failed check", actual=_named(changed))


def _measurements(report: JsonReader, name: str) -> dict[tuple[str, int], bytes]:
    """PCR values by bank and number."""
    if not report.has(name):
        return {}
    found: dict[tuple[str, int], bytes] = {}
    for each in report.members(name, _MOST_MEASUREMENTS):
        number = each.text("pcrNum").removeprefix("PCR_")
        bank = each.text("hashAlgo").lower().replace("_", "")
        if not number.isascii() or not number.isdigit() or not 0 <= int(number[:3]) < 24 or len(number) > 2:
            raise each.error("pcrNum", "PCR_0 to PCR_23")
        if bank not in ("sha1", "sha256", "sha384", "sha512"):
            raise each.error("hashAlgo", "SHA1, SHA256, SHA384 or SHA512")
        found[bank, int(number)] = each.binary("value")
    return found


def _named(registers: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"PCR {number} ({bank})" for bank, number in registers)


def _flag(reader: JsonReader, name: str) -> bool:
    value = reader.value.get(name)
    if not isinstance(value, bool):
        raise reader.error(name, "true or false")
    return value
