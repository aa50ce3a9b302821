"""The evidence table: what is in it can be damaged in every way, and is told in one sentence."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat
from confvm_gui.domain.attestation_record import Occasion
from confvm_gui.domain.errors import NotFound, StoreCorrupt, StoreError
from confvm_gui.store import open_store
from confvm_gui.store.evidence import KEPT_REFUSALS
from confvm_gui.store.evidence_content import MAX_CONTENT, decode_content, encode_content
from confvm_gui.store.verdict_text import claims_from_text, verdict_from_text, verdict_to_text
from tests.unit.store.nouns import JSON, RECORDS, baseline, record, tcb_record

VERDICT_LIKE = st.fixed_dictionaries(
    {
        "format": st.sampled_from(["snp-report", "tarot"]),
        "at": st.none() | st.just("yesterday"),
        "claims": st.lists(st.lists(JSON, max_size=4), max_size=2),
        "findings": st.lists(st.lists(JSON, max_size=6), max_size=2),
        "links": st.lists(st.lists(JSON, max_size=8), max_size=2),
    }
).map(json.dumps)
SAMPLE = encode_content(record(1).evidence, record(1).endorsements)


def damage(path: Path, statement: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(path / "console.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("verdict", "{}"),
        ("verdict", "[" * 100_000),
        ("verdict", '{"format": "snp-report", "at": null, "claims": [[1, 2, 3]], "findings": [], "links": []}'),
        ("occasion", "whim"),
        ("content", b"CVE1"),
        ("content", SAMPLE[:-1]),
        ("content", SAMPLE + b"\0"),
        ("content", b"CVE1" + zlib.compress(b"\xff\xff\xff\xff{}")),
    ],
)
async def test_a_damaged_record_is_told(data_dir: Path, column: str, value: object) -> None:
    store = await open_store(data_dir)
    store.evidence.append(record(1))
    store.evidence.append(record(2))
    await store.flush()
    damage(data_dir, f"UPDATE evidence SET {column} = ? WHERE id = ?", value, record(1).id)
    with pytest.raises(StoreCorrupt, match="holds a verdict that no console wrote"):
        await store.evidence.get(record(1).id)
    assert await store.evidence.get(record(2).id) == record(2)
    await store.aclose()


async def test_damaged_lists_baselines_and_timelines_are_told(data_dir: Path) -> None:
    store = await open_store(data_dir)
    store.evidence.append(tcb_record(1, 20))
    store.baselines.put(baseline(pcr="00"))
    await store.flush()
    damage(data_dir, "UPDATE evidence SET format = 'tarot'")
    damage(data_dir, "UPDATE baselines SET claims = '[]'")
    damage(data_dir, "UPDATE tcb_points SET versions = '[{}, {}]'")
    with pytest.raises(StoreCorrupt):
        await store.evidence.history("a")
    with pytest.raises(StoreCorrupt, match="baseline"):
        await store.baselines.get("a", EvidenceFormat.TPM_QUOTE)
    with pytest.raises(StoreCorrupt, match="TCB"):
        await store.evidence.tcb_timeline("c0ffee")
    await store.aclose()


@given(blob=st.binary(max_size=300) | st.binary(max_size=300).map(lambda plain: b"CVE1" + zlib.compress(plain)))
def test_any_bytes_are_content_or_a_value_error(blob: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_content(blob)


@given(at=st.integers(0, len(SAMPLE) - 1), byte=st.integers(0, 255))
def test_changed_content_never_passes_for_other_evidence(at: int, byte: int) -> None:
    changed = SAMPLE[:at] + bytes([byte]) + SAMPLE[at + 1 :]
    with contextlib.suppress(ValueError):
        assert decode_content(changed) == (record(1).evidence, record(1).endorsements)


@given(text=st.text(max_size=100) | JSON.map(json.dumps) | VERDICT_LIKE)
def test_any_text_is_a_verdict_or_refused(text: str) -> None:
    for read in (verdict_from_text, claims_from_text):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            read(text)


@given(one=RECORDS)
def test_a_verdict_comes_back_equal(one: object) -> None:
    verdict = getattr(one, "verdict", None)
    assert verdict is not None
    assert verdict_from_text(verdict_to_text(verdict)) == verdict


def test_content_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        decode_content(b"CVE1" + zlib.compress(bytes(MAX_CONTENT + 1)))
    with pytest.raises(StoreError, match="MiB"):
        encode_content(Evidence(bytes(MAX_CONTENT)), Endorsements())


async def test_what_cannot_be_stored_takes_no_other_along(data_dir: Path) -> None:
    store = await open_store(data_dir)
    store.evidence.append(record(1))
    store.evidence.append(replace(record(2), by="\ud800"))
    store.evidence.append(record(3))
    with pytest.raises(StoreError, match="surrogate"):
        await store.flush()
    assert [line.id for line in await store.evidence.history("a")] == [record(3).id, record(1).id]
    with pytest.raises(NotFound):
        await store.evidence.get(record(2).id)
    await store.aclose()


async def test_refused_launches_do_not_pile_up(data_dir: Path) -> None:
    store = await open_store(data_dir)
    for number in range(KEPT_REFUSALS + 3):
        store.evidence.append(record(number, f"i{number}", trusted=False, occasion=Occasion.LAUNCH))
    await store.flush()
    assert await store.evidence.history("i2") == []
    assert len(await store.evidence.history("i3")) == 1
    await store.aclose()


async def test_a_chip_is_believed_only_when_its_signature_holds(data_dir: Path) -> None:
    store = await open_store(data_dir)
    store.evidence.append(tcb_record(1, 20, verified=False))
    store.evidence.append(tcb_record(2, 20, chip="00" * 64))
    store.evidence.append(replace(tcb_record(3, 20), verdict=replace(tcb_record(3, 20).verdict, links=())))
    await store.flush()
    assert await store.evidence.chips() == []
    await store.aclose()
