"""What the console writes for a guest: boot information, launch secret, disk and mailbox messages."""

from __future__ import annotations

import copy
import pickle
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import GuestFault, InvalidInput, StoreCorrupt
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import parse_records
from confvm_gui.domain.records_encoding import SECTOR, encode_table
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.guest_status import parse_status
from confvm_gui.engine.guests.mailbox import (
    MAXIMUM_PAYLOAD,
    MailboxAnswer,
    MailboxKey,
    pack_header,
    parse_answer,
    unpack_header,
)
from confvm_gui.engine.guests.records_disk import (
    HEADER_BYTES,
    DiskHeader,
    build_disk,
    decrypt_sectors,
    encrypt_sectors,
    prepare_disk,
)
from confvm_gui.engine.guests.secret_table import MAILBOX_KEY_GUID, guest_secret
from confvm_gui.fleet.records import SAMPLE_RECORDS
from confvm_gui.sev.secret_table import DISK_KEY_GUID, parse_secret_table

DEK = bytes(range(64))
KEY = MailboxKey(bytes(range(32)))
TABLE = parse_records(b"name,age,member\nAda,36,yes\nGrace,,no\nAlan,41,yes\n")


def test_boot_information_is_one_page_in_the_agreed_layout() -> None:
    page = BootInfo(64 << 20, 123, "quiet").encode()
    assert len(page) == 4096
    assert (
        page[:40]
        == b"CVBI\1\0\0\0" + (64 << 20).to_bytes(8, "little") + (123).to_bytes(8, "little") + bytes(8) + b"quiet\0\0\0"
    )


@pytest.mark.parametrize("line", ["x" * 256, "a\0b"])
def test_a_command_line_that_does_not_fit_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        BootInfo(1 << 21, command_line=line).encode()


def test_the_secret_holds_the_keys_that_were_given() -> None:
    table = guest_secret(disk_key=DEK, mailbox_key=bytes(32))
    assert [(entry.guid, entry.data) for entry in parse_secret_table(table)] == [
        (DISK_KEY_GUID, DEK),
        (MAILBOX_KEY_GUID, bytes(32)),
    ]
    assert len(table) % 16 == 0
    assert parse_secret_table(guest_secret()) == ()


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput, match="64 bytes"):
        guest_secret(disk_key=bytes(32))
    with pytest.raises(InvalidInput, match="32 bytes"):
        guest_secret(mailbox_key=bytes(31))


def test_the_disk_is_a_clear_header_and_ciphertext() -> None:
    header = DiskHeader("local:default", b"\1\2wrapped")
    disk = build_disk(TABLE, DEK, header)
    assert DiskHeader.decode(disk) == header
    assert disk[:8] == b"CVMDISK1"
    assert (len(disk) - HEADER_BYTES) % SECTOR == 0
    assert not any(word in disk for word in (b"Grace", b"member", DEK, DEK[:32]))
    assert decrypt_sectors(disk[HEADER_BYTES:], DEK) == encode_table(TABLE)
    assert b"wrapped" not in repr(header).encode()


def test_each_sector_is_a_data_unit_of_its_number() -> None:
    sealed = encrypt_sectors(b"a" * 2 * SECTOR, DEK, first=7)
    for number in (7, 8):
        cipher = Cipher(algorithms.AES(DEK), modes.XTS(number.to_bytes(16, "little"))).encryptor()
        at = (number - 7) * SECTOR
        assert sealed[at : at + SECTOR] == cipher.update(b"a" * SECTOR)


def test_the_table_on_the_disk_is_as_described() -> None:
    plain = encode_table(TABLE)
    body = b"\0\x04name\3\x03age\0\x06member\x03Ada\x0236\x03yes\x05Grace\x00\x02no\x04Alan\x0241\x03yes"
    assert plain[SECTOR:].rstrip(b"\0") == body
    numbers = [int.from_bytes(plain[at : at + 4], "little") for at in range(8, 48, 4)]
    assert plain[:8] == b"CVRECS01"
    assert numbers == [1, numbers[1], 3, 3, len(body), 0, zlib.crc32(body), 0, 2, 1]
    assert numbers[1] == zlib.crc32(plain[:12] + bytes(4) + plain[16:SECTOR])


def test_long_fields_have_long_lengths() -> None:
    table = parse_records(b"a,b\n" + b"x" * 20000 + b",1\n")
    assert b"\xa0\x9c\x01" + b"x" * 20000 + b"\x011" in encode_table(table)


