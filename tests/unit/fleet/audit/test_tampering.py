"""Every way of changing a signed log is found, and the first bad record named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from confvm_gui.domain.errors import KeyUnavailable
from confvm_gui.domain.event import AuditHead, checkpoint_message
from confvm_gui.keys.local.signer import LocalSigner
from tests.unit.fleet.audit.log_rig import Row, SignedLog, edited, with_detail

Change = Callable[[list[Row]], list[Row]]


@pytest.fixture
def log(data_dir: Path) -> SignedLog:
    return SignedLog(data_dir)


async def test_a_whole_log_is_signed_to_its_end(log: SignedLog) -> None:
    await log.grow(35)
    verdict = await log.verify()
    assert (verdict.intact, verdict.reason, verdict.notes) == (True, "", ())
    assert log.checkpoints() == [11, 22, 33, 39]
    assert (verdict.records, verdict.signed_to) == (39, 38)
    assert verdict.key == (await LocalSigner(log.data_dir).public_key()).hex()
    await log.grow(3)
    assert (await log.verify()).intact
    assert (await log.verify()).records == 43, "three events and a checkpoint"


async def test_a_session_in_which_nothing_happened_adds_nothing(log: SignedLog) -> None:
    await log.grow(3)
    await log.grow(0)
    assert (await log.verify()).records == 4


@pytest.mark.parametrize(
    ("change", "first_bad", "reason"),
    [
        (edited(15, message="Nothing"), 15, "altered"),
        (lambda rows: rows[:14] + rows[15:], 15, "missing"),
        (lambda rows: [*rows[:14], rows[15], rows[14], *rows[16:]], 15, "altered"),
        (lambda rows: rows[:30], 31, "cut off"),
        (lambda rows: [], 1, "cut off"),
    ],
    ids=["edit", "delete", "reorder", "truncate", "empty"],
)
async def test_changes_without_a_new_chain_are_found_at_the_record(
    log: SignedLog, change: Change, first_bad: int, reason: str
) -> None:
    await log.grow(35)

    def renumbered(rows: list[Row]) -> list[Row]:
        numbers = [row["sequence"] for row in change(rows)]
        kept = change(rows)
        for row, number in zip(kept, sorted(map(int, map(str, numbers))), strict=True):
            row["sequence"] = number
        return kept

    log.rewrite(renumbered, recompute=False)
    verdict = await log.verify(anchored=False)
    assert not verdict.intact
    assert verdict.first_bad == first_bad
    assert any(word in verdict.reason for word in (reason, "does not follow"))


def forged(rows: list[Row]) -> list[Row]:
    """Edited, with checkpoints after it that fit the new chain as well as they can without the key."""
    rows[14]["message"] = "Nothing"
    return rows


def without_checkpoints(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["action"] != "audit.checkpoint"]


def not_a_checkpoint(rows: list[Row]) -> list[Row]:
    rows[21]["detail"] = '{"sequence":"many"}'
    return rows


def bad_signature(rows: list[Row]) -> list[Row]:
    rows[21] = with_detail(rows[21], signature="00" * 64)
    return rows


def other_key(rows: list[Row]) -> list[Row]:
    mallory = Ed25519PrivateKey.generate()
    head = AuditHead(21, str(rows[20]["hash"]))
    signature = mallory.sign(checkpoint_message(head, 5.0)).hex()
    rows[21] = with_detail(rows[21], key=mallory.public_key().public_bytes_raw().hex(), signature=signature, at=5.0)
    return rows


@pytest.mark.parametrize(
    ("change", "first_bad", "reason"),
    [
        (forged, 11, "was altered"),
        (lambda rows: rows[:14] + rows[15:], 11, "was altered"),
        (lambda rows: [*rows[:14], rows[15], rows[14], *rows[16:]], 11, "was altered"),
        (lambda rows: [*rows[:14], dict(rows[3]), *rows[14:]], 11, "was altered"),
        (not_a_checkpoint, 11, "holds none"),
        (bad_signature, 11, "signature"),
        (other_key, 11, "another key"),
    ],
    ids=["edit", "delete", "reorder", "insert", "no checkpoint", "bad signature", "other key"],
)
async def test_a_chain_recomputed_without_the_key_is_found_by_its_checkpoint(
    log: SignedLog, change: Change, first_bad: int, reason: str
) -> None:
    await log.grow(35)
    log.rewrite(change, recompute=True)
    verdict = await log.verify(anchored=False)
    assert (verdict.intact, verdict.first_bad, verdict.signed_to) == (False, first_bad, 10)
    assert reason in verdict.reason


async def test_a_recomputed_chain_with_checkpoints_made_to_fit_is_found(log: SignedLog) -> None:
    await log.grow(35)

    def refit(rows: list[Row]) -> list[Row]:
        rows[14]["message"] = "Nothing"
        return rows

    log.rewrite(refit, recompute=True)
    hashes = {row["sequence"]: row["hash"] for row in log.rows()}

    def again(rows: list[Row]) -> list[Row]:
        rows[21] = with_detail(rows[21], hash=hashes[21])
        return rows

    log.rewrite(again, recompute=True)
    verdict = await log.verify(anchored=False)
    assert (verdict.intact, verdict.first_bad) == (False, 11)
    assert "without the key" in verdict.reason


async def test_a_log_whose_checkpoints_were_all_taken_out_is_not_whole(log: SignedLog) -> None:
    await log.grow(70)
    log.rewrite(without_checkpoints, recompute=True)
    verdict = await log.verify(anchored=False)
    assert (verdict.intact, verdict.first_bad) == (False, 1)
    assert "No record is signed" in verdict.reason


async def test_a_missing_checkpoint_in_the_middle_is_found_by_the_next(log: SignedLog) -> None:
    await log.grow(35)
    log.rewrite(lambda rows: rows[:21] + rows[22:], recompute=True)
    verdict = await log.verify(anchored=False)
    assert (verdict.intact, verdict.first_bad) == (False, 11)


async def test_truncation_that_leaves_a_whole_signed_log_is_found_by_the_anchor(log: SignedLog) -> None:
    await log.grow(35)
    log.rewrite(lambda rows: rows[:22], recompute=True)
    assert (await log.verify(anchored=False)).intact, "nothing within the log tells"
    verdict = await log.verify()
    assert (verdict.intact, verdict.first_bad) == (False, 23)
    assert "older copy" in verdict.reason


async def test_replacement_by_an_older_copy_is_found_and_stays_found(log: SignedLog) -> None:
    await log.grow(12)
    older = log.data_dir.with_name("older")
    shutil.copytree(log.data_dir, older)
    await log.grow(12)
    shutil.rmtree(log.data_dir)
    older.rename(log.data_dir)
    verdict = await log.verify()
    assert (verdict.intact, verdict.first_bad) == (False, 15)
    # A console that goes on with it says so, and does not write over what proves it.
    await log.grow(40)
    actions = [row["action"] for row in log.rows()]
    assert actions.count("audit.anchor-mismatch") == 1
    verdict = await log.verify()
    assert not verdict.intact
    assert "replaced by an older copy" in verdict.reason
    # Until somebody accepts it.
    log.anchor.remove()
    await log.grow(1)
    assert (await log.verify()).intact


async def test_another_log_with_another_key_in_the_same_place_is_found(log: SignedLog) -> None:
    await log.grow(12)
    shutil.rmtree(log.data_dir)
    await log.grow(12)
    verdict = await log.verify()
    assert (verdict.intact, verdict.first_bad) == (False, 1)
    assert "another key" in verdict.reason


async def test_the_wrong_key_is_told(log: SignedLog) -> None:
    await log.grow(12)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    verdict = await log.verify(key=other, anchored=False)
    assert (verdict.intact, verdict.first_bad, verdict.signed_to) == (False, 1, 0)
    assert "another key" in verdict.reason


async def test_a_key_that_was_taken_away_is_known_by_the_anchor(log: SignedLog) -> None:
    await log.grow(35)
    shutil.rmtree(log.data_dir / "signing")
    assert (await log.verify()).intact
    log.rewrite(forged, recompute=True)
    assert (await log.verify()).first_bad == 11
    log.anchor.remove()
    verdict = await log.verify()
    assert verdict.intact
    assert "no signing key" in verdict.notes[0], "and it is said that nothing was verified but the chain"


async def test_an_anchor_that_is_gone_damaged_or_forged_is_told(log: SignedLog) -> None:
    await log.grow(12)
    anchor = log.anchor.read()
    assert anchor is not None
    log.anchor.write(replace(anchor, signature="00" * 64))
    assert "signature of the anchor" in (await log.verify()).reason
    log.anchor.path.write_text("{")
    verdict = await log.verify()
    assert not verdict.intact
    assert "damaged" in verdict.reason
    log.anchor.remove()
    verdict = await log.verify()
    assert verdict.intact
    assert "no anchor" in verdict.notes[0]


async def test_a_key_that_is_gone_is_not_replaced(log: SignedLog) -> None:
    await log.grow(3)
    key = log.data_dir / "signing" / "console.kek"
    assert key.stat().st_mode & 0o777 == 0o600
    key.write_text("not hex")
    with pytest.raises(KeyUnavailable, match="damaged"):
        await LocalSigner(log.data_dir).sign(b"")
    await log.grow(5)
    actions = [row["action"] for row in log.rows()]
    assert actions.count("audit.signing-failed") == 1, "said once; the log goes on"
    assert "audit.anchor-mismatch" not in actions
    key.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="read by others"):
        await LocalSigner(log.data_dir).public_key()


async def test_a_key_is_made_once_and_only_where_it_may_be(data_dir: Path) -> None:
    with pytest.raises(KeyUnavailable, match="no signing key"):
        await LocalSigner(data_dir, make=False).public_key()
    assert not await LocalSigner(data_dir).exists()
    first = await LocalSigner(data_dir).public_key()
    assert await LocalSigner(data_dir, make=False).public_key() == first
    assert await LocalSigner(data_dir).exists()
