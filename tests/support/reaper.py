"""Runs a command and reaps whatever its descendants leave orphaned; ends when all have ended.

    python reaper.py PID_FILE COMMAND …

The tests' own process adopts orphans and looks at them only at the end. A libvirtd below it would wait for its ended
QEMU processes, which stay zombies until their parent reaps them; so they get this parent.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def main(pid_file: str, command: list[str]) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        os.execvp(command[0], command)
    Path(pid_file).write_text(str(child))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
