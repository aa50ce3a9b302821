"""The anchor: the last signed head of a log, kept outside of its data directory.

Signatures within the log show that it was altered; they do not show that the whole data directory was replaced by an
older copy of itself, in which all signatures are valid. What was the end of the log once is therefore also written to a
file in another place: the user's state directory, named after the data directory's path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path

from confvm_gui.domain.errors import StoreError
from confvm_gui.domain.event import AuditHead, Checkpoint

_MOST_BYTES = 4096


def state_dir() -> Path:
    """Where this user's programs keep what must last and is no data, by the custom of the operating system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(base) / "confvm-console-state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "confvm-console-state"
    return Path(os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")) / "confvm-console"


class AnchorFile:
    """The anchor of one data directory. All calls block."""

    def __init__(self, data_dir: Path, folder: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(data_dir.expanduser().absolute().resolve())).hexdigest()[:32]
        self.path = (folder or state_dir() / "anchors") / f"{name}.json"

    def read(self) -> Checkpoint | None:
        """None where there is none. Raises StoreError for one that cannot be read or is none."""
        try:
            with self.path.open("rb") as file:
                values = json.loads(file.read(_MOST_BYTES))
            head = AuditHead(int(values["sequence"]), str(values["hash"]))
            bytes.fromhex(values["key"])
            return Checkpoint(head, float(values["at"]), str(values["key"]), str(values["signature"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"The anchor {self.path} cannot be read: {error.strerror or error}") from error
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StoreError(f"The anchor {self.path} is damaged") from error

    def write(self, anchor: Checkpoint) -> None:
        """All of it or nothing, whenever the console is killed. Raises StoreError."""
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(checkpoint_to_mapping(anchor), file)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.path)
        except OSError as error:
            raise StoreError(f"The anchor {self.path} cannot be written: {error.strerror or error}") from error
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def remove(self) -> None:
        """Forget it. Raises StoreError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The anchor {self.path} cannot be removed: {error.strerror or error}") from error


def checkpoint_to_mapping(checkpoint: Checkpoint) -> dict[str, object]:
    """JSON-able; also the detail of the record that holds it."""
    return {
        "sequence": checkpoint.head.sequence,
        "hash": checkpoint.head.hash,
        "at": checkpoint.at,
        "key": checkpoint.key,
        "signature": checkpoint.signature,
    }
