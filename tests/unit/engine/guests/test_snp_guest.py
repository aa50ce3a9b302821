"""The built-in guests under SEV-SNP: memory that they validate first, a report, and keys that only they can open."""

from __future__ import annotations

import hashlib
import os

import pytest
from unicorn import UcError

from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import parse_records
from confvm_gui.engine.guests.attestation_page import ANSWER_NOT_OF_THE_FIRMWARE, request_writes, sealed_writes
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import MailboxKey
from confvm_gui.engine.guests.memory_map import ATTESTATION_GPA, IMAGE_GPA, SECRET_GPA
from confvm_gui.engine.guests.records_disk import DiskHeader, build_disk, ram_needed
from confvm_gui.engine.guests.sealing import report_data, seal_secret
from confvm_gui.engine.guests.secret_table import guest_secret
from tests.support.guest_harness import GuestMachine
from tests.support.snp_guest_harness import SnpGuestMachine

HEARTBEAT = GuestImage.load("heartbeat")
MAILBOX_KEY = bytes(range(32))
NONCE = bytes(range(100, 132))
SECRET = guest_secret(mailbox_key=MAILBOX_KEY)
WAITING = "sev-snp: report asked of the firmware, waiting for the owner's keys"
RECEIVED = "sev-snp: keys received"


def heartbeat(*, slice_us: int = 0) -> SnpGuestMachine:
    return SnpGuestMachine(HEARTBEAT, ram_bytes=2 << 20, slice_us=slice_us)


def started() -> SnpGuestMachine:
    machine = heartbeat()
    machine.attest(1, NONCE)
    machine.give_keys(SECRET, NONCE)
    machine.run_until_printed(RECEIVED)
    return machine


def test_a_guest_asks_for_its_report_and_goes_on_with_the_keys_that_come() -> None:
    machine = heartbeat()
    answer = machine.attest(1, NONCE)
    assert (answer.status, answer.public_key) == (0, machine.key.public_key)
    assert answer.report[0x50:0x90] == report_data(answer.public_key, NONCE)
    assert machine.answered == [1]
    assert machine.console().splitlines() == [
        "ConfVM heartbeat guest, memory encryption active (SEV-SNP)",
        WAITING,
    ]
    machine.give_keys(SECRET, NONCE)
    machine.run_until_printed("up 10 s")
    assert machine.console().count(RECEIVED) == 1
    assert machine.read(SECRET_GPA, 4096) == SECRET.ljust(4096, b"\0")
    assert machine.status(MailboxKey(MAILBOX_KEY)).state == "beating"


def test_it_waits_until_it_is_asked() -> None:
    machine = heartbeat()
    for _ in range(20):
        machine.turn()
    assert "sev-snp" not in machine.console()
    assert not machine.messages
    assert machine.attest(1, NONCE).status == 0


def test_all_that_it_uses_behind_its_image_it_has_validated() -> None:
    """The machine crashes a guest that touches anything else; here it is told what exactly was claimed."""
    machine = started()
    end = IMAGE_GPA + len(HEARTBEAT.data)
    claimed = sorted(page for page in machine.valid if page >= end)
    assert claimed == list(range(end, end + 4096 * len(claimed), 4096))
    assert machine.pvalidates == len(claimed) < 16
    assert all(page in machine.valid for page in machine.private)


def test_each_report_has_a_message_of_its_own() -> None:
    machine = started()
    reports = {machine.attest(sequence, os.urandom(32)).report for sequence in range(2, 6)}
    assert len(reports) == 4
    assert machine.answered == [1, 2, 3, 4, 5]
    assert len({message[0x20:0x28] for message in machine.messages}) == 5
    assert machine.console().count("sev-snp: another report asked of the firmware") == 4
    machine.run_until_printed("up 10 s")


def test_the_owner_may_ask_again_before_he_gives_the_keys() -> None:
    machine = heartbeat()
    machine.attest(1, bytes(32))
    second = machine.attest(2, NONCE)
    assert second.report[0x50:0x90] == report_data(second.public_key, NONCE)
    machine.give_keys(SECRET, NONCE)
    machine.run_until_printed(RECEIVED)


