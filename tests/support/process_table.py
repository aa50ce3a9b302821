"""What the kernel says of this process and its descendants, from /proc (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_STDLIB_COMPANIONS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that the standard library keeps, on purpose, for as long as the interpreter lives."""


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that none escapes the guard."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> dict[int, str]:
    """Living children of this process (zombies not counted) with their command lines, without the interpreter's own."""
    found: dict[int, str] = {}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            pids = listing.read_text().split()
        except OSError:  # the thread has just ended
            continue
        for pid in map(int, pids):
            command = _living_command(pid)
            if command is not None and not any(name in command for name in _STDLIB_COMPANIONS):
                found[pid] = command
    return found


def _living_command(pid: int) -> str | None:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:  # it has just ended
        return None
    return None if state in "ZX" else command or f"process {pid}"


def reap(pid: int) -> None:
    """Forget an adopted child that has ended; does nothing if somebody else has reaped it."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def zombies() -> set[int]:
    """Children that have ended and were not waited for."""
    found: set[int] = set()
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            pids = [int(pid) for pid in listing.read_text().split()]
            found.update(p for p in pids if Path(f"/proc/{p}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
        except OSError:
            continue
    return found


def kill(pid: int) -> None:
    """End a leaked child, so that the next test does not meet it."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def thread_is_alive(native_id: int | None) -> bool:
    """Whether a thread of this process exists for the kernel."""
    return native_id is None or Path(f"/proc/self/task/{native_id}").exists()


def open_files() -> dict[str, int]:
    """Targets of this process's file descriptors, with how often each is open."""
    found: dict[str, int] = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:  # the descriptor of this very listing
            continue
        found[target] = found.get(target, 0) + 1
    return found


def mapped_shared_memory() -> dict[str, int]:
    """Shared memory (memfd, /dev/shm) mapped into this process, with how many mappings each has."""
    found: dict[str, int] = {}
    with Path("/proc/self/maps").open() as lines:
        for line in lines:
            name = line[73:].strip() if len(line) > 73 else ""
            if is_shared_memory(name):
                found[name] = found.get(name, 0) + 1
    return found


def is_shared_memory(target: str) -> bool:
    """Whether a link target of /proc/self/fd or a name in /proc/self/maps is shared memory that a program made."""
    if target.startswith("/memfd:"):
        return not target.startswith("/memfd:libffi")  # code of ctypes callbacks, kept by libffi for good
    return target.startswith("/dev/shm/")


def abandoned_shared_memory() -> set[str]:
    """Files in /dev/shm of this user that no process has open or mapped."""
    try:
        mine = {str(p) for p in Path("/dev/shm").iterdir() if p.is_file() and p.stat().st_uid == os.getuid()}
    except OSError:
        return set()
    for process in Path("/proc").glob("[0-9]*"):
        if not mine:
            break
        try:
            text = (process / "maps").read_text()
            held = {str(fd.readlink()) for fd in (process / "fd").iterdir()}
        except OSError:  # ended meanwhile, or not ours to look into
            continue
        mine = {name for name in mine if name not in text and name not in held}
    return mine
