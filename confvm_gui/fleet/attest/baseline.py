"""Baselines: what an instance's evidence must go on to say, and what of it has changed.

A baseline holds the claims that stay the same from boot to boot as long as nobody changes what is booted: launch
measurement and policy, PCRs with their events, the keys that vouch. It does not hold what changes by itself (nonce,
clock, report id, firmware versions of the platform, chip) nor registers that software extends as it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from confvm_gui.attestation.codes import Code
from confvm_gui.domain.attestation import ClaimValue, EvidenceFormat, Verdict
from confvm_gui.domain.attestation_record import AttestationRecord, Baseline, BaselineOrigin, Drift
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from confvm_gui.fleet.attest.measured_events import differences

PCR_WORDS: Final = {
    0: "firmware",
    1: "firmware's configuration",
    2: "drivers of devices",
    3: "configuration of devices",
    4: "boot loader and kernel",
    5: "boot configuration and partition table",
    6: "events of the platform's maker",
    7: "Secure Boot",
    8: "boot loader's commands and kernel command line",
    9: "files that the boot loader read",
    11: "unified kernel image",
    12: "command line and credentials of the kernel image",
    13: "system extensions",
    14: "shim's keys (MOK)",
    15: "system identity",
}
"""PCRs of a baseline (PC Client profile, section 3.3.4; GRUB; systemd). 10 is IMA's and grows with every file that is
run, 16 and 23 are for trying things out, 17 to 22 belong to dynamic launches."""
_ENCLAVE_WORDS: Final = {
    0: "enclave image",
    1: "kernel and boot ramdisk",
    2: "application",
    3: "IAM role of the parent instance",
    4: "parent instance",
    8: "signing certificate of the enclave image",
}
_RTMR_WORDS: Final = {
    0: "virtual firmware's configuration and Secure Boot",
    1: "boot loader and kernel",
    2: "kernel command line and initrd",
}
"""RTMR 3 is extended by software as it runs."""
_FACTS: Final = {
    "secure_boot": (7, "Secure Boot"),
    "firmware.version": (0, "firmware version"),
    "gce.technology": (0, "memory encryption"),
    "confvm.technology": (0, "memory encryption"),
    "kernel_command_line": (8, "kernel command line"),
}
"""Plain values that a PCR proves. They speak for their events, and change only if the PCR does."""

_SNP: Final = {
    "measurement": "launch measurement",
    "policy": "guest policy",
    "family_id": "family id",
    "image_id": "image id",
    "host_data": "host data",
    "id_key_digest": "ID key",
    "author_key_digest": "author key",
    "author_key_enabled": "author key in use",
    "guest_svn": "guest's security version",
    "vmpl": "privilege level (VMPL)",
}
_SEV: Final = {"measurement": "launch measurement", "policy": "guest policy"}
_TDX: Final = {
    "measurement": "initial memory (MRTD)",
    "td_attributes": "TD attributes",
    "xfam": "processor features (XFAM)",
    "mr_config_id": "configuration (MRCONFIGID)",
    "mr_owner": "owner (MROWNER)",
    "mr_owner_config": "owner's configuration (MROWNERCONFIG)",
    "mr_service_td": "migration TD (MRSERVICETD)",
}
_VTPM: Final = {"ak.fingerprint": "attestation key of the vTPM"}
_AZURE: Final = {
    "hardware": "kind of hardware report",
    **{f"hardware.{name}": words for name, words in {**_TDX, **_SNP}.items()},
    "azure.vmUniqueId": "Azure's id of the VM",
    "azure.secure-boot": "Azure's setting of Secure Boot",
    "azure.tpm-enabled": "Azure's setting of the vTPM",
    "azure.console-enabled": "Azure's setting of the serial console",
    **_VTPM,
}
_FIELDS: Final[Mapping[EvidenceFormat, Mapping[str, str]]] = {
    EvidenceFormat.SNP_REPORT: _SNP,
    EvidenceFormat.SEV_LAUNCH: _SEV,
    EvidenceFormat.SEV_REPORT: _SEV,
    EvidenceFormat.SEV_PLATFORM: {"cek.fingerprint": "chip (CEK)", "oca.fingerprint": "owner of the platform (OCA)"},
    EvidenceFormat.TDX_QUOTE: _TDX,
    EvidenceFormat.SGX_QUOTE: {
        "measurement": "enclave (MRENCLAVE)",
        "mr_signer": "enclave's signer (MRSIGNER)",
        "isv_prod_id": "product (ISVPRODID)",
        "isv_ext_prod_id": "extended product (ISVEXTPRODID)",
        "isv_family_id": "family (ISVFAMILYID)",
        "config_id": "configuration (CONFIGID)",
        "attributes": "enclave attributes",
    },
    EvidenceFormat.TPM_QUOTE: _VTPM,
    EvidenceFormat.GCE_VTPM: {
        **_VTPM,
        "gce.project_id": "project",
        "gce.zone": "zone",
        "gce.instance_id": "instance id",
        "gce.instance_name": "instance name",
    },
    EvidenceFormat.GCE_INTEGRITY: {"gce.instance_id": "instance id", "policy.flags": "guest policy"},
    EvidenceFormat.AZURE_VTPM: _AZURE,
    EvidenceFormat.AZURE_HCL: _AZURE,
    EvidenceFormat.NITRO: {"nitro_tpm": "kind of document (NitroTPM)"},
    EvidenceFormat.TCG_EVENT_LOG: {},
}
"""Claims by format, with what they stand for."""
_UNSIGNED: Final = frozenset({EvidenceFormat.TCG_EVENT_LOG, EvidenceFormat.GCE_INTEGRITY})
"""Formats that nobody signs, and that are compared all the same: they show changes that nobody wants to hide."""
_DETAILS: Final = {"policy": "policy.flags", "hardware.policy": "hardware.policy.flags"}
"""Claims that are a number, with those that say it in words."""

_PCR: Final = re.compile(r"pcr\.(?P<bank>\w+)\.(?P<number>\d+)")
_RTMR: Final = re.compile(r"(?:hardware\.)?rtmr(?P<number>\d)")
_EVENTS: Final = re.compile(r"events\.(?:pcr\.|rtmr)(?P<number>\d+)")
_MAX_EVENTS: Final = 16
"""Of one register that are told one by one."""


def learn(record: AttestationRecord, origin: BaselineOrigin = BaselineOrigin.LEARNED) -> Baseline:
    """What the record says as what its instance must go on to say.

    InvalidInput("baseline") if nothing can be learned of the record, or it has nothing that stays the same.
    """
    verdict = record.verdict
    if not comparable(verdict):
        raise InvalidInput("baseline", "This evidence is not trusted, so it cannot be what the next is compared with")
    values = {name: value for name, value in verdict.claim_values().items() if _belongs(verdict, name)}
    if not values:
        raise InvalidInput("baseline", "This evidence says nothing that could be compared with later evidence")
    return Baseline(record.instance_id, verdict.format, record.at, origin, MappingProxyType(values))


def comparable(verdict: Verdict) -> bool:
    """Whether it may be compared with a baseline or be one: it is trusted, or a log with no flaw but its nature."""
    return verdict.trusted or unsigned(verdict)


def unsigned(verdict: Verdict) -> bool:
    """Whether nothing speaks against it but that nobody signs this format."""
    errors = [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR]
    return verdict.format in _UNSIGNED and errors == [Code.NOT_SIGNED]


def compare(baseline: Baseline, verdict: Verdict) -> tuple[Drift, ...]:
    """What the verdict's claims say otherwise than the baseline, fields first, then registers in order.

    Says nothing of whether the verdict is trusted. InvalidInput("baseline") if the two are of different formats.
    """
    if baseline.format is not verdict.format:
        raise InvalidInput("baseline", f"The baseline is of {baseline.format}, the evidence is {verdict.format}")
    now = verdict.claim_values()
    return (*_field_drifts(baseline, now), *_register_drifts(baseline, now))


def _belongs(verdict: Verdict, name: str) -> bool:
    fields = _FIELDS.get(verdict.format)
    if fields is None:
        return False
    if name in fields or name in _FACTS or name in {_DETAILS.get(field) for field in fields}:
        return True
    enclave = verdict.claim("nitro_tpm") is False
    found = _PCR.fullmatch(name)
    if found:
        return int(found["number"]) in (_ENCLAVE_WORDS if enclave else PCR_WORDS)
    found = _EVENTS.fullmatch(name)
    if found:
        return int(found["number"]) in (PCR_WORDS if ".pcr." in name else _RTMR_WORDS)
    found = _RTMR.fullmatch(name)
    return found is not None and int(found["number"]) in _RTMR_WORDS


def _field_drifts(baseline: Baseline, now: Mapping[str, ClaimValue]) -> Iterator[Drift]:
    for name, words in _FIELDS.get(baseline.format, {}).items():
        before = baseline.values.get(name)
        if before is not None and before != now.get(name):
            yield Drift(name, words, _detailed(name, baseline.values), _detailed(name, now))


def _register_drifts(baseline: Baseline, now: Mapping[str, ClaimValue]) -> Iterator[Drift]:
    """Registers by number; each is told once, whatever the number of its banks."""
    changed: dict[tuple[str, int], str] = {}
    for name, value in baseline.values.items():
        pcr, rtmr = _PCR.fullmatch(name), _RTMR.fullmatch(name)
        found = pcr or rtmr
        if found is not None and value != now.get(name):
            changed.setdefault(("PCR" if pcr else "RTMR", int(found["number"])), name)
    enclave = baseline.values.get("nitro_tpm") is False
    for (kind, number), name in sorted(changed.items()):
        drifts: list[Drift] = []
        if not enclave:
            drifts = list(_event_drifts(baseline, now, kind, number))
            if kind == "PCR":
                drifts += _fact_drifts(baseline, now, number, {drift.claim for drift in drifts})
        table = _RTMR_WORDS if kind == "RTMR" else _ENCLAVE_WORDS if enclave else PCR_WORDS
        component = f"{kind} {number}: {table.get(number, 'register')}"
        yield from drifts or [Drift(name, component, _text(name, baseline.values), _text(name, now))]


def _event_drifts(baseline: Baseline, now: Mapping[str, ClaimValue], kind: str, number: int) -> Iterator[Drift]:
    """Which events of a register differ; none if the two boots' logs do not tell."""
    prefix = "events.pcr." if kind == "PCR" else "events.rtmr"
    claim = f"{prefix}{number}"
    if not all(any(name.startswith(prefix) for name in values) for values in (baseline.values, now)):
        return  # one of the two came without a log
    found = differences(_lines(baseline.values.get(claim)), _lines(now.get(claim)))
    for change in found[:_MAX_EVENTS]:
        component = f"{kind} {number}: {change.words()}"
        line = change.before or change.now
        fact = next((item for item in (line.fact() if line else ()) if item in baseline.values or item in now), None)
        if fact is not None and baseline.values.get(fact) != now.get(fact):
            yield Drift(fact, component, _text(fact, baseline.values), _text(fact, now))
            continue
        expected = change.before.shown(change.now) if change.before else ""
        actual = change.now.shown(change.before) if change.now else ""
        yield Drift(claim, component, expected, actual)
    if len(found) > _MAX_EVENTS:
        yield Drift(claim, f"{kind} {number}: {len(found) - _MAX_EVENTS} more events", "", "")


def _fact_drifts(baseline: Baseline, now: Mapping[str, ClaimValue], number: int, told: set[str]) -> Iterator[Drift]:
    """Facts of a PCR that differ and that no event has told of."""
    for fact, (pcr, words) in _FACTS.items():
        both = fact in baseline.values and fact in now
        if pcr == number and both and fact not in told and baseline.values[fact] != now[fact]:
            yield Drift(fact, f"PCR {number}: {words}", _text(fact, baseline.values), _text(fact, now))


def _lines(value: ClaimValue | None) -> Sequence[str]:
    return value if isinstance(value, tuple) else ()


def _detailed(name: str, values: Mapping[str, ClaimValue]) -> str:
    detail = _text(_DETAILS.get(name, ""), values)
    return f"{_text(name, values)} ({detail})" if detail else _text(name, values)


def _text(name: str, values: Mapping[str, ClaimValue]) -> str:
    """A value for a person; "" if it is absent."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, bool):
        yes, no = ("on", "off") if name == "secure_boot" else ("yes", "no")
        return yes if value else no
    return ", ".join(value) if isinstance(value, tuple) else str(value)
