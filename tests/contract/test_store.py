"""What every Store promises (domain/ports/repositories.py). One implementation so far: SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import BaselineOrigin
from confvm_gui.domain.errors import InvalidInput, NotFound, ReadOnly
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind, OperationStatus, OperationStep
from confvm_gui.domain.ports.repositories import Store
from confvm_gui.domain.release import BoundSecret, Challenge, Conditions, SecretKind
from confvm_gui.store import open_store
from tests.unit.store.nouns import baseline, event, instance, operation, record, sample, tcb_record

OpenStore = Callable[[Path], Awaitable[Store]]


@pytest.fixture
def open_it() -> OpenStore:
    return open_store


async def test_instances_come_back_and_are_replaced_by_id(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.instances.put([instance(1), instance(2)])
    store.instances.put([instance(2, InstanceState.STOPPED), instance(3)])
    store.instances.remove([instance(1).id, "never was"])
    await store.flush()
    assert await store.instances.all() == [instance(2, InstanceState.STOPPED), instance(3)]
    await store.aclose()


async def test_what_was_written_is_there_after_reopening(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.instances.put([instance(1)])
    await store.operations.accept([operation(1)])
    store.audit.append(event(1))
    store.samples.append([sample("a", 1.0)])
    store.settings.put("window", {"geometry": [1, 2, 3]})
    await store.aclose()

    store = await open_it(data_dir)
    assert await store.instances.all() == [instance(1)]
    assert await store.operations.unfinished() == [operation(1)]
    assert [record.event for record in await store.audit.read(limit=9)] == [event(1)]
    assert await store.samples.since("a", 0.0) == [sample("a", 1.0)]
    assert await store.settings.load() == {"window": {"geometry": [1, 2, 3]}}
    await store.aclose()


async def test_accept_is_on_disk_when_it_returns(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    await store.operations.accept([operation(1), operation(2)])
    assert await store.operations.unfinished() == [operation(1), operation(2)]
    await store.aclose()


async def test_an_operation_that_exists_is_left_as_it_is(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    await store.operations.accept([operation(1)])
    await store.operations.accept([replace(operation(1), instance_name="other"), operation(2)])
    assert await store.operations.unfinished() == [operation(1), operation(2)]
    await store.aclose()


async def test_operations_are_accepted_all_or_none(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    with pytest.raises(InvalidInput, match="surrogate"):
        await store.operations.accept([operation(1), replace(operation(2), instance_name="\ud800"), operation(3)])
    assert await store.operations.recent(9) == []
    await store.aclose()


async def test_what_an_instance_was_made_of_is_kept(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    made = replace(operation(1), kind=OperationKind.CREATE, instance_id="mine", intent={"name": "probe"})
    others = [
        replace(operation(2), kind=OperationKind.START, instance_id="mine"),
        replace(operation(3), kind=OperationKind.CREATE, instance_id="other"),
    ]
    await store.operations.accept([*others, made])
    assert await store.operations.creation("mine") == made
    assert await store.operations.creation("found") is None
    await store.aclose()


async def test_one_bad_operation_takes_no_other_along(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    bad = replace(operation(2), intent={"path": object()})
    outcomes = await asyncio.gather(
        *(store.operations.accept([each]) for each in (operation(1), bad, operation(3))), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), InvalidInput, type(None)]
    assert await store.operations.unfinished() == [operation(1), operation(3)]
    await store.flush()
    await store.aclose()


async def test_update_replaces_what_changes_and_final_ones_are_no_longer_unfinished(
    open_it: OpenStore, data_dir: Path
) -> None:
    store = await open_it(data_dir)
    await store.operations.accept([operation(1), operation(2), operation(3)])
    running = replace(
        operation(1),
        status=OperationStatus.RUNNING,
        steps=(OperationStep("LAUNCH_START", 5.0, "ASID 1"),),
        progress=0.5,
    )
    done = replace(operation(2), status=OperationStatus.FAILED, attempts=3, ended_at=9.0, error="No room")
    store.operations.update(replace(running, progress=0.1))
    store.operations.update(running)
    store.operations.update(done)
    await store.flush()
    assert await store.operations.unfinished() == [running, operation(3)]
    assert await store.operations.recent(2) == [operation(3), done]
    await store.aclose()


async def test_audit_is_read_backwards_in_pages_and_filtered(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    for number in range(1, 8):
        store.audit.append(event(number, subject="a" if number % 2 else "b"))
    store.audit.append(replace(event(8), message="Arrêt de l'instance ÉTÉ", action="instance.stop"))
    await store.flush()

    async def sequences(
        limit: int = 100, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> list[int]:
        records = await store.audit.read(limit=limit, before=before, subject=subject, text=text)
        return [record.sequence for record in records]

    assert await sequences(limit=3) == [8, 7, 6]
    assert await sequences(limit=3, before=6) == [5, 4, 3]
    assert await sequences(before=1) == []
    assert await sequences(subject="b") == [6, 4, 2]
    assert await sequences(subject="b", before=6, limit=1) == [4]
    assert await sequences(text="été") == [8]
    assert await sequences(text="INSTANCE.STOP") == [8]
    assert await sequences(text="vm-", subject="a") == [7, 5, 3, 1]
    assert await sequences(text="%") == []
    assert await sequences(limit=0) == []
    await store.aclose()


async def test_audit_is_a_chain_that_holds(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    empty = await store.audit.verify()
    assert (empty.intact, empty.records, empty.first_bad) == (True, 0, None)
    for number in range(5):
        store.audit.append(event(number))
    await store.flush()
    records = list(reversed(await store.audit.read(limit=9)))
    assert [record.sequence for record in records] == [1, 2, 3, 4, 5]
    assert records[0].previous_hash == "0" * 64
    assert [record.previous_hash for record in records[1:]] == [record.hash for record in records[:-1]]
    verdict = await store.audit.verify()
    assert (verdict.intact, verdict.records, verdict.first_bad, verdict.head) == (True, 5, None, records[-1].hash)
    await store.aclose()


async def test_samples_are_read_oldest_first_and_pruned(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.samples.append([sample("a", float(at)) for at in (3, 1, 2, 4)])
    store.samples.append([sample("b", 1.5)])
    await store.flush()
    assert [each.at for each in await store.samples.since("a", 2.0)] == [2.0, 3.0, 4.0]
    assert [each.at for each in await store.samples.since("a", 0.0, limit=2)] == [2.0, 4.0]
    store.samples.prune(3.0)
    await store.flush()
    assert [each.at for each in await store.samples.since("a", 0.0)] == [3.0, 4.0]
    assert await store.samples.since("b", 0.0) == []
    await store.aclose()


async def test_settings_are_replaced_by_key(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.settings.put("theme", "dark")
    store.settings.put("theme", None)
    store.settings.put("searches", [{"name": "été", "tokens": ["-tech:sev"]}])
    with pytest.raises(InvalidInput):
        store.settings.put("theme", float("nan"))
    with pytest.raises(InvalidInput):
        store.settings.put("theme", {1, 2})
    await store.flush()
    assert await store.settings.load() == {"theme": None, "searches": [{"name": "été", "tokens": ["-tech:sev"]}]}
    await store.aclose()


async def test_a_second_console_reads_and_says_why_it_does_not_write(open_it: OpenStore, data_dir: Path) -> None:
    first = await open_it(data_dir)
    assert not first.readonly
    assert first.readonly_reason == ""
    second = await open_it(data_dir)
    assert second.readonly
    assert "Another console" in second.readonly_reason

    first.instances.put([instance(1)])
    await first.flush()
    assert await second.instances.all() == [instance(1)]
    with pytest.raises(ReadOnly):
        second.instances.put([instance(2)])
    with pytest.raises(ReadOnly):
        await second.operations.accept([operation(1)])
    with pytest.raises(ReadOnly):
        second.audit.append(event(1))
    await second.flush()

    await first.aclose()
    assert await second.instances.all() == [instance(1)]
    await second.aclose()
    third = await open_it(data_dir)
    assert not third.readonly
    await third.aclose()


async def test_verdicts_come_back_newest_first_with_all_that_they_stand_on(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    for number in range(5):
        store.evidence.append(record(number, "a" if number % 2 else "b", trusted=number < 3))
    await store.aclose()
    store = await open_it(data_dir)
    lines = await store.evidence.history("a")
    assert [line.id for line in lines] == [record(3).id, record(1).id]
    assert [(line.trusted, line.errors, line.emulated) for line in lines] == [(False, 1, True), (True, 0, True)]
    assert lines[0].measurement == "ab" * 48
    assert [line.id for line in await store.evidence.history("b", limit=1)] == [record(4).id]
    assert await store.evidence.get(record(1).id) == record(1, "a")
    with pytest.raises(NotFound):
        await store.evidence.get("f" * 32)
    assert await store.evidence.history("nobody") == []
    await store.aclose()


async def test_the_newest_200_verdicts_of_each_are_kept(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.evidence.append(record(1000, "other"))
    for number in range(205):
        store.evidence.append(record(number))
    await store.flush()
    lines = await store.evidence.history("a", limit=999)
    assert [line.id for line in lines] == [record(number).id for number in range(204, 4, -1)]
    assert len(await store.evidence.history("other")) == 1
    await store.aclose()


async def test_instances_that_are_gone_take_verdicts_and_baselines_along(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    for number, instance_id in enumerate(("a", "b", "")):
        store.evidence.append(record(number, instance_id))
        store.baselines.put(baseline(instance_id, pcr=number))
    store.evidence.append(tcb_record(9, 20))
    store.evidence.remove(["a", "never was", ""])
    await store.flush()
    assert [len(await store.evidence.history(one)) for one in ("a", "b", "")] == [0, 1, 1]
    assert await store.baselines.get("a", EvidenceFormat.TPM_QUOTE) is None
    assert await store.baselines.get("b", EvidenceFormat.TPM_QUOTE) == baseline("b", pcr=1)
    assert [point.instance_id for point in await store.evidence.tcb_timeline("c0ffee")] == [""]
    await store.aclose()


async def test_a_chips_timeline_has_its_changes_oldest_first(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    for number, snp in enumerate((20, 20, 21, 21, 20), start=1):
        store.evidence.append(tcb_record(number, snp))
    store.evidence.append(tcb_record(9, 7, "beef"))
    await store.flush()
    points = await store.evidence.tcb_timeline("c0ffee")
    assert [(point.at - 1.6e9, point.reported["snp"]) for point in points] == [(1, 20), (3, 21), (5, 20)]
    assert dict(points[0].committed) == dict(points[0].current) == dict(points[0].reported)
    assert dict(points[0].reported) == {"boot_loader": 4, "tee": 0, "snp": 20, "microcode": 200}
    assert [point.reported["snp"] for point in await store.evidence.tcb_timeline("c0ffee", limit=2)] == [21, 20]
    assert await store.evidence.chips() == ["beef", "c0ffee"]
    await store.aclose()


async def test_there_is_one_baseline_of_each_format(open_it: OpenStore, data_dir: Path) -> None:
    store = await open_it(data_dir)
    store.baselines.put(baseline(pcr="00"))
    store.baselines.put(replace(baseline(pcr="01"), origin=BaselineOrigin.GIVEN))
    store.baselines.put(replace(baseline(measurement="ff"), format=EvidenceFormat.SNP_REPORT))
    await store.flush()
    found = await store.baselines.get("a", EvidenceFormat.TPM_QUOTE)
    assert found == replace(baseline(pcr="01"), origin=BaselineOrigin.GIVEN)
    store.baselines.remove("a", EvidenceFormat.TPM_QUOTE)
    store.baselines.remove("nobody", EvidenceFormat.TPM_QUOTE)
    await store.flush()
    assert await store.baselines.get("a", EvidenceFormat.TPM_QUOTE) is None
    assert await store.baselines.get("a", EvidenceFormat.SNP_REPORT) is not None
    await store.aclose()


async def test_secrets_stay_and_a_nonce_is_answered_once(open_it: OpenStore, data_dir: Path) -> None:
    secret = BoundSecret("a", SecretKind.BOUND, "local:default", b"wrapped", Conditions((bytes(48),)), 1.0)
    store = await open_it(data_dir)
    await store.secrets.add(secret)
    await store.secrets.count("a")
    await store.secrets.ask(Challenge(bytes(32), "secret:a", 1.0))
    await store.aclose()

    store = await open_it(data_dir)
    assert await store.secrets.all() == [replace(secret, given=1)]
    await store.secrets.answer(bytes(32), "secret:a", 1.0)
    with pytest.raises(NotFound):
        await store.secrets.answer(bytes(32), "secret:a", 1.0)
    await store.secrets.revoke("a", SecretKind.BOUND, 2.0)
    assert await store.secrets.get("a") == replace(secret, given=1, revoked_at=2.0)
    await store.aclose()
