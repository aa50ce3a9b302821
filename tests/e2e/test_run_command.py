"""`confvm run`: an instance in the foreground, what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.embedded_rig import CSV, SECRET_FIELD, write_records
from tests.support.linux_kernel import COMMAND_LINE, initramfs, kernel_path
from tests.support.patience import until_now
from tests.support.real_instance import INIT
from tests.support.real_instance import SECRET as LINUX_SECRET

CLI = (sys.executable, "-m", "confvm_gui.app.cli")
RUN = (*CLI, "run", "--name", "probe")


def confvm_run(*arguments: str | Path, timeout: float = 50) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines, standard error."""
    done = subprocess.run(
        [*RUN, "--json", *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(autouse=True)
def tmp_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run without --data-dir puts its data; other tests run beside."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.mark.parametrize("confidential", [True, False])
def test_the_last_line_says_who_can_read_the_text(tmp_path: Path, tmp_of_its_own: Path, confidential: bool) -> None:
    plain = () if confidential else ("--no-confidential",)
    code, lines, err = confvm_run("--records", write_records(tmp_path), "--for", "1", "--find", SECRET_FIELD, *plain)
    assert (code, err) == (0, "")
    last = lines[-1]
    assert (last["event"], last["text"]) == ("search", SECRET_FIELD)
    assert last["guest"] >= 12
    assert last["hypervisor"] == 0 if confidential else last["hypervisor"] >= 12
    assert [line for line in lines if line["event"] == "search"] == [last]
    actions = [line["action"] for line in lines if line["event"] in ("log", "state")]
    assert actions[0] == "operation.create"
    assert {"instance.creating", "instance.starting", "instance.running", "instance.deleting"} <= set(actions)
    steps = [line["name"] for line in lines if line["event"] == "step"]
    assert ("LAUNCH_SECRET" in steps) is confidential
    console = "".join(line["text"] for line in lines if line["event"] == "console")
    assert "records: 12 rows" in console
    assert SECRET_FIELD not in console
    assert not list(tmp_of_its_own.iterdir())


@pytest.mark.parametrize("technology", ["sev-es", "sev-snp"])
def test_who_vouches_for_it_can_be_asked(tmp_path: Path, technology: str) -> None:
    code, lines, err = confvm_run(
        "--records",
        write_records(tmp_path),
        "--for",
        "1",
        "--technology",
        technology,
        "--attest",
        "--find",
        SECRET_FIELD,
    )
    assert (code, err) == (0, "")
    assert lines[-1]["hypervisor"] == 0
    assert lines[-1]["guest"] >= 12
    (verdict,) = [line for line in lines if line["event"] == "verdict"]
    assert (verdict["verdict"], verdict["emulated"]) == ("trusted", True)
    assert verdict["claims"]["report_data"]


def test_a_run_that_is_shorter_than_the_guests_start_waits_for_its_records(tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    header, _, rows = CSV.partition("\n")
    big.write_text(header + "\n" + "".join(rows.replace("V-", f"V{at}-") for at in range(2500)))
    began = time.monotonic()
    code, lines, err = confvm_run("--records", big, "--for", "0.01", "--find", SECRET_FIELD + " 11")
    assert (code, err) == (0, "")
    assert lines[-1]["event"] == "search"
    assert lines[-1]["guest"] >= 2500
    assert lines[-1]["hypervisor"] == 0
    assert time.monotonic() - began < 30


def test_a_kernel_of_the_library_is_run(data_dir: Path, tmp_path: Path) -> None:
    initrd = tmp_path / "initrd.img"
    initrd.write_bytes(initramfs(INIT))
    add = [*CLI, "images", "add", str(kernel_path()), "--kernel", "--initrd", str(initrd), "--id", "mine"]
    add += ["--command-line", COMMAND_LINE, "--data-dir", str(data_dir)]
    subprocess.run(add, check=True, capture_output=True, timeout=50)
    code, lines, err = confvm_run("--image", "local:mine", "--for", "8", "--find", LINUX_SECRET, "--data-dir", data_dir)
    assert (code, err) == (0, "")
    assert "system-is-up-42" in "".join(str(line.get("text", "")) for line in lines if line["event"] == "console")
    assert lines[-1]["hypervisor"] == 0
    assert lines[-1]["guest"] >= 50
    code, lines, err = confvm_run("--image", "local:none", "--data-dir", data_dir)
    assert code != 0
    assert "no image 'none'" in err + str(lines)


def test_a_run_lasts_as_long_as_it_was_told(tmp_path: Path) -> None:
    records = write_records(tmp_path)
    code, lines, _ = confvm_run("--records", records, "--for", "2", "--find", SECRET_FIELD)
    assert code == 0
    console = [line for line in lines if line["event"] == "console"]
    assert console
    began = time.monotonic()
    assert confvm_run("--for", "0.5")[0] == 0
    assert time.monotonic() - began < 5


def test_without_json_the_console_is_on_standard_output(tmp_path: Path) -> None:
    done = subprocess.run(
        [*RUN, "--records", write_records(tmp_path), "--for", "1", "--find", SECRET_FIELD],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert "ConfVM records guest" in done.stdout
    assert "{" not in done.stdout
    lines = done.stderr.splitlines()
    assert all(line.startswith("confvm: ") for line in lines)
    assert lines[-1].endswith("for the guest, in 0 for the hypervisor")


def test_the_instance_is_gone_from_its_data_directory(data_dir: Path, tmp_path: Path) -> None:
    records = write_records(tmp_path)
    for _ in range(2):
        code, _, err = confvm_run("--records", records, "--for", "0.2", "--data-dir", data_dir)
        assert (code, err) == (0, "")
        assert not list((data_dir / "instances").iterdir())
    audit = [sys.executable, "-m", "confvm_gui.app.cli", "audit", "verify", "--data-dir", str(data_dir)]
    assert subprocess.run(audit, capture_output=True, timeout=50, check=False).returncode == 0
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET_FIELD.encode() in path.read_bytes()]


class Foreground:
    """A run that goes on until somebody ends it, with a session of its own."""

    def __init__(self, arguments: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(
            [*RUN, "--json", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[dict[str, Any]] = []

    def until(self, **wanted: str) -> None:
        """Read its output up to the line with these values."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if wanted.items() <= self.lines[-1].items():
                return
        raise AssertionError(f"it ended: {self.lines}")

    def end(self, number: signal.Signals, *, group: bool = False) -> tuple[int, str]:
        """Send the signal; exit code and standard error."""
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        self.lines += [json.loads(line) for line in out.splitlines()]
        until_now(lambda: not session_members(self.process.pid))
        return self.process.returncode, err


def session_members(session: int) -> list[str]:
    """Command lines of the living processes of that session, whosever children they are."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append((stat.parent / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("number", "group"),
    [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)],
)
def test_a_signal_ends_it_cleanly(tmp_path: Path, tmp_of_its_own: Path, number: signal.Signals, group: bool) -> None:
    run = Foreground(["--records", write_records(tmp_path), "--find", SECRET_FIELD])
    run.until(event="state", action="instance.running")
    run.until(event="console")
    code, err = run.end(number, group=group)
    assert (code, err) == (0, "")
    assert run.lines[-1]["event"] == "search"
    assert run.lines[-1]["hypervisor"] == 0
    assert not list(tmp_of_its_own.iterdir())


def test_a_signal_while_it_is_being_created_cancels_that(data_dir: Path, tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    header, _, rows = CSV.partition("\n")
    big.write_text(header + "\n" + "".join(rows.replace("V-", f"V{at}-") for at in range(15_000)))
    run = Foreground(["--records", big, "--data-dir", data_dir])
    run.until(event="step", name="encrypt disk")
    code, err = run.end(signal.SIGTERM)
    assert (code, err) == (130, "")
    assert run.lines[-1]["event"] == "failed"
    assert "Cancelled" in run.lines[-1]["error"]
    assert not list((data_dir / "instances").glob("*"))


def test_who_stops_reading_ends_it(tmp_path: Path, tmp_of_its_own: Path) -> None:
    run = Foreground(["--records", write_records(tmp_path)])
    run.until(event="state", action="instance.running")
    assert run.process.stdout is not None
    assert run.process.stderr is not None
    run.process.stdout.close()
    assert run.process.wait(30) == 0
    assert run.process.stderr.read() == ""
    run.process.stderr.close()
    assert not list(tmp_of_its_own.iterdir())


def test_killed_it_leaves_no_process(tmp_path: Path, data_dir: Path) -> None:
    run = Foreground(["--records", write_records(tmp_path), "--data-dir", data_dir])
    run.until(event="console")
    assert any("spawn_main" in command for command in session_members(run.process.pid)), "a vCPU worker runs"
    code, _ = run.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
