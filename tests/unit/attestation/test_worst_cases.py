"""Inputs made to take long: each is answered, or refused, within 100 ms."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import MAX_BANKS, MAX_EVENTS, MAX_LOG_SIZE
from confvm_gui.attestation.eventlog.uefi import X509_GUID
from confvm_gui.attestation.pem import pem_blocks
from confvm_gui.attestation.reference_file import parse_reference_values
from confvm_gui.attestation.x509.certificates import parse_crl
from confvm_gui.domain.attestation import Endorsements
from confvm_gui.domain.errors import InvalidInput
from tests.unit.attestation.authority import NOW, issue, revocation_list, rsa_key
from tests.unit.attestation.evidence_files import judge
from tests.unit.attestation.log_builder import LogBuilder, number, variable

LIMIT = 0.1
BANKS = tuple(HashAlgorithm)[:MAX_BANKS]
ENTRIES = X509_GUID.bytes_le + number(28 + 17 * 2000) + number(0) + number(17) + bytes(17 * 2000)


def many(register: int, kind: EventType, data: bytes, count: int = MAX_EVENTS) -> bytes:
    """A log of one event over and over, with digests that are wrong."""
    log = LogBuilder(BANKS)
    for _ in range(min(count, (MAX_LOG_SIZE - 512) // (len(data) + 220))):
        log.add_digests(register, kind, data, {bank: bytes(bank.size) for bank in BANKS})
    return log.to_bytes()


def right(register: int, kind: EventType, data: bytes) -> bytes:
    """Likewise, with digests that are right."""
    log = LogBuilder((HashAlgorithm.SHA384,))
    for _ in range(min(MAX_EVENTS, (MAX_LOG_SIZE - 512) // (len(data) + 70))):
        log.add(register, kind, data)
    return log.to_bytes()


LOGS: dict[str, Callable[[], bytes]] = {
    "commands": lambda: many(8, EventType.EV_IPL, b"grub_cmd: x"),
    "large commands": lambda: many(8, EventType.EV_IPL, b"grub_cmd: " + b"y" * 4000),
    "one command": lambda: many(8, EventType.EV_IPL, b"grub_cmd: " + b"y" * (MAX_LOG_SIZE - 1024), 1),
    "variables": lambda: many(7, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("db", ENTRIES[:80])),
    "databases": lambda: right(1, EventType.EV_EFI_VARIABLE_DRIVER_CONFIG, variable("dbx", ENTRIES)),
    "drivers": lambda: many(
        2, EventType.EV_EFI_BOOT_SERVICES_DRIVER, bytes(24) + number(384, 8) + b"\1\1\6\0\0\0" * 64
    ),
    "separators": lambda: right(1, EventType.EV_SEPARATOR, bytes(4)),
    "tags": lambda: right(3, EventType.EV_EVENT_TAG, b"LEAA\4\0\0\0data"),
}


def seconds(call: Callable[[], object]) -> float:
    """Of this thread's own time, the best of a few: the machine has other things to do."""
    best = 1e9
    for _ in range(4):
        began = time.thread_time()
        with suppress(InvalidInput):
            call()
        best = min(best, time.thread_time() - began)
    return best


@pytest.mark.parametrize("name", LOGS)
def test_event_logs(name: str) -> None:
    data = LOGS[name]()
    assert len(data) > 5000
    assert seconds(lambda: judge(data)) < LIMIT


def test_revocation_lists() -> None:
    root = issue("crowded", rsa_key("crowded"), authority=True)
    crl = revocation_list(root, {(1 << 60) + serial: NOW for serial in range(2300)})

    def cold() -> None:
        parse_crl.cache_clear()
        parse_crl(crl)

    assert seconds(cold) < LIMIT


def test_more_endorsements_than_one_chain_has() -> None:
    root = issue("crowded", rsa_key("crowded"), authority=True)
    crl = revocation_list(root, {(1 << 60) + serial: NOW for serial in range(2300)})
    report = b"\3\0\0\0" + bytes(0x49C)
    for endorsements in (
        Endorsements(crls=(crl, crl, crl)),
        Endorsements(certificates=(b"\x30\0",) * 49),
        Endorsements(documents=(b"{}" * 40_000,) * 2),
        Endorsements(amd_certificates=(bytes(2084),) * 64),
    ):
        with pytest.raises(InvalidInput, match="were given"):
            judge(report, endorsements)


@pytest.mark.parametrize(
    "data",
    [
        b"a" + b".a" * 16_000 + b" = 1",
        b"[expected]\n" + b"".join(b"k%d = 1\n" % index for index in range(3000)),
        b"".join(b"[a%d]\n" % index for index in range(3500)),
        b"report_data = " + b"[" * 30_000,
        b"{" + b",".join(b'"%d":{}' % index for index in range(25_000)) + b"}",
        b'{"minimum": {"a": ' + b"9" * 200_000 + b"}}",
    ],
)
def test_reference_files(data: bytes) -> None:
    assert seconds(lambda: parse_reference_values(data)) < LIMIT


@pytest.mark.parametrize(
    "data",
    [
        b"-----BEGIN CERTIFICATE-----" + b"A" * 1_000_000,
        b"-----BEGIN CERTIFICATE-----\n" * 60 + b"A " * 500_000,
        (b"-----BEGIN CERTIFICATE-----" + b"A" * 16_000) * 60,
        b"-----BEGIN " * 50_000,
    ],
)
def test_pem(data: bytes) -> None:
    assert seconds(lambda: pem_blocks(data)) < LIMIT