def test_keys_are_opened_though_another_report_is_asked_before_the_guest_looks() -> None:
    """A guest that gets no turn for a while finds both at once; the keys are sealed to the report before."""
    machine = heartbeat()
    machine.attest(1, bytes(32))
    machine.give_keys(SECRET, bytes(32))
    second = machine.attest(2, NONCE)
    assert second.report[0x50:0x90] == report_data(second.public_key, NONCE)
    machine.run_until_printed(RECEIVED)
    assert "not sealed to this guest" not in machine.console()


def test_keys_for_somebody_else_are_refused_and_others_awaited() -> None:
    machine = heartbeat()
    public_key = machine.attest(1, NONCE).public_key
    good = seal_secret(SECRET, public_key=public_key, nonce=NONCE)
    altered = bytearray(good)
    altered[-20] ^= 1
    small_order = bytes(32) + good[32:]
    other_nonce = seal_secret(SECRET, public_key=public_key, nonce=bytes(32))
    for sequence, sealed in enumerate([bytes(altered), small_order, other_nonce, good[:48], b"x"], 1):
        writes = sealed_writes(sealed)
        machine.apply((*writes[:-1], writes[-1]._replace(data=sequence.to_bytes(4, "little"))))
        for _ in range(5):
            machine.turn()
        assert machine.console().count("were not sealed to this guest") == sequence
    assert RECEIVED not in machine.console()
    assert not any(machine.read(SECRET_GPA, 4096))
    writes = sealed_writes(good)
    machine.apply((*writes[:-1], writes[-1]._replace(data=(9).to_bytes(4, "little"))))
    machine.run_until_printed(RECEIVED)


@pytest.mark.parametrize("size", [0, 48, 1025, 0xFFFFFFFF])
def test_a_size_that_cannot_be_is_refused(size: int) -> None:
    machine = heartbeat()
    machine.attest(1, NONCE)
    machine.write(ATTESTATION_GPA + 0x804, size.to_bytes(4, "little"))
    machine.write(ATTESTATION_GPA + 0x800, (1).to_bytes(4, "little"))
    machine.run_until_printed("were not sealed to this guest")


def test_a_refused_message_is_sent_again_as_it_was() -> None:
    """Its number is its nonce: another text under the same would lay open both."""
    machine = started()
    machine.firmware_status = [0x16]
    assert machine.attest(2, os.urandom(32)).status == 0x16
    machine.run_until_printed("there is no report, the firmware's status is 0x00000016")
    nonce = os.urandom(32)
    answer = machine.attest(3, nonce)
    assert answer.report[0x50:0x90] == report_data(answer.public_key, nonce)
    first, again, last = machine.messages[1:]
    assert first == again
    assert last[0x20:0x28] != first[0x20:0x28]


def test_what_the_firmware_says_in_its_answer_is_told() -> None:
    machine = heartbeat()
    machine.report_status = 0x27
    answer = machine.attest(1, NONCE)
    assert (answer.status, answer.report) == (0x27, b"")
    machine.report_status = 0
    assert machine.attest(2, NONCE).status == 0


def test_an_answer_that_the_firmware_did_not_seal_is_no_report() -> None:
    machine = heartbeat()
    machine.firmware_key = os.urandom(32)
    answer = machine.attest(1, NONCE)
    assert (answer.status, answer.report) == (ANSWER_NOT_OF_THE_FIRMWARE, b"")


@pytest.mark.parametrize("at", [0x00, 0x20, 0x30, 0x34, 0x36, 0x3C, 0x60, 0x80, 0x400, 0x51F])
def test_one_changed_byte_of_the_answer_is_enough(at: int) -> None:
    class Altering(SnpGuestMachine):
        def _guest_request(self) -> int:
            status = super()._guest_request()
            self.write(0xA000 + at, bytes([self.read(0xA000 + at, 1)[0] ^ 1]))
            return status

    machine = Altering(HEARTBEAT, ram_bytes=2 << 20)
    assert machine.attest(1, NONCE).status == ANSWER_NOT_OF_THE_FIRMWARE


def test_a_host_that_keeps_the_memory_is_told_off() -> None:
    machine = heartbeat()
    machine.refuse_state_changes = True
    machine.run_to_power_off()
    assert machine.powered_off == 1
    assert machine.console() == "sev-snp: the host does not give the guest its memory, powering off\r\n"


