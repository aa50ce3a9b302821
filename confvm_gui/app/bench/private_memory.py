"""How much memory of this computer processes have for themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from confvm_gui.domain.errors import Unsupported

_COUNTED = ("RssAnon:", "RssFile:")


def private_bytes(pids: Iterable[int]) -> int:
    """Resident memory of the processes without what they share (proc_pid_status(5): RssAnon and RssFile).

    Guests' RAM is shared memory and so not in it. Raises Unsupported where the operating system does not tell.
    """
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise Unsupported("This operating system does not tell the memory of a process") from error
        fields = [line.split() for line in text.splitlines()]
        counted = [int(found[1]) for found in fields if found and found[0] in _COUNTED]
        if len(counted) != len(_COUNTED):
            raise Unsupported("This operating system does not tell the memory of a process")
        total += sum(counted) << 10
    return total
