"""`start-up`: from the start of the process to the window on the screen with its fleet in it.

Measured: `confvm-gui` as a fresh process over a data directory with stored instances, until its table has been painted
with them. Reference: a PySide6 program whose only window is empty, likewise, in the same run. Both paint into memory
(Qt's offscreen platform), both find compiled bytecode, as an installed program does, in a folder made for the run: a
first start of each, not counted, puts it there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import confvm_gui
from confvm_gui.app.bench.figure import Figure, Judged, Target, duration, in_turns
from confvm_gui.app.bench.fleet_rows import made_up_fleet
from confvm_gui.domain.errors import Transient, Unsupported
from confvm_gui.domain.instance import InstanceState
from confvm_gui.store import open_store

INSTANCES: Final = 50
ROUNDS: Final = 9
TIMEOUT: Final = 60.0
"""Seconds for one start and its end."""
TARGET: Final = Target(Judged.RATIO, 3.0, at_least=False)
_PROBE: Final = "confvm_gui.app.bench.window_probe"


def measure(instances: int = INSTANCES, rounds: int = ROUNDS) -> Figure:
    """Must be called where no event loop runs. Raises Transient if a window does not appear, StoreError."""
    if getattr(sys, "frozen", False):
        raise Unsupported("A frozen program has no Python to start a bare window with; measure from a checkout")
    with tempfile.TemporaryDirectory(prefix="confvm-bench-") as folder:
        root = Path(folder)
        environment = _environment(root)
        folders = iter(root / f"data-{number}" for number in range(rounds + 1))

        def console() -> float:
            return asyncio.run(_console(next(folders), instances, environment))

        def bare() -> float:
            return asyncio.run(_start("bare", "", environment))

        console()
        bare()
        found = in_turns(rounds, console, bare)
    return duration(
        "start-up",
        f"the window visible with its {instances} instances, from process start",
        "a bare PySide6 window, likewise",
        found,
        target=TARGET,
    )


def _environment(root: Path) -> Mapping[str, str]:
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(root / "bytecode")
    environment["QT_QPA_PLATFORM"] = "offscreen"
    environment["XDG_STATE_HOME"] = str(root / "state")  # what is kept of their logs goes with their folders
    here = str(Path(confvm_gui.__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (here, environment.get("PYTHONPATH", ""))))
    return environment


async def _console(folder: Path, instances: int, environment: Mapping[str, str]) -> float:
    # A new folder each time: the embedded provider knows none of these instances and has them forgotten.
    async with await open_store(folder) as store:
        store.instances.put(made_up_fleet(instances, state=InstanceState.STOPPED))
    return await _start("console", str(folder), environment)


async def _start(what: str, data_dir: str, environment: Mapping[str, str]) -> float:
    """Seconds from before the process existed to what it tells."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _PROBE,
        what,
        data_dir,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            output, complaints = await process.communicate()
    except TimeoutError as error:
        raise Transient(f"The window ({what}) did not appear and close within {TIMEOUT:.0f} seconds") from error
    finally:
        with suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
                await process.wait()
    try:
        return float(output.split()[0]) - began
    except (IndexError, ValueError) as error:
        last = complaints.decode(errors="replace").strip().rpartition("\n")[2]
        raise Transient(f"The window ({what}) did not appear: {last or 'it said nothing'}") from error
