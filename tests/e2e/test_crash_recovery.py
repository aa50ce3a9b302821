"""`kill -9` while ten instances are being created: the next console finishes or undoes every one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.domain.query import Query, QueryVerb
from tests.e2e.test_run_command import session_members
from tests.support.embedded_rig import SECRET_FIELD, files_with, write_records
from tests.support.patience import until_now
from tests.support.process_table import abandoned_shared_memory

CONSOLE = """
import asyncio, json, os, pathlib, signal, sys
from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.operation import OperationKind
from tests.support.embedded_rig import launch_request

key, value, times = sys.argv[4], sys.argv[5], int(sys.argv[6])

def say(**values):
    global times
    sys.stdout.write(json.dumps(values) + chr(10))
    sys.stdout.flush()
    times -= key in values and value in ("", values[key])
    if times == 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    session = await open_session(pathlib.Path(sys.argv[1]), workers=2)
    records = pathlib.Path(sys.argv[2])
    session.jobs.changes.subscribe(lambda operation: say(
        operation=operation.id, status=operation.status.value, step=operation.steps[-1].name if operation.steps else ""
    ))
    await session.connect()

    async def create(number):
        operation = await session.jobs.create(launch_request(f"vm-{number}", records=records))
        say(accepted=operation.id, instance=operation.instance_id)
        return operation

    operations = await asyncio.gather(*(create(number) for number in range(10)))
    for operation in operations:
        await session.jobs.wait(operation.id)
    act = sys.argv[3]
    if act != "create":
        for operation in await session.jobs.act(OperationKind(act), [each.instance_id for each in operations]):
            say(accepted=operation.id, instance=operation.instance_id)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@dataclass(frozen=True)
class Told:
    """What the console said before it was killed."""

    accepted: dict[str, str]
    """Operation id -> instance id."""
    succeeded: set[str]


@dataclass(frozen=True)
class Moment:
    """When it says `key` with this value ("": any) for the so-many-th time, a console is killed."""

    key: str
    value: str = ""
    times: int = 1


def kill_console(data_dir: Path, records: Path, act: str, moment: Moment, *, program: str = CONSOLE) -> Told:
    """Run a console until it is killed at that moment, by itself, so that no reader is ever too late."""
    arguments = [str(data_dir), str(records), act, moment.key, moment.value, str(moment.times)]
    told = Told({}, set())
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as console:
        assert console.stdout is not None
        for line in console.stdout:
            said = json.loads(line)
            if "accepted" in said:
                told.accepted[said["accepted"]] = said["instance"]
            elif said["status"] == "succeeded":
                told.succeeded.add(said["operation"])
    assert console.returncode == -signal.SIGKILL
    until_now(lambda: not session_members(console.pid))
    return told


def audit_is_whole(data_dir: Path) -> bool:
    command = [sys.executable, "-m", "confvm_gui.app.cli", "audit", "verify", "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, timeout=50, check=False).returncode == 0


def folders(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "instances").glob("*")}


async def recover(data_dir: Path) -> tuple[dict[str, Operation], dict[str, InstanceState], list[str]]:
    """Start again: outcomes by operation, instances by id, and the actions that were recorded."""
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        await session.inventory.connected("embedded")
        for operation in session.jobs.active():
            await session.jobs.wait(operation.id)
        operations = {operation.id: operation for operation in session.jobs.recent()}
        instances = session.inventory.all()
        names = [instance.name for instance in instances]
        assert len(set(names)) == len(names), "none is there twice"
        for instance in instances:
            if instance.state is InstanceState.RUNNING:
                await session.query(instance.id, Query(QueryVerb.STATUS))
        await session.store.flush()
        actions = [record.event.action for record in await session.events.read(limit=10_000)]
        return operations, {instance.id: instance.state for instance in instances}, actions
    finally:
        await session.aclose()


CREATING = {
    "the first was accepted": Moment("accepted"),
    "all were accepted": Moment("accepted", times=10),
    "the first disk": Moment("step", "encrypt disk"),
    "the fifth definition": Moment("step", "define instance", 5),
    "the first launch": Moment("step", "LAUNCH_START"),
    "the third secret": Moment("step", "LAUNCH_SECRET", 3),
    "the first runs": Moment("status", "succeeded"),
    "the ninth runs": Moment("status", "succeeded", 9),
}


