"""Event logs made here: what no real log shows, and what nobody must get away with."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.boot_facts import boot_facts, gce_version_of, technology_of
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import MAX_EVENTS, MAX_LOG_SIZE, parse_event_log
from confvm_gui.attestation.eventlog.registers import RTMR, TPM
from confvm_gui.attestation.eventlog.replay import replay_pcrs
from confvm_gui.attestation.eventlog.secure_boot import secure_boot_state, separator_problems
from confvm_gui.attestation.eventlog.uefi import parse_device_path, parse_signature_lists
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.log_builder import LogBuilder, signature_list, variable

SHA256, SHA384 = HashAlgorithm.SHA256, HashAlgorithm.SHA384
SEPARATOR = bytes(4)


def built(log: LogBuilder) -> Any:
    return parse_event_log(log.to_bytes())


def boot(secure: bool = True) -> LogBuilder:
    """A boot with everything that Secure Boot must have."""
    log = LogBuilder()
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\1" if secure else b"\0"))
    for name in ("PK", "KEK", "db"):
        log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable(name, signature_list(name.encode())))
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("dbx", b""))
    log.add(7, EventType.EV_SEPARATOR, SEPARATOR)
    log.add(7, EventType.EV_EFI_VARIABLE_AUTHORITY, variable("db", bytes(16) + b"\x30\x82certificate"))
    return log


def test_a_whole_secure_boot() -> None:
    log = built(boot())
    state = secure_boot_state(log.events, SHA256, TPM)
    assert (state.enabled, state.problems, len(state.authorities)) == (True, [], 1)
    assert state.certificates("PK") == (hashlib.sha256(b"PK").hexdigest(),)
    assert separator_problems(log.events, SHA256, TPM) == []


@pytest.mark.parametrize(
    ("register", "kind", "data", "digest", "problem"),
    [
        (7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\1"), None, "twice"),
        (7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("extra", b"\1"), None, "after the separator"),
        (7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("extra", b"\1"), b"other", "not what was measured"),
        (7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, b"short", None, "malformed"),
        (7, EventType.EV_EFI_VARIABLE_AUTHORITY, variable("db", b"x"), b"other", "not what was measured"),
        (7, EventType.EV_EFI_VARIABLE_AUTHORITY, b"short", None, "malformed"),
        (7, EventType.EV_EFI_ACTION, b"UEFI Debug Mode", None, "debugger"),
        (7, EventType.EV_IPL, b"something", None, "does not belong"),
        (2, EventType.EV_EFI_BOOT_SERVICES_DRIVER, b"short", None, "driver"),
    ],
)
def test_what_contradicts_itself(
    register: int, kind: EventType, data: bytes, digest: bytes | None, problem: str
) -> None:
    log = boot()
    log.add(register, kind, data, digest)
    state = secure_boot_state(built(log).events, SHA256, TPM)
    assert any(problem in text for text in state.problems)


@pytest.mark.parametrize(
    ("value", "enabled"), [(b"\0", False), (b"\1", True), (b"", None), (b"\2", None), (b"\1\0", None)]
)
def test_the_secure_boot_variable(value: bytes, enabled: bool | None) -> None:
    log = LogBuilder()
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", value))
    state = secure_boot_state(built(log).events, SHA256, TPM)
    assert state.enabled is enabled
    if enabled:  # nothing else was measured: that cannot be
        assert len(state.problems) == 4


@pytest.mark.parametrize(
    ("kind", "data", "digest", "problem"),
    [
        (EventType.EV_SEPARATOR, SEPARATOR, None, "second separator"),
        (EventType.EV_SEPARATOR, SEPARATOR, b"other", "wrong digest"),
        (EventType.EV_SEPARATOR, b"\1\2\3\4", SEPARATOR, "wrong data"),
        (EventType.EV_EFI_ACTION, b"UEFI Debug Mode", SEPARATOR, "measured as a separator"),
    ],
)
def test_separators(kind: EventType, data: bytes, digest: bytes | None, problem: str) -> None:
    log = boot()
    log.add(7, kind, data, digest)
    assert any(problem in text for text in separator_problems(built(log).events, SHA256, TPM))


def test_registers_of_a_td_share() -> None:
    log = LogBuilder((SHA384,))
    log.add(1, EventType.EV_EFI_VARIABLE_BOOT, variable("BootOrder", b"\0"))
    log.add(1, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("SecureBoot", b"\0"))
    state = secure_boot_state(built(log).events, SHA384, RTMR)
    assert (state.enabled, state.problems) == (False, [])


def test_startup_locality_and_hcrtm() -> None:
    log = LogBuilder()
    log.add(0, EventType.EV_NO_ACTION, b"StartupLocality\0\3", bytes(0))
    log.add(0, EventType.EV_S_CRTM_VERSION, b"1")
    start = bytes(31) + b"\3"
    assert replay_pcrs(built(log), SHA256)[0] == hashlib.sha256(start + hashlib.sha256(b"1").digest()).digest()

    # The value is that of go-attestation's own test of H-CRTM.
    log = LogBuilder()
    log.add_digests(0, EventType.EV_EFI_HCRTM_EVENT, b"HCRTM", {SHA256: b"\xab" * 32})
    assert (
        replay_pcrs(built(log), SHA256)[0].hex() == "806fcb3c4d6ee3afc8eca3d420a48c206fb23803fcbd593eebba2b1df20c322c"
    )
    log = LogBuilder()
    log.add_digests(0, EventType.EV_S_CRTM_VERSION, b"test", {SHA256: b"\xcd" * 32})
    log.add_digests(0, EventType.EV_EFI_HCRTM_EVENT, b"HCRTM", {SHA256: b"\xab" * 32})
    assert (
        replay_pcrs(built(log), SHA256)[0].hex() != "806fcb3c4d6ee3afc8eca3d420a48c206fb23803fcbd593eebba2b1df20c322c"
    )


def test_dynamic_pcrs_start_at_ones() -> None:
    log = LogBuilder()
    log.add(17, EventType.EV_ACTION, b"x")
    expected = hashlib.sha256(b"\xff" * 32 + hashlib.sha256(b"x").digest()).digest()
    assert replay_pcrs(built(log), SHA256)[17] == expected


def test_sm3_and_sha3_banks() -> None:
    log = LogBuilder((HashAlgorithm.SM3_256, HashAlgorithm.SHA3_256, HashAlgorithm.SHA512))
    log.add(4, EventType.EV_EFI_ACTION, b"abc")
    (event,) = built(log).events
    assert event.digest_matches()
    assert event.digests[HashAlgorithm.SM3_256].hex().startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2")
    assert len(replay_pcrs(built(log), HashAlgorithm.SHA3_256)[4]) == 32


@pytest.mark.parametrize(
    ("data", "technology"),
    [
        (b"GCE NonHostInfo\0\1" + bytes(15), "sev"),
        (b"GCE NonHostInfo\0\2" + bytes(15), "sev-es"),
        (b"GCE NonHostInfo\0\4" + bytes(15), "sev-snp"),
        (b"GCE NonHostInfo\0\0" + bytes(15), "none"),
        (b"GCE NonHostInfo\0\x63" + bytes(15), ""),
        (b"GCE NonHostInfo\0", ""),
        (b"", ""),
    ],
)
def test_gce_non_host_info(data: bytes, technology: str) -> None:
    assert technology_of(data) == technology
    log = LogBuilder()
    log.add(0, EventType.EV_NONHOST_INFO, data)
    assert boot_facts(built(log).events, SHA256, TPM).technology == technology
    forged = LogBuilder()
    forged.add(0, EventType.EV_NONHOST_INFO, data, b"what was measured")
    facts = boot_facts(built(forged).events, SHA256, TPM)
    assert facts.technology == ""
    assert facts.firmware_problems
    late = LogBuilder()
    late.add(0, EventType.EV_SEPARATOR, SEPARATOR)
    late.add(0, EventType.EV_NONHOST_INFO, data)
    assert boot_facts(built(late).events, SHA256, TPM).technology == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("GCE Virtual Firmware v2\0", 2),
        ("GCE Virtual Firmware v\0", None),
        ("GCE Virtual Firmware vX", None),
        ("1.0", None),
    ],
)
def test_gce_firmware_version(text: str, version: int | None) -> None:
    assert gce_version_of(text.encode("utf-16-le")) == version


def test_kernel_and_grub() -> None:
    log = LogBuilder()
    log.add(8, EventType.EV_IPL, b"grub_cmd: linux /vmlinuz\0", b"linux /vmlinuz")
    log.add(8, EventType.EV_IPL, b"kernel_cmdline: /vmlinuz root=/dev/sda1\0", b"/vmlinuz root=/dev/sda1")
    log.add(9, EventType.EV_IPL, b"/boot/grub/grub.cfg\0", b"its content")
    facts = boot_facts(built(log).events, SHA256, TPM)
    assert facts.kernel_command_line == "/vmlinuz root=/dev/sda1"
    assert facts.grub_commands == ["linux /vmlinuz", "/vmlinuz root=/dev/sda1"]
    assert facts.grub_files == [f"{hashlib.sha256(b'its content').hexdigest()} /boot/grub/grub.cfg"]
    assert facts.problems == []

    log.add(8, EventType.EV_IPL, b"kernel_cmdline: init=/bin/sh\0", b"init=/bin/sh")
    log.add(8, EventType.EV_IPL, b"grub_cmd: halt\0", b"boot")
    assert len(boot_facts(built(log).events, SHA256, TPM).problems) == 2


def test_applications_count_only_if_boot_services_ended() -> None:
    log = LogBuilder()
    log.add(4, EventType.EV_EFI_BOOT_SERVICES_APPLICATION, bytes(32), b"shim")
    assert boot_facts(built(log).events, SHA256, TPM).applications == []
    log.add(5, EventType.EV_EFI_ACTION, b"Exit Boot Services Invocation")
    log.add(4, EventType.EV_EFI_BOOT_SERVICES_APPLICATION, bytes(32), b"later")
    assert boot_facts(built(log).events, SHA256, TPM).applications == [hashlib.sha256(b"shim").hexdigest()]


def specification(*, minor: int = 0, major: int = 2, count: int = 1, algorithms: bytes = b"\x0b\0\x20\0") -> bytes:
    data = (
        b"Spec ID Event03\0" + bytes(4) + bytes((minor, major, 0, 8)) + count.to_bytes(4, "little") + algorithms + b"\0"
    )
    return bytes(4) + b"\3\0\0\0" + bytes(20) + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(31),
        specification(major=1),
        specification(minor=2, major=1),
        specification(count=0xFFFFFFFF),
        specification(count=0, algorithms=b""),
        specification(algorithms=b"\x0b\0\x21\0"),
        specification(count=2, algorithms=b"\x0b\0\x20\0" * 2),
        specification()[:-1],
        specification() + b"\1",
        specification() + bytes(4) + b"\3\0\0\0" + b"\2\0\0\0",
        specification() + bytes(4) + b"\3\0\0\0" + b"\1\0\0\0" + b"\x0c\0" + bytes(48) + bytes(4),
        specification() + bytes(4) + b"\3\0\0\0" + b"\1\0\0\0" + b"\x0b\0" + bytes(32) + b"\xff\xff\xff\x7f",
        b"\x30\x34\x39\x33\x36\x30\x30\x32" + b"1963944792122790401m" + b"\xbd\xbf\xef\x47" + bytes(4),
        bytes(MAX_LOG_SIZE + 1),
    ],
)
def test_malformed_logs(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_event_log(data)


def test_too_many_events() -> None:
    event = b"\4\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0"
    assert len(parse_event_log(specification() + event * MAX_EVENTS).events) == MAX_EVENTS
    with pytest.raises(InvalidInput, match="more than"):
        parse_event_log(specification() + event * (MAX_EVENTS + 1))


@pytest.mark.parametrize("padding", [b"", bytes(1), bytes(64), b"\xff" * 64, b"\xff"])
def test_padding(padding: bytes) -> None:
    log = boot()
    assert len(parse_event_log(log.to_bytes() + padding).events) == 7


def test_padding_with_something_in_it() -> None:
    with pytest.raises(InvalidInput):
        parse_event_log(boot().to_bytes() + bytes(20) + b"\1" + bytes(20))


# As go-eventlog's tests of signature lists have them.
@pytest.mark.parametrize(
    ("list_size", "header", "size", "payload"),
    [(44, 0, 0, 16), (27, 0, 48, 48), (44, 0, 48, 48), (100, 0, 48, 10), (60, 99, 16, 60)],
)
def test_malformed_signature_lists(list_size: int, header: int, size: int, payload: int) -> None:
    data = bytes(16) + b"".join(number.to_bytes(4, "little") for number in (list_size, header, size)) + bytes(payload)
    with pytest.raises(InvalidInput):
        parse_signature_lists(data)


@pytest.mark.parametrize("data", [b"\1\1\3\0", b"\1\1\xff\xff", b"\1\1\0\0" * 9, b"\1\1\4\0" * 99])
def test_malformed_device_paths(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_device_path(data)
