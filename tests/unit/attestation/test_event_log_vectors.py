"""Real event logs: every one parses, replays to the registers that were published for it, and says what it says."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.boot_facts import boot_facts
from confvm_gui.attestation.eventlog.canonical import CC_REGISTER, parse_canonical_log, replay_canonical
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event, parse_event_log
from confvm_gui.attestation.eventlog.registers import RTMR, TPM
from confvm_gui.attestation.eventlog.replay import repaired, replay_pcrs, replay_registers
from confvm_gui.attestation.eventlog.secure_boot import secure_boot_state, separator_problems
from confvm_gui.attestation.eventlog.text import event_text
from confvm_gui.attestation.eventlog.uefi import ImageLoad, UefiVariable
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.evidence_files import DSTACK, GO_LOG, GO_TPM, TRUSTEE, TRUSTEE_LOGS, Vectors, errors, judge

pytestmark = pytest.mark.vectors

SHA1, SHA256, SHA384 = HashAlgorithm.SHA1, HashAlgorithm.SHA256, HashAlgorithm.SHA384
LEGACY = f"{GO_LOG}legacydata/"
CCEL = f"{GO_LOG}eventlogs/ccel/"


@pytest.fixture
def vectors(vectors_dir: Path) -> Vectors:
    return Vectors(vectors_dir)


def test_expected_event_logs(vectors: Vectors) -> None:
    """All of expected_eventlog.json: number of events, and every PCR of every bank."""
    expected = json.loads(vectors.read("expected_eventlog.json"))
    seen = 0
    for case in expected["tpm_logs"]:
        log = parse_event_log(vectors.read(f"{GO_TPM}internal/test/{case['file']}"))
        # The published number counts the specification event, which only crypto agile logs have.
        assert len(log.events) + log.crypto_agile == case["events"], case["name"]
        for bank, pcrs in case["pcrs"].items():
            algorithm = HashAlgorithm.of_label(bank)
            assert algorithm is not None
            values = replay_pcrs(log, algorithm)
            for pcr, value in pcrs.items():
                assert values[int(pcr)].hex() == value, (case["name"], bank, pcr)
                seen += 1
    assert seen > 120

    pair = expected["tdx_pair"]
    values = replay_registers(parse_event_log(vectors.read(pair["ccel"])))
    verdict = judge(vectors.read(pair["quote"]))
    assert [values[index].hex() for index in (1, 2, 3)] == [verdict.claim(f"rtmr{index}") for index in (0, 1, 2)]
    assert verdict.claim("rtmr3") == "00" * 48


@pytest.mark.parametrize(
    ("name", "secure_boot", "technology", "firmware", "kernel"),
    [
        ("rhel8-uefi", True, "none", 1, "vmlinuz-4.18.0-240.22.1.el8_3"),
        ("ubuntu-1804-amd-sev", False, "sev", 1, "/boot/vmlinuz-5.4.0-1046-gcp"),
        ("ubuntu-2104-no-dbx", False, "none", 1, "/boot/vmlinuz-5.11.0-1008-gcp"),
        ("debian-10", True, "none", 1, ""),
        ("cos-101-amd-sev", True, "sev", 1, "/syslinux/vmlinuz.A init=/usr/lib/systemd/systemd boot=local"),
        ("eventlogwithsp800155", True, "none", 2, "/syslinux/vmlinuz.B"),
        ("confidential-gke-debug-251000_eventlog", True, "none", 2, "/syslinux/vmlinuz.B"),
        ("glinux-alex", False, "", None, ""),
        ("gdc-host", False, "", None, "/vmlinuz-6.9.0-rc7+"),
    ],
)
def test_what_the_logs_say(
    vectors: Vectors, name: str, secure_boot: bool, technology: str, firmware: int | None, kernel: str
) -> None:
    log = parse_event_log(vectors.read(f"{GO_TPM}internal/test/eventlogs/{name}.bin"))
    for algorithm in log.algorithms:
        state = secure_boot_state(log.events, algorithm, TPM)
        facts = boot_facts(log.events, algorithm, TPM)
        assert (state.enabled, state.problems) == (secure_boot, [])
        assert separator_problems(log.events, algorithm, TPM) == []
        assert (facts.technology, facts.gce_firmware, facts.problems) == (technology, firmware, [])
        assert facts.kernel_command_line.startswith(kernel) or kernel in facts.kernel_command_line


def test_known_weaknesses_of_real_logs(vectors: Vectors) -> None:
    arch = judge(vectors.read(f"{GO_TPM}internal/test/eventlogs/arch-linux-workstation.bin"))
    assert "secure-boot-unknown" in {finding.code for finding in arch.findings}  # its SecureBoot variable is empty
    gdc = judge(vectors.read(f"{GO_TPM}internal/test/eventlogs/gdc-host.bin"))
    assert any("EV_S_CRTM_VERSION is not what was measured" in finding.actual for finding in gdc.findings)
    assert errors(gdc) == {"not-signed"}


def test_command_line_of_cos_101(vectors: Vectors) -> None:
    verdict = judge(vectors.read(f"{GO_TPM}internal/test/eventlogs/cos-101-amd-sev.bin"))
    line = str(verdict.claim("kernel_command_line"))
    assert line.startswith("/syslinux/vmlinuz.A init=/usr/lib/systemd/systemd boot=local rootwait ro noresume")
    assert line.endswith('salt=b323b014b6f463172fca758a1c5a6745a2c8e5872be0e175e2f4b40c8295b2ab"')


# The published RTMRs are those of the trustee's own test of these logs.
@pytest.mark.parametrize(
    ("name", "rtmrs"),
    [
        (
            "CCEL_data",
            (
                "2dc712306a963eadb894ad47dbaa17df44814151555aee11cbb843becca88950ffd079664902e6f22c66f7c8213543f4",
                "0fa3be56af61208bbd179dc7b124988eb929319154663c539d6f46445ecac2fec287075047ff7bd1922829fec28cd3cf",
                "",
            ),
        ),
        (
            "CCEL_data_ovmf",
            (
                "8566f998798db09443b244c62de9a3041fb02e2e6936c4396d784bba2e90177329ec5aba3bb484404f2ab9cc90abe193",
                "775b9f6bfe99f8a31396f0d0218e67ffa796d3b96ccf961cbb0deba48c79c00f082cda1a5567c1c16305f1fc210c13c6",
                "94eaf7a7bf398ed8d888c91057ae0261802e4f3df084213a76ca7f0b5055ac9d2241de43cd58d9e8b49c503bbf25f34a",
            ),
        ),
        (
            "CCEL_data_grub",
            (
                "cec0a104f691f60da2387fea3c2de00c4ac035e2bb479ff02edcce69039d9e9907f0b3e55031da3dc7038f423adebd79",
                "6c289e0c62182d41ebe97bdbc9872d10998a08eaa86adcdc684001a363207ee72942c7522cdf00a4bbc3d784bed7b670",
                "08919d017ba0e52cd6d966351c7de16fe76c1d3d3d3da4554239e4c7d16cb8b82a94e7eaea3a0e6e18eb690b999fd31e",
            ),
        ),
        (
            "CCEL_data_gcp",
            (
                "3300980705adf09d28b707b79699d9874892164280832be2c386a715b6e204e0897fb564a064f810659207ba862b304f",
                "204d49f78d29918fe7b2f694e76653861a0c2a018987d2c3a54266eff737232524cf0af68c4d180e2f8c2c0937f21967",
                "",
            ),
        ),
        (
            "CCEL_data_grub_gke",
            (
                "bc9945139042cf2cc75caf920aa57f14884ecfd7e893bccc51250c8ce90eb53ce72741e6adaa18183eb1331a87d4544a",
                "c17cb288a4dee302bb9ed8d27257a168f3264ad68cab53757f37eeaa7039657fa887cad65cf910e0fdc435ff110f8a7b",
                "334aeba2c985f8886cea97d1ecffbd512769d528b9a94009583db667ad7d2faa7d37fa145d75b192ceee2d2f10b2eb6d",
            ),
        ),
    ],
)
def test_cc_logs_replay_to_their_rtmrs(vectors: Vectors, name: str, rtmrs: tuple[str, ...]) -> None:
    values = replay_registers(parse_event_log(vectors.read(f"{TRUSTEE_LOGS}{name}")))
    assert tuple(values.get(index, b"").hex() for index in (1, 2, 3)) == rtmrs


@pytest.mark.parametrize(
    "name",
    ["CCEL_AAEL_alibabacloud", "CCEL_data", "CCEL_data_csv", "CCEL_data_grub", "CCEL_data_grub_gke", "CCEL_data_ovmf"],
)
def test_cc_logs_give_the_published_parsed_form(vectors: Vectors, name: str) -> None:
    expected = json.loads(vectors.read(f"{TRUSTEE_LOGS}{name}_out.json"))["uefi_event_logs"]
    events = parse_event_log(vectors.read(f"{TRUSTEE_LOGS}{name}")).events

    assert len(events) == len(expected)
    for event, wanted in zip(events, expected, strict=True):
        assert event.type_name == wanted["type_name"]
        assert event.register == wanted["index"]
        assert base64.b64encode(event.data).decode() == wanted["event"]
        digests = {item["alg"].replace("-", "").lower(): item["digest"] for item in wanted["digests"]}
        assert {key.label.partition("_")[0]: value.hex() for key, value in event.digests.items()} == digests
        _compare_details(event, wanted["details"])
        if not _differs_upstream(event):
            assert event.digest_matches() is wanted["digest_matches_event"], (event.number, event.type_name)


def _differs_upstream(event: Event) -> bool:
    """Where upstream's `digest_matches_event` is not about the event's own data: it skips some types altogether."""
    return event.type in (
        EventType.EV_EFI_VARIABLE_BOOT,
        EventType.EV_IPL,
        EventType.EV_EVENT_TAG,
        EventType.EV_POST_CODE,
    )


def _compare_details(event: Event, wanted: dict[str, Any]) -> None:
    if "device_paths" in wanted:
        path = ImageLoad.parse(event.data).path
        # Upstream writes function before device; UEFI (10.6.1.6) has Pci(Device,Function).
        upstream = [re.sub(r"^Pci\((\w+),(\w+)\)$", r"Pci(\2,\1)", node) for node in wanted["device_paths"]]
        assert [str(node) for node in path] == upstream
    elif "variable_name" in wanted:
        variable = UefiVariable.parse(event.data)
        assert variable.name == wanted["unicode_name"]
        assert base64.b64encode(variable.data).decode() == wanted["variable_data"]
        assert len(variable.data) == wanted["variable_data_length"]
        # Upstream writes the GUID's bytes in the order of the file.
        assert variable.vendor.bytes_le.hex() == wanted["variable_name"].replace("-", "")
    elif wanted.get("string"):
        assert event_text(event).lstrip(".") == wanted["string"]


def test_ccel_samples_of_other_projects(vectors: Vectors) -> None:
    for path, events in (
        (f"{DSTACK}cc-eventlog/samples/ccel.bin", 18),
        (f"{CCEL}CCEL_unpadded.data.bin", 19),
        (f"{CCEL}event_log.bin", 27),
        (f"{CCEL}cos-113-intel-tdx.bin", 43),
        (f"{TRUSTEE}CCEL_data", 5),
        (f"{TRUSTEE}CCEL_data_ovmf", 20),
    ):
        data = vectors.read(path)
        log = parse_event_log(data)
        assert len(log.events) == events
        assert judge(data).format is EvidenceFormat.CC_EVENT_LOG
        assert parse_event_log(data[: log.size]).events == log.events

    tpm = judge(vectors.read(f"{DSTACK}cc-eventlog/samples/tpm_eventlog.bin"))
    assert tpm.format is EvidenceFormat.TCG_EVENT_LOG
    assert tpm.claim("gce.technology") == "tdx"
    padded, bare = (vectors.read(f"{CCEL}cos-113-intel-tdx-dupe-separator{name}.bin") for name in ("", "-unpadded"))
    assert parse_event_log(padded).events == parse_event_log(bare).events
    problems = separator_problems(parse_event_log(bare).events, SHA384, RTMR)
    assert [problem.startswith("a second separator at event") for problem in problems] == [True]


@pytest.mark.parametrize(("name", "length"), [("CCEL.bin", 0x10000), ("cos-113-intel-tdx.table.bin", 0x40000)])
def test_the_ccel_acpi_table_is_no_log(vectors: Vectors, name: str, length: int) -> None:
    table = vectors.read(f"{CCEL}{name}")
    assert table[:4] == b"CCEL"
    assert int.from_bytes(table[40:48], "little") == length  # LAML: least length of the log
    with pytest.raises(InvalidInput):
        parse_event_log(table)


# What go-attestation's tests say of the legacy logs.
@pytest.mark.parametrize(
    ("name", "events", "agile"),
    [
        ("coreos_36_shielded_vm_no_secure_boot_eventlog", 75, True),
        ("crypto_agile_eventlog", 26, True),
        ("ebs_event_missing_eventlog", 38, False),
        ("option_rom_eventlog", 61, False),
        ("sb_cert_eventlog", 14, True),
        ("short_no_action_eventlog", 1, False),
        ("ubuntu_2104_shielded_vm_no_secure_boot_eventlog", 105, True),
    ],
)
def test_legacy_logs_parse(vectors: Vectors, name: str, events: int, agile: bool) -> None:
    log = parse_event_log(vectors.read(f"{LEGACY}{name}"))
    assert (len(log.events), log.crypto_agile) == (events, agile)


@pytest.mark.parametrize(("name", "algorithm"), [("windows_gcp_shielded_vm", SHA1), ("linux_tpm12", SHA1)])
def test_legacy_dumps_replay(vectors: Vectors, name: str, algorithm: HashAlgorithm) -> None:
    dump = json.loads(vectors.read(f"{LEGACY}{name}.json"))
    log = parse_event_log(base64.b64decode(dump["Log"]["Raw"]))
    quoted = {pcr["Index"]: base64.b64decode(pcr["Digest"]) for pcr in dump["Log"]["PCRs"] if pcr["DigestAlg"] == 3}
    values = replay_pcrs(log, algorithm)
    measured_later = {10}  # Linux's IMA, which is not in firmware's log
    for pcr, value in values.items():
        if pcr not in measured_later:
            assert value == quoted[pcr], pcr


def test_windows_had_secure_boot_on(vectors: Vectors) -> None:
    dump = json.loads(vectors.read(f"{LEGACY}windows_gcp_shielded_vm.json"))
    log = parse_event_log(base64.b64decode(dump["Log"]["Raw"]))
    state = secure_boot_state(log.events, SHA1, TPM)
    assert (state.enabled, state.problems) == (True, [])


def test_events_that_firmware_did_not_log(vectors: Vectors) -> None:
    """ExitBootServices was measured, but is not in the log: replaying works with what is known to be missing."""
    log = parse_event_log(vectors.read(f"{LEGACY}ebs_event_missing_eventlog"))
    wanted = bytes.fromhex("31245808d6d35849bc394f6343f2b3ff908ed5e3")
    value = replay_pcrs(log, SHA1)[5]
    assert value != wanted
    assert repaired(5, SHA1, value, wanted) == (
        "Exit Boot Services Invocation",
        "Exit Boot Services Returned with Success",
    )
    assert repaired(4, SHA1, value, wanted) == ()


def test_certificates_behind_secure_boot(vectors: Vectors) -> None:
    """sb_cert: shim logs authorities without an owner, and one byte too many; three of them after the separator."""
    log = parse_event_log(vectors.read(f"{LEGACY}sb_cert_eventlog"))
    assert replay_pcrs(log, SHA1)[7] == b"E\xa8b\x1d4\xa5}\xf2\xb2\xe7\xf1L\x92\xb9\x9a\xc8\xde}X\x05"
    for algorithm in log.algorithms:
        state = secure_boot_state(log.events, algorithm, TPM)
        assert (state.enabled, len(state.authorities), state.problems) == (True, 3, [])


def test_option_roms(vectors: Vectors) -> None:
    log = parse_event_log(vectors.read(f"{LEGACY}option_rom_eventlog"))
    pcrs = replay_pcrs(log, SHA1)
    assert base64.b64encode(pcrs[7]) == b"IN59+6a838ytrX4+sJnJHU2Xxa0="
    assert base64.b64encode(pcrs[2]) == b"NmoxoMB1No8OEIVzM+ou1uigD9M="
    state = secure_boot_state(log.events, SHA1, TPM)
    assert (state.enabled, len(state.authorities), state.driver_origins) == (True, 2, ["pci"])


@pytest.mark.parametrize(
    "name", ["ubuntu_2104_shielded_vm_no_secure_boot_eventlog", "coreos_36_shielded_vm_no_secure_boot_eventlog"]
)
def test_secure_boot_off(vectors: Vectors, name: str) -> None:
    log = parse_event_log(vectors.read(f"{LEGACY}{name}"))
    state = secure_boot_state(log.events, SHA256, TPM)
    assert (state.enabled, state.problems) == (False, [])


def test_canonical_log(vectors: Vectors) -> None:
    data = base64.b64decode(vectors.read(f"{GO_TPM}agent/testdata/cel.b64"))
    records = parse_canonical_log(data)
    assert all(record.digest_matches() for record in records)
    assert records[0].cos() == (
        "image_reference",
        "us-west1-docker.pkg.dev/confidential-space-images-dev/cs-integ-test-images/gpu/cuda-vector-add:latest",
    )
    register = bytes(48)
    for record in records:
        register = hashlib.sha384(register + record.digests[SHA384]).digest()
    assert replay_canonical(records, CC_REGISTER, SHA384) == {4: register}
    verdict = judge(data)
    assert verdict.format is EvidenceFormat.CANONICAL_EVENT_LOG
    assert errors(verdict) == {"not-signed"}
    assert verdict.claim("rtmr3") == register.hex()