def test_a_disk_is_prepared_from_a_file() -> None:
    header = DiskHeader("local:default", b"wrapped")
    prepared = prepare_disk(SAMPLE_RECORDS, DEK, header, label_column="smoker")
    table = parse_records(SAMPLE_RECORDS.read_bytes(), label_column="smoker")
    assert prepared.image == build_disk(table, DEK, header)
    assert (prepared.rows, prepared.columns, prepared.ram_needed) == (240, 12, 4 << 20)
    assert "CVMDISK" not in repr(prepared)


@given(st.binary(max_size=300))
def test_a_damaged_disk_header_is_told(data: bytes) -> None:
    with pytest.raises(StoreCorrupt):
        DiskHeader.decode(data)
    with pytest.raises(StoreCorrupt):
        DiskHeader.decode((b"CVMDISK1\1\0\0\0" + len(data).to_bytes(4, "little") + data).ljust(4096, b"\0"))


def test_a_disk_header_with_changed_words_is_told() -> None:
    header = DiskHeader("local:default", b"wrapped").encode()
    for old, new in (
        (b"aes-256-xts", b"aes-256-cbc"),
        (b'"key": "local:default"', b'"key": 1234567890123456'),
        (b"512", b"51"),
    ):
        with pytest.raises(StoreCorrupt):
            DiskHeader.decode(header.replace(old, new))


def test_a_header_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput):
        DiskHeader("local:" + "x" * 5000, b"").encode()


def test_questions_and_answers_come_back() -> None:
    sealed = KEY.seal_request(9, Query(QueryVerb.RANGE, "größe", "1", "2"))
    assert KEY.open_request(9, sealed) == "range\x1fgröße\x1f1\x1f2"
    answer = KEY.open_answer(9, KEY.seal_answer(9, "ok\x1e2\x1eby index\x1ea\x1fb\x1e\x1fé\x1e"))
    assert answer == MailboxAnswer(True, 2, "by index", (("a", "b"), ("", "é")))
    assert "é" not in repr(answer)
    assert unpack_header(pack_header(9, 77)) == (9, 77)


def test_a_question_cannot_smuggle_separators_nor_be_too_long() -> None:
    for query in (Query(QueryVerb.COUNT, "a\x1fb", "c"), Query(QueryVerb.COUNT, "a", "b\x1e")):
        with pytest.raises(InvalidInput, match="control characters"):
            KEY.seal_request(1, query)
    with pytest.raises(InvalidInput, match="fit"):
        KEY.seal_request(1, Query(QueryVerb.COUNT, "a", "x" * MAXIMUM_PAYLOAD))
    with pytest.raises(InvalidInput, match="UTF-8"):
        KEY.seal_request(1, Query(QueryVerb.COUNT, "a", "\ud800"))


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_a_forged_answer_is_told(payload: bytes, sequence: int) -> None:
    with pytest.raises(GuestFault):
        KEY.open_answer(sequence, payload)


def test_an_answer_to_another_question_is_told() -> None:
    sealed = KEY.seal_answer(4, "ok\x1e0\x1e\x1e")
    with pytest.raises(GuestFault, match="not authentic"):
        KEY.open_answer(5, sealed)
    with pytest.raises(GuestFault, match="not authentic"):
        KEY.open_answer(4, KEY.seal_request(4, Query(QueryVerb.STATUS)))


@given(st.text(max_size=100) | st.from_regex(r"(ok|error)\x1e[0-9]{0,30}\x1e[^\x1e]*(\x1e[^\x1e]*)*", fullmatch=True))
def test_any_opened_answer_is_taken_apart_or_told(text: str) -> None:
    try:
        answer = parse_answer(text)
    except GuestFault:
        return
    assert answer.count >= 0


@given(st.lists(st.lists(st.text(max_size=8), max_size=4).map(tuple)).map(tuple))
def test_any_status_is_taken_apart_or_told(rows: tuple[tuple[str, ...], ...]) -> None:
    try:
        parse_status(MailboxAnswer(True, 0, "", (*rows, ("state", "ready"))))
    except GuestFault:
        return


def test_the_mailbox_key_stays_where_it_is() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(TypeError):
        copy.copy(KEY)
    assert bytes(range(32)).hex() not in repr(KEY)
