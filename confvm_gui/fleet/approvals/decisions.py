"""Decisions of people whose console only reads, because another one has the data directory open.

Each is a file in `approvals/` of the data directory, which the console that writes takes in. Who decided is the owner
of the file, as the operating system keeps it: nobody but root can make a file of somebody else's. It holds the digest
of the request, so that a decision is about what was read and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from confvm_gui.domain.approval import Approval
from confvm_gui.domain.errors import StoreError, Unsupported

FOLDER = "approvals"
_LONGEST_FILE = 8192
_SUFFIX = ".decision"


@dataclass(frozen=True, slots=True)
class Decision:
    """One file."""

    path: Path
    approval_id: str
    approve: bool
    digest: str
    note: str
    uid: int
    """The file's owner."""
    at: float


def digest_of(approval: Approval) -> str:
    """SHA-256, hex, of what is asked."""
    asked = [approval.id, approval.kind, approval.subject, approval.title, dict(approval.intent), approval.asked_by]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def leave_decision(data_dir: Path, approval: Approval, *, approve: bool, note: str) -> Path:
    """Write one for the console that has the data directory open. Blocks; raises StoreError, Unsupported."""
    if sys.platform == "win32":
        raise Unsupported("On this system a request is decided in the console that has the data directory open")
    path = data_dir / FOLDER / f"{approval.id}-{os.getuid()}{_SUFFIX}"
    values = {"id": approval.id, "approve": approve, "digest": digest_of(approval), "note": note[:1000]}
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(
            f"The decision cannot be left in {path.parent}: {error.strerror or error}; ask the owner of the data "
            "directory to let your group write there"
        ) from error
    return path


def found_decisions(data_dir: Path) -> Iterator[Decision]:
    """All that wait. What is none is passed over. Blocks."""
    try:
        paths = sorted((data_dir / FOLDER).glob(f"*{_SUFFIX}"))
    except OSError:
        return
    for path in paths:
        try:
            # A link would show its target's owner: not followed.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            try:
                status = os.fstat(descriptor)
                values = json.loads(os.read(descriptor, _LONGEST_FILE)) if stat.S_ISREG(status.st_mode) else {}
            finally:
                os.close(descriptor)
            texts = [values[name] for name in ("id", "digest", "note")]
            if not all(isinstance(text, str) for text in texts) or not isinstance(values["approve"], bool):
                continue
            identifier, digest, note = texts
            yield Decision(path, identifier, values["approve"], digest, note, status.st_uid, status.st_mtime)
        except (OSError, ValueError, TypeError, KeyError):
            continue


def take_away(decision: Decision) -> None:
    """It was taken in. Blocks; raises nothing: what stays is refused as decided already."""
    try:
        decision.path.unlink(missing_ok=True)
    except OSError:
        return