@pytest.mark.parametrize("moment", list(CREATING))
async def test_killed_while_ten_are_being_created(data_dir: Path, tmp_path: Path, moment: str) -> None:
    shared = abandoned_shared_memory()
    told = kill_console(data_dir, write_records(tmp_path), "create", CREATING[moment])
    assert told.accepted
    assert audit_is_whole(data_dir)
    operations, instances, actions = await recover(data_dir)
    assert told.accepted.keys() <= operations.keys(), "what was accepted is known"
    assert {operation.status for operation in operations.values()} == {OperationStatus.SUCCEEDED}
    assert {operation.instance_id for operation in operations.values()} == instances.keys()
    taken_up = actions.count("operation.resumed")
    assert 0 < taken_up <= len(operations)
    for operation in operations.values():
        # One that had succeeded before went down with its console: an emulated host is a process.
        state = instances[operation.instance_id]
        assert state in (InstanceState.RUNNING, InstanceState.STOPPED)
        if operation.id not in told.succeeded:
            assert state is InstanceState.RUNNING
    assert folders(data_dir) == instances.keys()
    assert not files_with(data_dir, SECRET_FIELD.encode())
    assert audit_is_whole(data_dir)
    assert abandoned_shared_memory() <= shared


async def test_what_cannot_be_finished_is_rolled_back_and_reported(data_dir: Path, tmp_path: Path) -> None:
    records = write_records(tmp_path)
    told = kill_console(data_dir, records, "create", CREATING["all were accepted"])
    records.unlink()
    operations, instances, actions = await recover(data_dir)
    assert told.accepted.keys() <= operations.keys()
    undone = [each for each in operations.values() if each.status is OperationStatus.ROLLED_BACK]
    assert undone
    assert all("There is no file" in operation.error for operation in undone)
    assert actions.count("operation.rolled-back") == len(undone)
    done = {each.instance_id for each in operations.values() if each.status is OperationStatus.SUCCEEDED}
    assert done == instances.keys()
    assert folders(data_dir) == done
    assert audit_is_whole(data_dir)


ACTING = {
    OperationKind.STOP: InstanceState.STOPPED,
    OperationKind.RESET: InstanceState.RUNNING,
    OperationKind.DELETE: None,
}


@pytest.mark.parametrize("kind", list(ACTING))
async def test_killed_in_another_operation(data_dir: Path, tmp_path: Path, kind: OperationKind) -> None:
    told = kill_console(data_dir, write_records(tmp_path), kind.value, Moment("status", "succeeded", 10 + 3))
    operations, instances, _ = await recover(data_dir)
    acted = [operation for operation in operations.values() if operation.kind is kind]
    assert len(acted) == 10
    assert {operation.status for operation in acted} == {OperationStatus.SUCCEEDED}
    unfinished = [operation for operation in acted if operation.id not in told.succeeded]
    assert unfinished
    for operation in unfinished:
        assert instances.get(operation.instance_id) is ACTING[kind]
    assert folders(data_dir) == instances.keys()
    assert audit_is_whole(data_dir)


TAKING_UP = (
    CONSOLE.partition("    async def create(number)")[0]
    + """
    await asyncio.Event().wait()

asyncio.run(main())
"""
)


async def test_killed_again_and_again(data_dir: Path, tmp_path: Path) -> None:
    """Each console is killed while it takes up what the one before left."""
    records = write_records(tmp_path)
    told = kill_console(data_dir, records, "create", CREATING["the first disk"])
    for step in ("encrypt disk", "LAUNCH_START", "LAUNCH_MEASURE"):
        kill_console(data_dir, records, "create", Moment("step", step, 2), program=TAKING_UP)
        assert audit_is_whole(data_dir)
    operations, instances, _ = await recover(data_dir)
    assert told.accepted.keys() <= operations.keys()
    assert {operation.status for operation in operations.values()} == {OperationStatus.SUCCEEDED}
    assert {operation.instance_id for operation in operations.values()} == instances.keys()
