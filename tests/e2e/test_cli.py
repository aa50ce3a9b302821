"""The command line: bad input is one clear line and exit 2, results are on standard output, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from confvm_gui.app.bootstrap import open_session
from confvm_gui.app.cli import main
from confvm_gui.domain.errors import StoreFull
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.fleet.session import FleetSession
from confvm_gui.store import open_store
from tests.support.embedded_rig import catalog, launch_request, write_records
from tests.support.fake_provider import FakeProvider

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def confvm(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs `confvm` in this process: exit code, standard output, standard error."""
    root = logging.getLogger()
    handlers, level = tuple(root.handlers), root.level

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield run
    root.setLevel(level)
    for handler in tuple(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)


def refused(outcome: tuple[int, str, str], *words: str) -> None:
    """One line on standard error with these words, nothing on standard output, exit 2."""
    code, out, err = outcome
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("confvm")
    assert "Traceback" not in err
    for word in words:
        assert word in err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def _make(data_dir: Path, *requests: LaunchRequest) -> None:
    """A data directory as a console leaves it that made these instances."""
    session = await open_session(data_dir, workers=1)
    await session.connect()
    for request in requests:
        await session.jobs.wait((await session.jobs.create(request)).id)
    await session.aclose()


# Bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["required"]),
        (["frobnicate"], ["frobnicate"]),
        (["run"], ["--name"]),
        (["run", "--name", "probe", "--frobnicate"], ["--frobnicate"]),
        (["run", "--name", "probe", "--for", "soon"], ["--for", "soon"]),
        (["run", "--name", "probe", "--for", "-1"], ["--for"]),
        (["run", "--name", "probe", "--for", "nan"], ["--for"]),
        (["run", "--name", "probe", "--find", "", "--for", "1"], ["search"]),
        (["run", "--name", "Probe"], ["name"]),
        (["run", "--name", ""], ["name"]),
        (["run", "--name", "a" * 64], ["name", "63"]),
        (["run", "--name", "probe", "--cloud", "moon"], ["moon"]),
        (["run", "--name", "probe", "--region", "moon"], ["region", "moon"]),
        (["run", "--name", "probe", "--image", "moon"], ["image", "moon"]),
        (["run", "--name", "probe", "--machine-type", "moon"], ["machine-type", "moon"]),
        (["run", "--name", "probe", "--machine-type", "c3-standard-4"], ["machine_type", "TDX"]),
        (["run", "--name", "probe", "--image", "debian-11"], ["image"]),
        (["run", "--name", "probe", "--technology", "sev-snp", "--region", "europe-west1"], ["region", "SEV-SNP"]),
        (["run", "--name", "probe", "--technology", "tdx"], ["technology", "tdx"]),
        (["show"], ["NAME"]),
        (["audit"], ["COMMAND"]),
        (["audit", "burn"], ["burn"]),
        (["catalog", "images", "--provider", "moon"], ["provider", "moon"]),
    ],
)
def test_what_is_typed_wrongly_is_refused_in_one_line(
    confvm: Run, data_dir: Path, arguments: list[str], words: list[str]
) -> None:
    where = ["--data-dir", str(data_dir)] if arguments[:1] == ["run"] else []
    refused(confvm(*arguments, *where), *words)
    assert not (data_dir / "instances").exists()


def test_records_that_cannot_be_taken_are_refused_in_one_line(confvm: Run, data_dir: Path, tmp_path: Path) -> None:
    records = tmp_path / "records.csv"
    for content, word in (
        (b"", "empty"),
        (b"\x7fELF\0\1\2", "not a text file"),
        (b"\xff\xfea\0,\0", "UTF-16"),
        (b"PK\x03\x04 sheet", "spreadsheet"),
        (b"a,b\n1,2\n3\n", "Line 3"),
        (b"a,b\n", "no records"),
        (b'a,b\n1,"2\n', "quote"),
        (b"a,b\n\xe9,1\n", "UTF-8"),
    ):
        records.write_bytes(content)
        refused(confvm("run", "--name", "probe", "--records", records, "--data-dir", data_dir), "records", word)
        assert records.read_bytes() == content
    refused(confvm("run", "--name", "probe", "--records", tmp_path / "none.csv"), "There is no file")
    refused(confvm("run", "--name", "probe", "--records", tmp_path), "folder")
    refused(confvm("run", "--name", "probe", "--records", "/dev/zero"), "regular file")
    with records.open("wb") as file:
        file.truncate(1 << 30)
    refused(confvm("run", "--name", "probe", "--records", records), "1,024.0 MiB", "16 MiB")
    assert contents(data_dir) == {}, "nothing was begun"


