"""The audit log: that it cannot be changed by SQL alone, and that whoever does it otherwise is found out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from confvm_gui.domain.errors import InvalidInput, StoreError
from confvm_gui.domain.event import AuditFilter, AuditVerdict, Event, EventOutcome, Origin, Severity
from confvm_gui.store import open_store
from confvm_gui.store.audit_chain import NO_HASH, first_digest
from confvm_gui.store.database import Database
from confvm_gui.store.schema import SCHEMA
from tests.unit.store.nouns import event

RECORDS = 12


async def make_log(directory: Path, records: int = RECORDS) -> None:
    store = await open_store(directory)
    for number in range(1, records + 1):
        store.audit.append(event(number, subject="a"))
    await store.aclose()


async def tampered(directory: Path, statements: Sequence[str]) -> AuditVerdict:
    """The verdict after someone ran `statements` with the guards out of the way."""
    with contextlib.closing(sqlite3.connect(directory / "console.db")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    store = await open_store(directory)
    verdict = await store.audit.verify()
    await store.aclose()
    return verdict


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET message = 'nothing happened' WHERE sequence = 3",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT 3, 0, 'x', 'x', 'x', 'x', 'info', '{}', previous_hash, hash, form, "
        "outcome, origin, before, after FROM audit WHERE sequence = 3",
        "INSERT INTO audit SELECT 40, at, actor, action, subject, message, severity, detail, hash, hash, form, "
        "outcome, origin, before, after FROM audit WHERE sequence = 12",
        "DELETE FROM audit_head",
    ],
)
async def test_sql_cannot_change_the_log(data_dir: Path, statement: str) -> None:
    await make_log(data_dir)
    with (
        contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    store = await open_store(data_dir)
    verdict = await store.audit.verify()
    assert (verdict.intact, verdict.records) == (True, RECORDS)
    await store.aclose()


@pytest.mark.parametrize(
    ("statements", "first_bad", "reason"),
    [
        (["UPDATE audit SET message = 'nothing happened' WHERE sequence = 3"], 3, "altered"),
        (["UPDATE audit SET at = at + 1 WHERE sequence = 1"], 1, "altered"),
        (["UPDATE audit SET detail = '{\"number\": 5}' WHERE sequence = 5"], 5, "altered"),
        (["UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE sequence = 4"], 4, "altered"),
        (["UPDATE audit SET hash = 'x' WHERE sequence = 12"], 12, "altered"),
        (["UPDATE audit SET previous_hash = hash WHERE sequence = 6"], 6, "does not follow"),
        (["DELETE FROM audit WHERE sequence = 3"], 3, "missing"),
        (["DELETE FROM audit WHERE sequence = 1"], 1, "missing"),
        (["DELETE FROM audit WHERE sequence = 12"], 12, "cut off"),
        (["DELETE FROM audit WHERE sequence > 4"], 5, "cut off"),
        (["DELETE FROM audit"], 1, "cut off"),
        (
            ["DELETE FROM audit WHERE sequence = 3", "UPDATE audit SET sequence = sequence - 1 WHERE sequence > 3"],
            3,
            "does not follow",
        ),
        (
            [
                "UPDATE audit SET sequence = 100 WHERE sequence = 7",
                "UPDATE audit SET sequence = 7 WHERE sequence = 8",
                "UPDATE audit SET sequence = 8 WHERE sequence = 100",
            ],
            7,
            "does not follow",
        ),
        (["UPDATE audit SET origin = 'null', outcome = 'success', form = 1 WHERE sequence = 5"], 5, "altered"),
        (["UPDATE audit SET outcome = 'denied' WHERE sequence = 5"], 5, "altered"),
        (["UPDATE audit SET after = '{}' WHERE sequence = 8"], 8, "altered"),
        (["UPDATE audit SET form = 3 WHERE sequence = 12"], 12, "altered"),
        (["DELETE FROM audit_head"], 13, "head"),
        (["UPDATE audit_head SET sequence = 4"], 13, "head"),
        (["UPDATE audit_head SET hash = 'x'"], 13, "head"),
    ],
)
async def test_tampering_is_found_at_the_first_bad_record(
    data_dir: Path, statements: list[str], first_bad: int, reason: str
) -> None:
    await make_log(data_dir)
    verdict = await tampered(data_dir, statements)
    assert not verdict.intact
    assert verdict.first_bad == first_bad
    assert reason in verdict.reason


async def test_a_log_that_was_tampered_with_still_grows(data_dir: Path) -> None:
    await make_log(data_dir)
    await tampered(data_dir, ["UPDATE audit SET message = 'nothing happened' WHERE sequence = 3"])
    store = await open_store(data_dir)
    store.audit.append(event(99))
    await store.flush()
    assert [record.event for record in await store.audit.read(limit=1)] == [event(99)]
    assert (await store.audit.verify()).first_bad == 3
    await store.aclose()


async def test_a_record_that_no_console_wrote_cannot_be_read_but_verified(data_dir: Path) -> None:
    await make_log(data_dir)
    verdict = await tampered(data_dir, ["UPDATE audit SET severity = 'enormous' WHERE sequence = 2"])
    assert verdict.first_bad == 2
    store = await open_store(data_dir)
    with pytest.raises(StoreError, match="audit record"):
        await store.audit.read(limit=100)
    assert len(await store.audit.read(limit=5)) == 5
    await store.aclose()


async def test_the_hash_is_that_of_canonical_json(data_dir: Path) -> None:
    """Anyone can verify an exported log with nothing but JSON and SHA-256."""
    store = await open_store(data_dir)
    store.audit.append(
        Event(1.5, "père", "instance.create", "", 'line\n"two"\x00\x7f\u2028', detail={"b": 1, "a": [None]})
    )
    origin = Origin("père", 1000, "desk", 77, "/dev/pts/1", "window")
    store.audit.append(
        Event(
            1e300, "b", "c", "d", "e", Severity.ERROR, {"x": {"z": 1.0, "y": "é"}}, EventOutcome.DENIED, origin, 1, [2]
        )
    )
    await store.flush()
    for record in await store.audit.read(limit=2):
        entry = record.event
        plain = {
            "action": entry.action,
            "actor": entry.actor,
            "after": entry.after,
            "at": entry.at,
            "before": entry.before,
            "detail": dict(entry.detail),
            "message": entry.message,
            "origin": None if entry.origin is None else asdict(entry.origin),
            "outcome": entry.outcome.value,
            "previous_hash": record.previous_hash,
            "sequence": record.sequence,
            "severity": entry.severity.value,
            "subject": entry.subject,
        }
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(text.encode()).hexdigest() == record.hash
    await store.aclose()


async def test_what_cannot_be_recorded_is_refused_at_once(data_dir: Path) -> None:
    store = await open_store(data_dir)
    loop: list[object] = []
    loop.append(loop)
    for bad in (
        Event(1.0, "a\udc80", "b", "", "c"),
        Event(float("nan"), "a", "b", "", "c"),
        Event(1.0, "a", "b", "", "c", detail={"key": b"bytes"}),
        Event(1.0, "a", "b", "", "c", detail={"key": float("inf")}),
        Event(1.0, "a", "b", "", "c", detail={"key": "\ud83d"}),
        Event(1.0, "a", "b", "", "c", detail={"key": loop}),
    ):
        with pytest.raises(InvalidInput):
            store.audit.append(bad)
    await store.flush()
    assert (await store.audit.verify()).records == 0
    await store.aclose()


async def test_a_hundred_thousand_records_are_verified_in_two_seconds(data_dir: Path) -> None:
    await make_log(data_dir, 100_000)
    store = await open_store(data_dir)
    # Processor time: the machine may be busy with other tests.
    before = time.process_time()
    verdict = await store.audit.verify()
    spent = time.process_time() - before
    assert (verdict.intact, verdict.records) == (True, 100_000)
    assert spent < 2
    await store.aclose()


async def test_records_of_older_consoles_stay_verifiable_and_cannot_be_changed(data_dir: Path) -> None:
    Database(data_dir, versions=SCHEMA[:3]).close()
    first = first_digest(1, 1.5, "père", "instance.create", "a", "line", "info", '{"b":1}', NO_HASH)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        connection.execute(
            "INSERT INTO audit VALUES (1, 1.5, 'père', 'instance.create', 'a', 'line', 'info', '{\"b\":1}', ?, ?)",
            (NO_HASH, first),
        )
        connection.commit()
    store = await open_store(data_dir)
    for number in (2, 3):
        store.audit.append(event(number))
    await store.flush()
    records = await store.audit.search(AuditFilter(), limit=10, after=0)
    assert [record.form for record in records] == [1, 2, 2]
    assert records[0].event.origin is None
    assert (await store.audit.verify()).intact
    await store.aclose()
    # What its hash does not cover must stay empty.
    verdict = await tampered(data_dir, ["UPDATE audit SET before = '1' WHERE sequence = 1"])
    assert verdict.first_bad == 1


async def test_new_records_cannot_pass_for_old_ones(data_dir: Path) -> None:
    """Form 1 hashes less: whoever could choose it could put what they like into the rest."""
    await make_log(data_dir, 1)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        (head,) = connection.execute("SELECT hash FROM audit_head").fetchone()
        old = first_digest(2, 1.0, "a", "b", "", "c", "info", "{}", head)
        connection.execute(
            "INSERT INTO audit (sequence, at, actor, action, subject, message, severity, detail, previous_hash, hash) "
            "VALUES (2, 1.0, 'a', 'b', '', 'c', 'info', '{}', ?, ?)",
            (head, old),
        )
        connection.commit()
    assert (await tampered(data_dir, [])).first_bad == 2


async def test_the_log_is_searched_by_all_that_is_given(data_dir: Path) -> None:
    store = await open_store(data_dir)
    entries = [
        replace(event(1, "a"), action="memory.export", actor="ann"),
        replace(event(2, "b"), action="memory.view-plaintext", severity=Severity.WARNING),
        replace(event(3, "a"), action="memoryless", message="Ärger"),
        replace(event(4, "a"), action="key.use", severity=Severity.ERROR),
    ]
    for entry in entries:
        store.audit.append(entry)
    await store.flush()

    async def found(wanted: AuditFilter) -> list[int]:
        return [record.sequence for record in await store.audit.search(wanted, limit=10, after=0)]

    assert await found(AuditFilter()) == [1, 2, 3, 4]
    assert await found(AuditFilter(action="memory.")) == [1, 2]
    assert await found(AuditFilter(action="mem", subject="a")) == [1, 3]
    assert await found(AuditFilter(actor="ann")) == [1]
    assert await found(AuditFilter(since=1.6e9 + 2, until=1.6e9 + 4)) == [2, 3]
    assert await found(AuditFilter(severities=frozenset({Severity.WARNING, Severity.ERROR}))) == [2, 4]
    assert await found(AuditFilter(text="äRGER")) == [3]
    assert await found(AuditFilter(text="%")) == []
    newest = await store.audit.search(AuditFilter(subject="a"), limit=2, before=4)
    assert [record.sequence for record in newest] == [3, 1]
    later = await store.audit.search(AuditFilter(), limit=2, after=1)
    assert [record.sequence for record in later] == [2, 3]
    head = await store.audit.head()
    assert (head.sequence, head.hash) == (4, (await store.audit.verify()).head)
    await store.aclose()
