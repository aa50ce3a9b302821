"""`confvm-gui --self-test`: does this installation work? The main job, small, with one line for each thing proven.

For installers and bundle builds: it needs no display and no data directory, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui import __version__
from confvm_gui.app.bootstrap import open_session
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import RecordsSpec
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.domain.records import parse_records
from confvm_gui.fleet.guest_ready import guest_ready
from confvm_gui.fleet.launch.plan import default_request
from confvm_gui.fleet.memory.needle import text_patterns
from confvm_gui.fleet.memory.search import search
from confvm_gui.fleet.records import SAMPLE_RECORDS
from confvm_gui.fleet.session import FleetSession

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

_SDKS: Final = (
    "libvirt",
    "pycdlib",
    "pysequoia",
    "pkcs11",
    "boto3",
    "google.cloud.kms_v1",
    "azure.keyvault.keys",
    "azure.identity",
)
"""What only some use: libvirt hosts, HSMs, keys in clouds."""


async def self_test(application: QApplication) -> int:
    """0 if everything holds; 1 with the reason on standard error."""
    from confvm_gui.ui.shell import ShellWindow

    _say(f"ConfVM Console {__version__}, Qt platform {application.platformName()}")
    with tempfile.TemporaryDirectory(prefix="confvm-self-test-") as folder:
        session = await open_session(Path(folder), workers=1, lasting=False)
        try:
            window = ShellWindow(session)
            window.show()
            await session.connect()
            await session.inventory.connected("embedded")
            _say("window, store, keys and engine: up")
            await _launch_and_look(session)
            _say(await asyncio.to_thread(_sdks))
            await window.aclose()
            window.close_for_good()
            window.deleteLater()
        except ConfvmError as error:
            sys.stderr.write(f"confvm-gui: self-test: {error.message}\n")
            return 1
        finally:
            await session.aclose()
    _say("self-test passed")
    return 0


async def _launch_and_look(session: FleetSession) -> None:
    request = replace(
        default_request(session.catalog, technology=Technology.SEV),
        name="self-test",
        technology=Technology.SEV,
        records=RecordsSpec(SAMPLE_RECORDS),
    )
    operation = await session.jobs.wait((await session.jobs.create(request)).id)
    if operation.status is not OperationStatus.SUCCEEDED:
        raise ConfvmError(f"the launch failed: {operation.error}")
    _say("confidential launch: measured, secret released, running")
    await guest_ready(session, operation.instance_id)
    _say("records: unlocked and indexed by the guest")
    text = parse_records(await asyncio.to_thread(SAMPLE_RECORDS.read_bytes)).rows[0][-1]
    found = {
        viewer: (await search(session.memory(operation.instance_id, viewer), text_patterns(text))).count
        for viewer in Viewer
    }
    if not found[Viewer.GUEST] or found[Viewer.HYPERVISOR]:
        raise ConfvmError(
            f"a record was found in {found[Viewer.GUEST]} places by the guest, {found[Viewer.HYPERVISOR]} by the host"
        )
    _say("memory: the guest has the record, the hypervisor cannot find it")
    deletion = (await session.jobs.act(OperationKind.DELETE, [operation.instance_id]))[0]
    await session.jobs.wait(deletion.id)
    verdict = await session.events.verify()
    if not verdict.intact:
        raise ConfvmError(f"the event log does not hold: {verdict.reason}")
    _say(f"event log: {verdict.records} events, chain whole")


def _sdks() -> str:
    """Which optional libraries can be loaded, and what stands in the way of the others: that is no failure."""
    here: list[str] = []
    lacking: list[str] = []
    for module in _SDKS:
        try:
            importlib.import_module(module)
        except ImportError as error:
            lacking.append(f"{module} ({error})")
        else:
            here.append(module)
    return f"optional libraries: {', '.join(here) or 'none'}" + (f"; without {', '.join(lacking)}" if lacking else "")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