def test_a_data_directory_that_cannot_be_one_is_refused(confvm: Run, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for where in (file, file / "below", Path("/proc/nowhere")):
        for command in (["run", "--name", "probe"], ["list"], ["show", "probe"], ["audit", "verify"]):
            if command[0] == "run" or where == file:
                refused(confvm(*command, "--data-dir", where), str(where))
    assert file.read_text() == "mine"


def test_a_database_that_is_damaged_or_newer_is_refused_and_left_as_it_is(
    confvm: Run, data_dir: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "newer"
    asyncio.run(_make(newer, launch_request("kept")))
    with closing(sqlite3.connect(newer / "console.db")) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (data_dir / "console.db").write_bytes(b"scribble" * 1000)
    for folder, word in ((data_dir, "damaged"), (newer, "newer console")):
        before = contents(folder)
        for command in (
            ["run", "--name", "probe"],
            ["list"],
            ["show", "kept"],
            ["audit", "verify"],
            ["audit", "export"],
        ):
            refused(confvm(*command, "--data-dir", folder), word, "console.db")
        after = contents(folder)
        assert {name: after[name] for name in before} == before


def test_a_damaged_definition_of_an_instance_is_told_and_not_waited_for(confvm: Run, data_dir: Path) -> None:
    asyncio.run(_make(data_dir, launch_request("kept")))
    (definition,) = (data_dir / "instances").glob("*/definition.json")
    definition.write_text("{")
    refused(confvm("run", "--name", "probe", "--for", "1", "--data-dir", data_dir), str(definition))
    assert definition.read_text() == "{"


def test_a_name_that_is_taken_is_refused_and_its_instance_is_kept(confvm: Run, data_dir: Path) -> None:
    asyncio.run(_make(data_dir, launch_request("kept")))
    refused(confvm("run", "--name", "kept", "--for", "1", "--data-dir", data_dir), "name", "kept")
    code, out, _ = confvm("list", "--json", "--data-dir", data_dir)
    assert code == 0
    assert [each["name"] for each in json.loads(out)] == ["kept"]


async def test_another_consoles_data_are_read_and_not_written(data_dir: Path) -> None:
    session = await open_session(data_dir, workers=1)
    try:
        await session.connect()
        await session.jobs.wait((await session.jobs.create(launch_request("kept"))).id)
        await session.store.flush()

        async def run(*arguments: str) -> tuple[int, str, str]:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "confvm_gui.app.cli", *arguments, "--data-dir", str(data_dir)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
            assert process.returncode is not None
            return process.returncode, out.decode(), err.decode()

        refused(await run("run", "--name", "probe"), "Another console", str(os.getpid()))
        code, out, err = await run("list", "--json")
        assert (code, err) == (0, "")
        assert [each["name"] for each in json.loads(out)] == ["kept"]
        assert (await run("show", "kept"))[0] == 0
        assert (await run("audit", "verify"))[0] == 0
        assert session.inventory.find("kept").state.is_live
    finally:
        await session.aclose()


# Results --------------------------------------------------------------------------------------------------------------


def test_nothing_is_there_yet(confvm: Run, data_dir: Path) -> None:
    assert confvm("list", "--data-dir", data_dir / "new") == (0, "There are no instances.\n", "")
    assert confvm("list", "--json", "--data-dir", data_dir / "new") == (0, "[]\n", "")
    code, out, err = confvm("show", "probe", "--data-dir", data_dir / "new")
    assert (code, out, err) == (1, "", "confvm: There is no instance named 'probe'\n")
    code, out, _ = confvm("audit", "verify", "--data-dir", data_dir / "new")
    assert (code, out.startswith("The log is whole: 0 events")) == (0, True)
    assert not (data_dir / "new").exists(), "reading makes nothing"


def test_instances_are_listed_and_shown_as_they_were_last(confvm: Run, data_dir: Path, tmp_path: Path) -> None:
    asyncio.run(_make(data_dir, launch_request("zebra"), launch_request("ant", records=write_records(tmp_path))))
    code, out, err = confvm("list", "--data-dir", data_dir)
    assert (code, err) == (0, "")
    header, first, second = out.splitlines()
    assert header.split()[:2] == ["name", "state"]
    assert first.split()[:2] == ["ant", "stopped"], "an emulated host stops with its console"
    assert second.split()[:2] == ["zebra", "stopped"]
    assert "(emulated)" in first
    code, out, _ = confvm("show", "ant", "--json", "--data-dir", data_dir)
    shown = json.loads(out)
    assert code == 0
    assert (shown["name"], shown["state"], shown["technology"]) == ("ant", "stopped", "sev")
    assert shown["confidential"] is True
    assert shown["runs"] == "records"
    code, out, _ = confvm("show", "ant", "--data-dir", data_dir)
    assert "state reason" in out


def test_the_log_is_verified_and_exported(confvm: Run, data_dir: Path, tmp_path: Path) -> None:
    asyncio.run(_make(data_dir, launch_request("probe")))
    code, out, _ = confvm("audit", "verify", "--json", "--data-dir", data_dir)
    verdict = json.loads(out)
    assert (code, verdict["intact"]) == (0, True)
    code, out, _ = confvm("audit", "export", "--data-dir", data_dir)
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [record["sequence"] for record in records] == list(range(1, verdict["records"] + 1))
    assert records[-1]["hash"] == verdict["head"]
    assert [record["action"] for record in records][:1] == ["operation.create"]
    file = tmp_path / "log.jsonl"
    assert confvm("audit", "export", "--output", file, "--data-dir", data_dir)[0] == 0
    written = file.read_text()
    assert written.startswith(out)
    later = [json.loads(line)["action"] for line in written.removeprefix(out).splitlines()]
    assert later == ["audit.export", "audit.checkpoint"], "that it was read out is in it"
    refused(confvm("audit", "export", "--output", file, "--data-dir", data_dir), "exists already")
    refused(confvm("audit", "export", "--output", tmp_path / "no" / "log", "--data-dir", data_dir), "cannot be written")


def test_a_log_that_was_altered_is_not_whole(confvm: Run, data_dir: Path) -> None:
    asyncio.run(_make(data_dir, launch_request("probe")))
    with closing(sqlite3.connect(data_dir / "console.db")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE audit SET message = 'nothing happened' WHERE sequence = 2")
        connection.commit()
    code, out, err = confvm("audit", "verify", "--data-dir", data_dir)
    assert (code, err) == (1, "")
    assert "2" in out
    code, out, _ = confvm("audit", "verify", "--json", "--data-dir", data_dir)
    assert (code, json.loads(out)["first_bad"]) == (1, 2)


@pytest.mark.parametrize(
    ("where", "code", "words"),
    [("/dev/full", 2, "the output cannot be written: No space left on device"), (None, 0, "")],
)
def test_output_that_nobody_can_take_is_no_traceback(where: str | None, code: int, words: str) -> None:
    arguments = [sys.executable, "-m", "confvm_gui.app.cli", "catalog", "machine-types"]
    if where is not None:
        with Path(where).open("wb") as full:
            done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=50)
    else:
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(arguments, stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=50)
        os.close(write)
    assert done.returncode == code
    assert done.stderr == (f"confvm: {words}\n" if words else "")


def test_version_and_help(confvm: Run) -> None:
    code, out, _ = confvm("--version")
    assert code == 0
    assert out.startswith("confvm ")
    code, out, _ = confvm("run", "--help")
    assert code == 0
    for option in ("--records", "--no-confidential", "--find", "--for", "--data-dir", "--json"):
        assert option in out


# A full disk ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 16 << 10, 200 << 10])
def test_files_that_cannot_grow_end_a_run_in_one_line_and_lose_nothing(data_dir: Path, room: int) -> None:
    asyncio.run(_make(data_dir, launch_request("kept")))
    arguments = [sys.executable, "-m", "confvm_gui.app.cli", "run", "--name", "probe", "--for", "1"]
    run = subprocess.run(
        [*arguments, "--data-dir", str(data_dir)],
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room)),
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert run.returncode in (1, 2)
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stderr.startswith("confvm: ")

    async def names() -> list[str]:
        store = await open_store(data_dir)
        assert (await store.audit.verify()).intact
        found = [instance.name for instance in await store.instances.all()]
        await store.aclose()
        return found

    assert asyncio.run(names()) == ["kept"]


async def test_a_full_database_accepts_no_more_and_keeps_what_it_accepted(data_dir: Path) -> None:
    await (await open_store(data_dir)).aclose()
    pages = (data_dir / "console.db").stat().st_size // 4096
    store = await open_store(data_dir, max_pages=pages + 12)
    session = await FleetSession.begin(catalog(), {"embedded": FakeProvider()}, store, data_dir)
    await session.connect()
    accepted: list[str] = []
    full: StoreFull | None = None
    while full is None and len(accepted) < 1000:
        try:
            operation = await session.jobs.create(launch_request(f"vm-{len(accepted)}"))
        except StoreFull as error:
            full = error
        else:
            accepted.append(operation.id)
    assert full is not None
    assert "No space is left" in full.message
    assert accepted
    assert {operation.id for operation in session.jobs.recent()} == set(accepted)
    with suppress(StoreFull):  # progress that could not be written
        await session.aclose()
    store = await open_store(data_dir)
    assert {operation.id for operation in await store.operations.recent(1000)} == set(accepted)
    assert (await store.audit.verify()).intact
    await store.aclose()
