"""Events as lines, by which two boots are compared; and the emulator's statement of memory encryption."""

from __future__ import annotations

import pytest

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.boot_facts import technology_of
from confvm_gui.attestation.eventlog.event_lines import MAX_LINES, event_lines
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import parse_event_log
from tests.unit.attestation.log_builder import LogBuilder, number, variable

SHA256 = HashAlgorithm.SHA256


def lines_of(log: LogBuilder) -> dict[int, tuple[str, ...]]:
    return event_lines(parse_event_log(log.to_bytes()).events, SHA256)


def test_type_digest_and_text() -> None:
    log = LogBuilder()
    log.add(0, EventType.EV_NO_ACTION, b"StartupLocality\0\3")
    log.add(8, EventType.EV_IPL, b"grub_cmd: boot\0", b"boot")
    log.add(0, EventType.EV_SEPARATOR, bytes(4))
    log.add(8, EventType.EV_IPL, b"grub_cmd: halt\0", b"halt")
    assert lines_of(log) == {
        0: (f"EV_SEPARATOR {SHA256.digest(bytes(4)).hex()}",),
        8: (
            f"EV_IPL {SHA256.digest(b'boot').hex()} grub_cmd: boot",
            f"EV_IPL {SHA256.digest(b'halt').hex()} grub_cmd: halt",
        ),
    }


@pytest.mark.parametrize("size", [10, 5000])
def test_variables_have_their_name_whatever_they_hold(size: int) -> None:
    log = LogBuilder()
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("dbx", bytes(size)))
    assert lines_of(log)[7][0].endswith(" dbx")


def test_names_that_are_not_all_there() -> None:
    log = LogBuilder()
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, bytes(16) + number(400, 8) + bytes(5000))
    log.add(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, b"short")
    assert [line.count(" ") for line in lines_of(log)[7]] == [1, 1]


def test_texts_stand_on_one_line_or_are_left_out() -> None:
    log = LogBuilder()
    log.add(8, EventType.EV_IPL, b"grub_cmd: set x=1\n  y=2\0")
    log.add(3, EventType.EV_EVENT_TAG, number(1) + number(3) + b"a\x07b")
    lines = lines_of(log)
    assert lines[8][0].endswith(" grub_cmd: set x=1 y=2")
    assert lines[3][0].count(" ") == 1


def test_no_more_than_can_be_looked_at() -> None:
    log = LogBuilder()
    for index in range(MAX_LINES + 10):
        log.add(index % 4, EventType.EV_ACTION, b"action")
    assert sum(map(len, lines_of(log).values())) == MAX_LINES


def test_events_of_another_bank_only() -> None:
    log = LogBuilder((SHA256, HashAlgorithm.SHA384))
    log.add_digests(3, EventType.EV_ACTION, b"action", {HashAlgorithm.SHA384: bytes(48)})
    assert lines_of(log) == {}


def test_statements_of_memory_encryption() -> None:
    assert technology_of(b"GCE NonHostInfo\0\4" + bytes(15)) == "sev-snp"
    assert technology_of(b"CVM NonHostInfo\0\4" + bytes(15)) == ""
    assert technology_of(b"CVM NonHostInfo\0\2" + bytes(15), b"CVM NonHostInfo\0") == "sev-es"
    assert technology_of(b"CVM NonHostInfo\0", b"CVM NonHostInfo\0") == ""
