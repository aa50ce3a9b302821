"""Two hundred machines on one host, in the real window: listed by one call, an event shows at once, nothing stalls."""

from __future__ import annotations

from pathlib import Path

import libvirt

from confvm_gui.app.bench.call_count import counted_calls
from confvm_gui.domain.instance import InstanceState
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.inventory import list_domains
from confvm_gui.providers.libvirt.provider import LibvirtProvider
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.stall_watchdog import StallWatchdog
from tests.support.embedded_window import embedded_window
from tests.support.libvirt_rig import HURRY, fleet_file
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.runners import Run
from tests.support.shell_driver import until

MANY = 200


def shown_state(window: ShellWindow, instance_id: str) -> InstanceState | None:
    """Of the machine's row in the table."""
    row = window.model.row_of(instance_id)
    return window.model.instance_at(row).state if row is not None else None


async def test_the_list_takes_as_many_calls_for_one_machine_as_for_two_hundred(libvirtd: Daemon) -> None:
    connection = LibvirtConnection(libvirtd.uri, patience=HURRY)
    await connection.open(at_once=True)
    try:
        numbers: list[int] = []
        for machines in (1, MANY):

            def define(conn: libvirt.virConnect, machines: int = machines) -> None:
                for number in range(len(conn.listAllDomains()), machines):
                    conn.defineXML(tiny_domain(f"vm-{number}"))

            await connection.call(define)
            with counted_calls() as calls:
                rows = await connection.call(list_domains)
                numbers.append(calls.total())
            assert len(rows) == machines
        assert numbers == [1, 1]
    finally:
        await connection.aclose()


def test_a_window_with_two_hundred_machines_does_not_stall_and_shows_an_event(
    qasync_run: Run, data_dir: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        watchdog = StallWatchdog()
        uri = fleet_file(tmp_path, MANY)
        async with embedded_window(data_dir) as opened:
            session, window = opened.session, opened.window
            assert session.hosts is not None
            watchdog.start()
            try:
                entry = await session.hosts.add(uri)
                await until(lambda: window.model.rowCount() == MANY, "all of them in the table")
                assert len({instance.id for instance in session.inventory.all()}) == MANY
                machine = session.inventory.find("vm-117", entry.name)
                assert machine.state is InstanceState.RUNNING
                # The test driver lives in this process: another connection to the same file would be another host.
                provider = session.providers[entry.name]
                assert isinstance(provider, LibvirtProvider)
                await provider.connection.call(lambda conn: conn.lookupByName("vm-117").suspend())
                await until(lambda: shown_state(window, machine.id) is InstanceState.PAUSED, "the event in the table")
            finally:
                watchdog.stop()
            report = watchdog.report()
            assert report.longest_own_ms < 50, [stall.stack for stall in report.stalls]

    qasync_run(scenario(), timeout=50)
