"""A records guest that cannot do its work says why in one line and powers off."""

from __future__ import annotations

import os

import pytest

from confvm_gui.domain.records import parse_records
from confvm_gui.domain.records_encoding import SECTOR
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.records_disk import HEADER_BYTES, DiskHeader, build_disk, encrypt_sectors, ram_needed
from confvm_gui.engine.guests.secret_table import guest_secret
from confvm_gui.fleet.records import SAMPLE_RECORDS
from tests.support.guest_harness import GuestMachine, start_records

TABLE = parse_records(SAMPLE_RECORDS.read_bytes())
DEK = bytes(range(64))
DISK = build_disk(TABLE, DEK, DiskHeader("local:rehearsal", b"wrapped"))


def final_words(disk: bytes, secret: bytes, ram_bytes: int = 4 << 20) -> str:
    """The console of a guest that powered off, without its last line, which says so."""
    machine = GuestMachine(GuestImage.load("records"), ram_bytes=ram_bytes, secret=secret, disk=disk)
    machine.run_to_power_off()
    assert machine.powered_off == 1
    console = machine.console()
    assert console.endswith("powering off\r\n")
    assert not any(text in console for row in TABLE.rows for text in row if len(text) > 6)
    return console.removesuffix("powering off\r\n")


def garbled(at: int) -> bytes:
    return DISK[:at] + bytes([DISK[at] ^ 0x10]) + DISK[at + 1 :]


def test_a_wrong_key() -> None:
    assert "the injected key does not open it" in final_words(DISK, guest_secret(disk_key=os.urandom(64)))


@pytest.mark.parametrize("secret", [guest_secret(mailbox_key=bytes(32)), guest_secret(), b"", b"\xff" * 64])
def test_no_key(secret: bytes) -> None:
    assert "no disk key was injected" in final_words(DISK, secret)


def test_no_disk() -> None:
    assert "disk: there is none" in final_words(b"", guest_secret(disk_key=DEK))


def test_a_disk_that_ends_too_soon() -> None:
    assert "damaged" in final_words(DISK[:-SECTOR], guest_secret(disk_key=DEK))


def test_a_garbled_first_sector() -> None:
    assert "does not open it or its first sector is damaged" in final_words(
        garbled(HEADER_BYTES), guest_secret(disk_key=DEK)
    )


@pytest.mark.parametrize("at", [HEADER_BYTES + 20, HEADER_BYTES + SECTOR, HEADER_BYTES + 9 * SECTOR + 77])
def test_a_changed_bit_anywhere(at: int) -> None:
    assert "damaged" in final_words(garbled(at), guest_secret(disk_key=DEK))


def test_two_exchanged_sectors() -> None:
    a, b, c = HEADER_BYTES + 3 * SECTOR, HEADER_BYTES + 4 * SECTOR, HEADER_BYTES + 5 * SECTOR
    assert "damaged" in final_words(DISK[:a] + DISK[b:c] + DISK[a:b] + DISK[c:], guest_secret(disk_key=DEK))


def test_a_disk_of_zeros_under_the_right_key() -> None:
    disk = DISK[:HEADER_BYTES] + encrypt_sectors(bytes(64 * SECTOR), DEK)
    assert "does not open it" in final_words(disk, guest_secret(disk_key=DEK))


@pytest.mark.parametrize(("rows", "columns"), [(60_000, 2), (400, 40)])
def test_too_little_memory(rows: int, columns: int) -> None:
    width = 300 if columns > 2 else 10
    line = ",".join("x" * width for _ in range(columns)) + "\n"
    table = parse_records((",".join(f"c{at}" for at in range(columns)) + "\n" + line * rows).encode())
    run = start_records(table, ram_bytes=4 << 20)
    run.machine.run_to_power_off()
    console = run.machine.console()
    assert "memory: this table needs" in console
    assert "give the instance more" in console


def test_the_ram_that_is_told_to_be_needed_is_enough() -> None:
    for rows, columns in ((20_000, 3), (3_000, 60), (66_000, 4)):
        line = ",".join(str(at % 7) for at in range(columns)) + "\n"
        header = ",".join(f"c{at}" for at in range(columns)) + "\n"
        table = parse_records((header + line * rows).encode())
        run = start_records(table)
        assert len(run.machine.ram) == ram_needed(table)
        assert len(run.machine.ram) < 32 << 20
        run.machine.run_until_printed("ready")


def test_missing_boot_information() -> None:
    machine = GuestMachine(GuestImage.load("records"), secret=guest_secret(disk_key=DEK), disk=DISK)
    machine.write(0x8000, bytes(16))
    machine.run_to_power_off()
    assert "boot information is missing" in machine.console()


def test_without_a_mailbox_key_it_works_unasked() -> None:
    machine = GuestMachine(GuestImage.load("records"), secret=guest_secret(disk_key=DEK), disk=DISK)
    machine.run_until_printed("mailbox: closed")
    machine.run_until_printed("model 1")