def test_a_swapped_page_is_noticed() -> None:
    """PVALIDATE leaves the carry flag set: the page was valid, and the guest never validated one there."""
    machine = heartbeat()
    machine.cheat_pages = {IMAGE_GPA + len(HEARTBEAT.data) + 4096}
    machine.run_to_power_off()
    assert "does not give the guest its memory" in machine.console()


def test_without_a_page_for_attestation_there_is_nothing_to_wait_for() -> None:
    machine = heartbeat()
    machine.write(ATTESTATION_GPA, bytes(16))
    machine.run_to_power_off()
    assert "the host has no page for attestation" in machine.console()


@pytest.mark.parametrize("slice_us", [70, 300])
def test_taking_the_processor_away_at_any_moment_changes_nothing(slice_us: int) -> None:
    machine = heartbeat(slice_us=slice_us)
    answer = machine.attest(1, NONCE)
    assert (answer.status, answer.public_key) == (0, machine.key.public_key)
    machine.give_keys(SECRET, NONCE)
    machine.run_until_printed("up 10 s")
    assert machine.preempted > machine.pvalidates
    assert machine.console().count("sev-snp: ") == 2


def test_no_secret_leaves_private_memory() -> None:
    machine = started()
    machine.attest(2, os.urandom(32))
    machine.run_until_printed("up 10 s")
    outside = machine.shared_memory() + machine.serial
    for secret in (MAILBOX_KEY, *machine.vmpcks):
        for at in range(0, 32, 8):
            assert secret[at : at + 8] not in outside


def test_the_key_to_which_was_sealed_does_not_stay() -> None:
    """Nor the key of the seal, whose traces on the stack are wiped."""
    machine = started()
    private = hashlib.sha256(b"confvm-guest-key" + machine.vmpcks[1]).digest()
    assert private not in bytes(machine.ram)


@pytest.mark.parametrize("large_pages", [True, False])
def test_the_records_guest_works_on_memory_that_it_claims_as_it_grows(*, large_pages: bool) -> None:
    text = "k,x,label\n" + "\n".join(f"patient-{n:06d},{n % 17},{n % 2}" for n in range(20000))
    table = parse_records(text.encode())
    disk_key = os.urandom(64)
    disk = build_disk(table, disk_key, DiskHeader("local:rehearsal", b"wrapped"))
    ram = ram_needed(table, len(disk)) + (8 << 20)
    machine = SnpGuestMachine(GuestImage.load("records"), ram_bytes=ram, disk=disk, large_pages=large_pages)
    machine.attest(1, NONCE)
    machine.give_keys(guest_secret(disk_key=disk_key, mailbox_key=MAILBOX_KEY), NONCE)
    machine.run_until_printed("ready: questions are answered")
    assert "encrypted (SEV-SNP active, C-bit 51)" in machine.console()
    answer = machine.ask(MailboxKey(MAILBOX_KEY), Query(QueryVerb.COUNT, "k", "patient-000123"))
    assert (answer.ok, answer.count) == (True, 1)
    assert machine.attest(2, os.urandom(32)).status == 0
    assert max(machine.valid) + 4096 < ram, "it claims what it needs, not all that there is"
    assert (machine.pvalidates < 600) is large_pages


def test_memory_that_was_not_validated_crashes_a_guest() -> None:
    """The stand-in is strict, or the tests above would prove nothing: the image is started as if SNP were off."""

    class Lying(SnpGuestMachine):
        def _cpuid(self, uc: object, data: object) -> int:
            return GuestMachine._cpuid(self, uc, data)

    with pytest.raises(UcError):
        Lying(HEARTBEAT, ram_bytes=2 << 20).run_until_printed("up 10 s")


def test_requests_are_taken_from_the_page_in_any_order_of_numbers() -> None:
    """The host's numbers only tell one request from the next."""
    machine = started()
    machine.apply(request_writes(7, NONCE))
    machine.run(lambda _: machine.answer().sequence == 7)
    machine.apply(request_writes(3, NONCE))
    machine.run(lambda _: machine.answer().sequence == 3)
