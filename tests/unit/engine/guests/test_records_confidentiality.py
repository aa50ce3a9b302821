"""What the hypervisor gets to read of a records guest: counts and ciphertext, never a record."""

from __future__ import annotations

import random
import re

import pytest

from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import RecordsTable, parse_records
from confvm_gui.fleet.records import SAMPLE_RECORDS
from tests.support.guest_harness import RecordsRun, start_records

TABLE = parse_records(SAMPLE_RECORDS.read_bytes())
SECRET_TEXT = TABLE.rows[0][-1].encode()


def telling_texts(table: RecordsTable) -> list[bytes]:
    """Fields and names long enough not to stand anywhere by chance."""
    texts = {text for row in table.rows for text in row} | set(table.columns)
    return [text.encode() for text in texts if len(text) >= 7]


def work(run: RecordsRun) -> None:
    run.machine.run_until_printed("model 1")
    for query in (
        Query(QueryVerb.FIND, "patient", TABLE.rows[0][1]),
        Query(QueryVerb.PREFIX, "note", "Asked"),
        Query(QueryVerb.RANGE, "age", "20", "90"),
        Query(QueryVerb.PREDICT, "", "0"),
        Query(QueryVerb.COUNT, "no such column", "secret value"),
        Query(QueryVerb.STATUS),
    ):
        run.ask(query)
    run.machine.run_until_printed("queries: ")


def test_the_guest_has_the_text_and_shared_memory_and_console_do_not() -> None:
    run = start_records(TABLE)
    outside = bytearray()
    for _ in range(4):
        run.machine.turn()
        outside += run.machine.shared_memory()
    work(run)
    outside += run.machine.shared_memory() + run.machine.serial
    assert run.machine.ram[:].count(SECRET_TEXT) == 1
    assert [text for text in telling_texts(TABLE) if text in outside] == []


def test_every_page_outside_the_shared_areas_is_private() -> None:
    run = start_records(TABLE)
    work(run)
    assert run.machine.shared == {0x8000, *range(0x10000, 0x40000, 4096)} & run.machine.shared
    assert {0x8000, 0x10000, 0x18000, 0x20000} <= run.machine.shared
    assert run.machine.private.isdisjoint(run.machine.shared)


def test_the_text_stands_contiguous_in_private_pages() -> None:
    run = start_records(TABLE)
    run.machine.run_until_printed("ready")
    at = run.machine.ram[:].find(SECRET_TEXT)
    assert {page & ~4095 for page in (at, at + len(SECRET_TEXT))} <= run.machine.private


@pytest.mark.parametrize("aes_instructions", [True, False])
@pytest.mark.parametrize("sev", [True, False])
def test_it_runs_the_same_with_and_without_sev_and_aes_instructions(*, sev: bool, aes_instructions: bool) -> None:
    run = start_records(TABLE, sev=sev, aes_instructions=aes_instructions)
    work(run)
    console = run.machine.console()
    assert ("SEV active, C-bit 51" in console) is sev
    assert ("not encrypted" in console) is not sev
    assert ("AES instructions" in console) is aes_instructions
    assert "training: model 1: loss 0.262965, accuracy 88.33 %" in console
    assert run.status().values["sev"] == str(int(sev))


def test_the_console_is_plain_lines_of_known_kinds() -> None:
    run = start_records(TABLE)
    work(run)
    kinds = re.compile(r"ConfVM records guest|ready: .*|(memory|disk|records|index|training|queries|mailbox): .*")
    assert all(kinds.fullmatch(line) for line in run.machine.console().split("\r\n") if line)


def test_what_is_not_authentic_is_ignored_and_counted() -> None:
    run = start_records(TABLE)
    run.machine.run_until_printed("ready")
    draw = random.Random(3)
    good = run.mailbox.seal_request(5, Query(QueryVerb.COUNT, "smoker", "yes"))
    flipped = bytes([good[0] ^ 1]) + good[1:]
    forged = [
        (1, b""),  # too short for a tag
        (2, draw.randbytes(40)),  # noise
        (3, good),  # another number than it was sealed for
        (5, flipped),  # one bit changed
        (6, run.mailbox.seal_answer(6, "ok\x1e1\x1e\x1e")),  # an answer given back as a question
    ]
    for sequence, payload in forged:
        run.machine.post(sequence, payload)
        for _ in range(3):
            run.machine.turn()
    assert run.machine.read(0x18000, 16) == bytes(16)
    assert run.machine.console().count("not authentic") == 3  # told at 1, 2 and 4
    assert run.status().values["messages_ignored"] == "5"


def test_a_message_longer_than_the_mailbox_is_ignored() -> None:
    run = start_records(TABLE)
    run.machine.run_until_printed("ready")
    run.machine.write(0x10004, (0xFFFF_FFFF).to_bytes(4, "little"))
    run.machine.write(0x10000, (1).to_bytes(4, "little"))
    run.machine.turn()
    run.machine.turn()
    run.machine.post(2, b"")
    assert run.status().values["messages_ignored"] == "1"


def test_an_old_question_is_not_answered_again() -> None:
    run = start_records(TABLE)
    run.machine.run_until_printed("ready")
    payload = run.mailbox.seal_request(1, Query(QueryVerb.COUNT, "smoker", "yes"))
    run.ask(Query(QueryVerb.COUNT, "smoker", "yes"))
    run.ask(Query(QueryVerb.COUNT, "smoker", "no"))
    run.machine.post(1, payload)
    for _ in range(3):
        run.machine.turn()
    assert run.machine.read(0x18000, 4) == (2).to_bytes(4, "little")
    assert run.status().values["messages_answered"] == "2"


def test_two_equal_answers_look_different_outside() -> None:
    run = start_records(TABLE)
    run.machine.run_until_printed("ready")
    seen = set()
    for _ in range(2):
        run.ask(Query(QueryVerb.COUNT, "smoker", "yes"))
        seen.add(run.machine.read(0x18010, 32))
    assert len(seen) == 2


def test_questions_during_the_start_are_told_to_wait_and_status_tells_how_far_it_is() -> None:
    draw = random.Random(5)
    rows = "".join(f"{draw.random()},{draw.randbytes(20).hex()},{row}\n" for row in range(6000))
    run = start_records(parse_records(("a,b,c\n" + rows).encode()))
    while b"records:" not in run.machine.serial:
        run.machine.turn()
    status = run.status()
    assert (status.state, status.ready) == ("indexing", False)
    answer = run.ask(Query(QueryVerb.COUNT, "a", "1"))
    assert not answer.ok
    assert "being indexed" in answer.note
    run.machine.run_until_printed("ready")
    assert run.ask(Query(QueryVerb.COUNT, "c", "17")).count == 1
