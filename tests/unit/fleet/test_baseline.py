"""Baselines are learned from trusted verdicts, and drift is told by the component that changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.attestation import (
    Claim,
    ClaimValue,
    Endorsements,
    Evidence,
    EvidenceFormat,
    EvidencePart,
    Finding,
    Verdict,
)
from confvm_gui.domain.attestation_record import AttestationRecord, Baseline, BaselineOrigin, Drift, Occasion
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from confvm_gui.engine.vtpm.virtual_tpm import VirtualTpm
from confvm_gui.fleet.attest.baseline import PCR_WORDS, compare, learn
from confvm_gui.fleet.attest.measured_events import MeasuredLine
from confvm_gui.sev.expected_digest import LaunchMode
from tests.unit.engine.vtpm.boots import BOOT, NONCE, judged, started


def recorded(verdict: Verdict) -> AttestationRecord:
    return AttestationRecord(
        id="0" * 32,
        instance_id="instance",
        occasion=Occasion.INTEGRITY,
        at=1000.0,
        verdict=verdict,
        evidence=Evidence(b""),
        endorsements=Endorsements(),
    )


def said(form: EvidenceFormat, claims: Mapping[str, ClaimValue], *findings: Finding) -> Verdict:
    return Verdict(form, tuple(Claim(name, value, "test") for name, value in claims.items()), findings)


def verdict_of(tpm: VirtualTpm) -> Verdict:
    verdict = judged(tpm.evidence(NONCE))
    assert verdict.trusted
    return verdict


def drift_of(**changes: Any) -> dict[str, Drift]:
    """By component, after a boot with `changes`."""
    found = compare(learn(recorded(verdict_of(started()))), verdict_of(started(resets=1, **changes)))
    assert len({drift.component for drift in found}) == len(found)
    return {drift.component: drift for drift in found}


def test_same_boot_again_is_no_drift() -> None:
    assert drift_of() == {}


def test_another_guest_image() -> None:
    found = drift_of(image=BOOT.image + b"x")
    assert list(found) == ["PCR 4: boot application 'records'"]
    drift = found["PCR 4: boot application 'records'"]
    assert drift.claim == "events.pcr.4"
    assert drift.expected != drift.actual
    assert len(drift.expected) == len(drift.actual) == 64


def test_another_guest_altogether() -> None:
    drift = drift_of(image=b"heartbeat code", image_name="heartbeat")["PCR 4: boot application 'records'"]
    assert drift.expected.startswith("records (")
    assert drift.actual.startswith("heartbeat (")


def test_another_command_line() -> None:
    assert drift_of(command_line="label=grade rounds=41") == {
        "PCR 8: kernel command line": Drift(
            "kernel_command_line", "PCR 8: kernel command line", "label=grade rounds=40", "label=grade rounds=41"
        )
    }


def test_secure_boot_off() -> None:
    found = drift_of(secure_boot=False)
    assert found.pop("PCR 7: Secure Boot") == Drift("secure_boot", "PCR 7: Secure Boot", "on", "off")
    authority = found.pop("PCR 7: Secure Boot authority db")
    assert authority.expected
    assert authority.actual == ""
    assert found == {}


def test_another_disk() -> None:
    assert list(drift_of(disk_header=b"another")) == ["PCR 5: disk header"]


def test_disk_that_is_not_there_any_more() -> None:
    assert drift_of(disk_header=b"")["PCR 5: disk header"].actual == ""


def test_another_technology() -> None:
    drift = Drift("confvm.technology", "PCR 0: memory encryption", "sev-snp", "none")
    assert list(drift_of(technology=None).values()) == [drift]
    assert list(drift_of(technology=LaunchMode.SEV)) == [drift.component]


def test_several_changes_are_all_told_in_order() -> None:
    assert list(drift_of(image=b"other", command_line="other", secure_boot=False)) == [
        "PCR 4: boot application 'records'",
        "PCR 7: Secure Boot",
        "PCR 7: Secure Boot authority db",
        "PCR 8: kernel command line",
    ]


def test_another_vtpm() -> None:
    found = compare(learn(recorded(verdict_of(started()))), verdict_of(started("another instance")))
    assert [drift.component for drift in found] == ["attestation key of the vTPM"]


def test_without_a_log_the_register_is_told() -> None:
    evidence = started(image=b"other").evidence(NONCE)
    parts = {part: content for part, content in evidence.parts.items() if part != EvidencePart.EVENT_LOG}
    found = compare(learn(recorded(verdict_of(started()))), judged(replace(evidence, parts=parts)))
    assert [(drift.claim, drift.component) for drift in found] == [("pcr.sha256.4", "PCR 4: boot loader and kernel")]


def test_without_pcrs_their_absence_is_told() -> None:
    evidence = replace(started().evidence(NONCE), parts={})
    found = compare(learn(recorded(verdict_of(started()))), judged(evidence))
    assert {drift.actual for drift in found} == {""}
    assert [drift.component for drift in found if drift.component.startswith("PCR 7")] == ["PCR 7: Secure Boot"]


def test_what_is_learned() -> None:
    baseline = learn(recorded(verdict_of(started())))
    assert (baseline.instance_id, baseline.format, baseline.at) == ("instance", EvidenceFormat.TPM_QUOTE, 1000.0)
    assert baseline.origin is BaselineOrigin.LEARNED
    assert {name for name in baseline.values if name.startswith("pcr.")} == {f"pcr.sha256.{pcr}" for pcr in PCR_WORDS}
    assert not {"report_data", "measurement", "tpm.clock", "tpm.reset_count", "pcr.sha256.10"} & set(baseline.values)
    assert learn(recorded(verdict_of(started())), BaselineOrigin.GIVEN).origin is BaselineOrigin.GIVEN


def test_untrusted_evidence_is_not_learned() -> None:
    verdict = judged(started().evidence(NONCE), believe=False)
    with pytest.raises(InvalidInput) as caught:
        learn(recorded(verdict))
    assert caught.value.field == "baseline"


@pytest.mark.parametrize("form", [EvidenceFormat.CC_EVENT_LOG, EvidenceFormat.CANONICAL_EVENT_LOG])
def test_logs_of_confidential_guests_alone_have_no_baseline(form: EvidenceFormat) -> None:
    with pytest.raises(InvalidInput):
        learn(recorded(said(form, {"pcr.sha256.0": "00", "rtmr0": "00", "events.pcr.0": ("x",), "secure_boot": True})))


def test_formats_must_be_the_same() -> None:
    baseline = learn(recorded(said(EvidenceFormat.SEV_LAUNCH, {"measurement": "00"})))
    with pytest.raises(InvalidInput) as caught:
        compare(baseline, said(EvidenceFormat.SNP_REPORT, {"measurement": "00"}))
    assert caught.value.field == "baseline"


SNP: dict[str, ClaimValue] = {
    "measurement": "aa",
    "policy": "0x30000",
    "policy.flags": ("SMT",),
    "family_id": "01",
    "image_id": "02",
    "host_data": "03",
    "id_key_digest": "04",
    "author_key_digest": "05",
    "author_key_enabled": False,
    "guest_svn": 1,
    "vmpl": 0,
    "report_data": "06",
    "report_id": "07",
    "chip_id": "08",
    "reported_tcb.snp": 8,
}


@pytest.mark.parametrize(
    ("form", "claims", "changes", "component", "expected", "actual"),
    [
        (EvidenceFormat.SNP_REPORT, SNP, {"measurement": "bb"}, "launch measurement", "aa", "bb"),
        (
            EvidenceFormat.SNP_REPORT,
            SNP,
            {"policy": "0xb0000", "policy.flags": ("SMT", "DEBUG")},
            "guest policy",
            "0x30000 (SMT)",
            "0xb0000 (SMT, DEBUG)",
        ),
        (EvidenceFormat.SNP_REPORT, SNP, {"host_data": "ff"}, "host data", "03", "ff"),
        (EvidenceFormat.SNP_REPORT, SNP, {"id_key_digest": "ff"}, "ID key", "04", "ff"),
        (EvidenceFormat.SNP_REPORT, SNP, {"author_key_enabled": True}, "author key in use", "no", "yes"),
        (EvidenceFormat.SNP_REPORT, SNP, {"family_id": "ff"}, "family id", "01", "ff"),
        (EvidenceFormat.SEV_LAUNCH, {"measurement": "aa"}, {"measurement": "bb"}, "launch measurement", "aa", "bb"),
        (EvidenceFormat.SEV_REPORT, {"policy": "0x3"}, {"policy": "0x0"}, "guest policy", "0x3", "0x0"),
        (EvidenceFormat.SEV_PLATFORM, {"cek.fingerprint": "a"}, {"cek.fingerprint": "b"}, "chip (CEK)", "a", "b"),
        (EvidenceFormat.TDX_QUOTE, {"measurement": "a"}, {"measurement": "b"}, "initial memory (MRTD)", "a", "b"),
        (EvidenceFormat.TDX_QUOTE, {"rtmr1": "a"}, {"rtmr1": "b"}, "RTMR 1: boot loader and kernel", "a", "b"),
        (EvidenceFormat.SGX_QUOTE, {"mr_signer": "a"}, {"mr_signer": "b"}, "enclave's signer (MRSIGNER)", "a", "b"),
        (
            EvidenceFormat.AZURE_VTPM,
            {"hardware.measurement": "a", "measurement": "a"},
            {"hardware.measurement": "b", "measurement": "b"},
            "launch measurement",
            "a",
            "b",
        ),
        (
            EvidenceFormat.NITRO,
            {"nitro_tpm": False, "pcr.sha384.2": "a", "pcr.sha384.9": "a"},
            {"pcr.sha384.2": "b", "pcr.sha384.9": "b"},
            "PCR 2: application",
            "a",
            "b",
        ),
        (
            EvidenceFormat.NITRO,
            {"nitro_tpm": True, "pcr.sha384.7": "a"},
            {"pcr.sha384.7": "b"},
            "PCR 7: Secure Boot",
            "a",
            "b",
        ),
        (
            EvidenceFormat.GCE_VTPM,
            {"pcr.sha1.0": "1", "pcr.sha256.0": "2", "gce.technology": "sev"},
            {"pcr.sha1.0": "x", "pcr.sha256.0": "y", "gce.technology": "none"},
            "PCR 0: memory encryption",
            "sev",
            "none",
        ),
        (EvidenceFormat.GCE_VTPM, {"gce.instance_id": 1}, {"gce.instance_id": 2}, "instance id", "1", "2"),
    ],
)
def test_each_format_has_its_words(
    form: EvidenceFormat,
    claims: dict[str, ClaimValue],
    changes: dict[str, ClaimValue],
    component: str,
    expected: str,
    actual: str,
) -> None:
    baseline = learn(recorded(said(form, claims)))
    assert compare(baseline, said(form, claims)) == ()
    (drift,) = compare(baseline, said(form, claims | changes))
    assert (drift.component, drift.expected, drift.actual) == (component, expected, actual)


def test_what_changes_by_itself_is_no_drift() -> None:
    baseline = learn(recorded(said(EvidenceFormat.SNP_REPORT, SNP)))
    changes: dict[str, ClaimValue] = {"report_data": "f", "report_id": "f", "chip_id": "f", "reported_tcb.snp": 9}
    assert compare(baseline, said(EvidenceFormat.SNP_REPORT, SNP | changes)) == ()
    tdx: dict[str, ClaimValue] = {"measurement": "a", "rtmr3": "a"}
    baseline = learn(recorded(said(EvidenceFormat.TDX_QUOTE, tdx)))
    assert compare(baseline, said(EvidenceFormat.TDX_QUOTE, tdx | {"rtmr3": "b", "mr_seam": "b"})) == ()


def test_evidence_with_nothing_lasting_is_not_learned() -> None:
    with pytest.raises(InvalidInput):
        learn(recorded(said(EvidenceFormat.TPM_QUOTE, {"report_data": "00", "measurement": "aa"})))


def test_warnings_do_not_matter() -> None:
    warning = Finding("root-emulated", Severity.WARNING, "", "", "root")
    assert learn(recorded(said(EvidenceFormat.SEV_LAUNCH, {"measurement": "00"}, warning))).values


def events(*lines: str, value: str) -> dict[str, ClaimValue]:
    return {"pcr.sha256.9": value, "events.pcr.9": lines}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (["EV_IPL aa /vmlinuz", "EV_IPL bb /initrd"], ["EV_IPL aa /vmlinuz", "EV_IPL cc /initrd"], ["/initrd bb cc"]),
        (["EV_IPL aa /vmlinuz"], ["EV_IPL aa /vmlinuz", "EV_IPL cc /initrd"], ["/initrd  cc"]),
        (["EV_IPL aa /vmlinuz", "EV_IPL bb /initrd"], ["EV_IPL bb /initrd"], ["/vmlinuz aa "]),
        (["EV_IPL aa /vmlinuz-6.1"], ["EV_IPL bb /vmlinuz-6.2"], ["/vmlinuz-6.1 /vmlinuz-6.1 (aa) /vmlinuz-6.2 (bb)"]),
        (["EV_IPL aa a", "EV_IPL bb b"], ["EV_IPL cc b", "EV_IPL dd a"], ["a aa dd", "b bb cc"]),
        (["EV_IPL aa a", "EV_IPL aa a"], ["EV_IPL aa a"], ["a aa "]),
    ],
)
def test_events_are_paired_by_name(before: list[str], now: list[str], told: list[str]) -> None:
    baseline = learn(recorded(said(EvidenceFormat.TPM_QUOTE, events(*before, value="1"))))
    found = compare(baseline, said(EvidenceFormat.TPM_QUOTE, events(*now, value="2")))
    words = "PCR 9: boot loader's file '"
    assert all(drift.component.startswith(words) for drift in found)
    assert [f"{drift.component[len(words) : -1]} {drift.expected} {drift.actual}" for drift in found] == told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "EV_EFI_BOOT_SERVICES_APPLICATION aa PciRoot(0x0)/File(\\EFI\\BOOT\\BOOTX64.EFI)",
            "boot application 'BOOTX64.EFI'",
        ),
        ("EV_EFI_BOOT_SERVICES_APPLICATION aa", "boot application"),
        ("EV_EFI_BOOT_SERVICES_DRIVER aa Fv(01)/FvFile(02)", "driver '02'"),
        ("EV_EFI_VARIABLE_DRIVER_CONFIG aa SecureBoot", "Secure Boot"),
        ("EV_EFI_VARIABLE_DRIVER_CONFIG aa db", "Secure Boot database db"),
        ("EV_EFI_VARIABLE_DRIVER_CONFIG aa AuditMode", "variable AuditMode"),
        ("EV_EFI_VARIABLE_BOOT aa BootOrder", "boot variable BootOrder"),
        ("EV_EFI_GPT_EVENT aa", "partition table"),
        ("EV_IPL aa grub_cmd: linux /vmlinuz", "boot loader's command 'linux /vmlinuz'"),
        ("EV_IPL aa kernel_cmdline: /vmlinuz ro", "kernel command line"),
        ("EV_IPL aa (hd0,gpt1)/boot/vmlinuz", "boot loader's file '(hd0,gpt1)/boot/vmlinuz'"),
        ("EV_IPL aa", "boot loader's event"),
        ("EV_EVENT_TAG aa Linux initrd", "initrd"),
        ("EV_EVENT_TAG aa LOADED_IMAGE::LoadOptions", "kernel command line"),
        ("EV_EFI_ACTION aa DMA Protection Disabled", "action 'DMA Protection Disabled'"),
        ("EV_ACTION aa", "action"),
        ("0x00000042 aa", "0x00000042"),
        ("", ""),
    ],
)
def test_events_in_words(line: str, words: str) -> None:
    assert MeasuredLine.parse(line).words() == words


def test_order_alone_names_the_register() -> None:
    baseline = learn(recorded(said(EvidenceFormat.TPM_QUOTE, events("EV_IPL aa a", "EV_IPL bb b", value="1"))))
    found = compare(baseline, said(EvidenceFormat.TPM_QUOTE, events("EV_IPL bb b", "EV_IPL aa a", value="2")))
    assert found == (Drift("pcr.sha256.9", "PCR 9: files that the boot loader read", "1", "2"),)


def test_texts_alone_are_no_drift() -> None:
    baseline = learn(recorded(said(EvidenceFormat.TPM_QUOTE, events("EV_IPL aa a", value="1"))))
    assert compare(baseline, said(EvidenceFormat.TPM_QUOTE, events("EV_ACTION aa b", value="1"))) == ()


def test_many_events_are_counted() -> None:
    before = [f"EV_IPL {index:04x} file-{index}" for index in range(400)]
    now = [f"EV_IPL {index:04x} file-{index}" for index in range(400, 800)]
    baseline = learn(recorded(said(EvidenceFormat.TPM_QUOTE, events(*before, value="1"))))
    found = compare(baseline, said(EvidenceFormat.TPM_QUOTE, events(*now, value="2")))
    assert len(found) == 17
    assert found[-1].component == "PCR 9: 384 more events"


_LINES = st.lists(st.text(max_size=60), max_size=8).map(tuple)
_VALUES = st.fixed_dictionaries({}, optional={"pcr.sha256.9": st.sampled_from(["1", "2"]), "events.pcr.9": _LINES})


@given(_VALUES, _VALUES)
def test_any_lines_can_be_compared(before: dict[str, ClaimValue], now: dict[str, ClaimValue]) -> None:
    baseline = Baseline("instance", EvidenceFormat.TPM_QUOTE, 0.0, BaselineOrigin.GIVEN, before)
    found = compare(baseline, said(EvidenceFormat.TPM_QUOTE, now))
    differs = "pcr.sha256.9" in before and before["pcr.sha256.9"] != now.get("pcr.sha256.9")
    assert bool(found) == differs
