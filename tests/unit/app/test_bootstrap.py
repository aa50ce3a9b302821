"""A session put together: store, keys, embedded provider and use cases, as the window and the commands get it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir, open_session
from confvm_gui.app.logs import set_up_logging
from confvm_gui.domain.errors import InvalidInput, StoreCorrupt, Unsupported
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import InstanceState, LaunchRequest
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus
from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.fleet.memory.needle import text_patterns
from confvm_gui.fleet.memory.search import search
from tests.support.embedded_rig import SECRET_FIELD, files_with, launch_request, write_records
from tests.support.patience import until
from tests.support.process_table import children


def test_a_data_directory_is_a_folder_or_nothing_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_data_dir(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput) as refused:
        check_data_dir(tmp_path / "file")
    assert refused.value.field == "data-dir"
    monkeypatch.chdir(tmp_path)
    assert check_data_dir(Path("new")) == tmp_path / "new"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_data_dir(Path("~/new")) == tmp_path / "new"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert default_data_dir() == tmp_path / "share" / "confvm-console"


def test_logging_is_quiet_unless_asked_and_set_up_once() -> None:
    root = logging.getLogger()
    before, level = tuple(root.handlers), root.level
    try:
        set_up_logging(debug=False)
        set_up_logging(debug=True)
        assert [handler.get_name() for handler in root.handlers].count("confvm") == 1
        assert logging.getLogger("confvm_gui").level == logging.DEBUG
    finally:
        logging.getLogger("confvm_gui").setLevel(logging.NOTSET)
        logging.getLogger("asyncio").setLevel(logging.NOTSET)
        root.setLevel(level)
        for handler in tuple(root.handlers):
            if handler not in before:
                root.removeHandler(handler)


def test_the_command_line_answers_without_loading_what_it_does_not_need() -> None:
    program = (
        "import sys\n"
        "from confvm_gui.app.cli import build_parser\n"
        "build_parser()\n"
        "heavy = ('PySide6', 'numpy', 'cryptography', 'unicorn', 'sqlite_utils', 'pyqtgraph', 'keyring')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_main_job_through_the_session(data_dir: Path, tmp_path: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        operation = await session.jobs.create(launch_request(records=write_records(tmp_path)))
        operation = await session.jobs.wait(operation.id)
        assert operation.status is OperationStatus.SUCCEEDED
        assert [step.name for step in operation.steps][:1] == ["encrypt disk"]
        instance = session.inventory.find("probe")
        answer = await session.query(instance.id, Query(QueryVerb.STATUS))
        while ("state", "ready") not in answer.rows:
            answer = await session.query(instance.id, Query(QueryVerb.STATUS))
        patterns = text_patterns(SECRET_FIELD)
        assert (await search(session.memory(instance.id, Viewer.GUEST), patterns)).count >= 12
        assert (await search(session.memory(instance.id, Viewer.HYPERVISOR), patterns)).count == 0
        for kind in (OperationKind.PAUSE, OperationKind.RESUME, OperationKind.RESET, OperationKind.STOP):
            done = await session.jobs.wait((await session.jobs.act(kind, [instance.id]))[0].id)
            assert done.status is OperationStatus.SUCCEEDED
    finally:
        await session.aclose()
    assert not files_with(data_dir, SECRET_FIELD.encode())
    later = await open_session(data_dir, readonly=True)
    await later.connect()
    assert later.readonly
    assert later.inventory.find("probe").state is InstanceState.STOPPED
    with pytest.raises(Unsupported):
        later.console(later.inventory.find("probe").id)
    assert (await later.events.verify()).intact
    await later.aclose()


async def test_a_lost_worker_is_an_event_and_the_instance_starts_again(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        await session.jobs.wait((await session.jobs.create(launch_request())).id)
        instance = session.inventory.find("probe")
        (worker,) = [pid for pid, command in children().items() if "spawn_main" in command]
        os.kill(worker, signal.SIGKILL)
        await until(lambda: session.inventory.get(instance.id).state is InstanceState.CRASHED)
        await session.store.flush()
        (crash,) = await session.events.read(limit=5, subject=instance.id, text="crashed")
        assert crash.event.severity is Severity.ERROR
        assert "worker" in crash.event.message
        start = (await session.jobs.act(OperationKind.START, [instance.id]))[0]
        assert (await session.jobs.wait(start.id)).status is OperationStatus.SUCCEEDED
    finally:
        await session.aclose()


async def test_samples_of_what_runs_are_kept_in_the_store(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        await session.jobs.wait((await session.jobs.create(launch_request())).id)
        heard: list[int] = []
        session.metrics.changes.subscribe(lambda samples: heard.append(len(samples)))
        await until(lambda: bool(heard))
        await session.store.flush()
        history = await session.metrics.history(session.inventory.find("probe").id, 60)
        assert [sample.memory_bytes > 0 for sample in history] == [True] * sum(heard)
    finally:
        await session.aclose()


async def _create_and_close(data_dir: Path, request: LaunchRequest, reports: int) -> None:
    """Close a session when it has told so many changes of the creation."""
    session = await open_session(data_dir, workers=1)
    seen: list[Operation] = []
    session.jobs.changes.subscribe(seen.append)
    await session.connect()
    operation = await session.jobs.create(request)
    await until(lambda: len(seen) >= reports or session.jobs.get(operation.id).status.is_final)
    await session.aclose()


async def test_closed_at_any_moment_it_leaves_nothing(data_dir: Path, tmp_path: Path) -> None:
    records = write_records(tmp_path)
    moments = (0, 3, 4, 5, 6, 7, 8, 40)
    for reports in moments:
        await _create_and_close(data_dir, launch_request(f"vm-{reports}", records=records), reports)
    session = await open_session(data_dir, workers=1)
    await session.connect()
    for operation in session.jobs.active():
        await session.jobs.wait(operation.id)
    assert {operation.status for operation in session.jobs.recent()} == {OperationStatus.SUCCEEDED}
    assert len(session.inventory.all()) == len(moments)
    await session.aclose()


async def test_a_store_that_cannot_be_opened_leaves_nothing(data_dir: Path) -> None:
    (data_dir / "console.db").write_bytes(b"scribble" * 1000)
    with pytest.raises(StoreCorrupt):
        await open_session(data_dir)
    assert not files_with(data_dir, b"SQLite format 3")
