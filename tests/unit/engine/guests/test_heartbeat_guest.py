"""The smallest guest: it counts, tells it, answers `status`, and needs next to nothing."""

from __future__ import annotations

import pytest

from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.mailbox import MailboxKey
from confvm_gui.engine.guests.secret_table import guest_secret
from tests.support.guest_harness import GuestMachine

IMAGE = GuestImage.load("heartbeat")
KEY = bytes(range(32))


@pytest.mark.parametrize("sev", [True, False])
def test_it_counts_and_tells_it_every_ten_seconds(*, sev: bool) -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20, sev=sev)
    machine.run_until_printed("up 30 s")
    console = machine.console()
    assert ("memory encryption active (SEV)" in console) is sev
    assert console.count("heartbeat: ") == 3
    assert "heartbeat: 10 ticks, up 10 s" in console


def test_it_answers_status_at_once() -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20, secret=guest_secret(mailbox_key=KEY))
    machine.run_until_printed("up 10 s")
    status = machine.status(MailboxKey(KEY))
    assert (status.state, status.ready, status.columns) == ("beating", False, ())
    assert int(status.values["ticks"]) >= 10


def test_it_knows_no_other_question() -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20, secret=guest_secret(mailbox_key=KEY))
    answer = machine.ask(MailboxKey(KEY), Query(QueryVerb.COUNT, "a", "b"))
    assert not answer.ok
    assert "only knows the question status" in answer.note


def test_a_question_longer_than_it_takes_is_ignored() -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20, secret=guest_secret(mailbox_key=KEY))
    machine.post(1, MailboxKey(KEY).seal_request(1, Query(QueryVerb.STATUS, "x" * 2000)))
    machine.run_until_printed("ignored a message")
    assert machine.status(MailboxKey(KEY)).state == "beating"


def test_it_touches_little_memory_and_keeps_its_pattern_private() -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20, secret=guest_secret(mailbox_key=KEY))
    machine.run_until_printed("up 10 s")
    machine.status(MailboxKey(KEY))
    assert machine.touched() <= 64 << 10
    pattern = b"heartbeat: private to this guest"
    assert any(machine.read(page, 4096).count(pattern) for page in machine.private)
    assert pattern not in machine.shared_memory()


def test_missing_boot_information_powers_it_off() -> None:
    machine = GuestMachine(IMAGE, ram_bytes=2 << 20)
    machine.write(0x8000, bytes(16))
    machine.run_to_power_off()
    assert "boot information is missing" in machine.console()
