"""What the open window shows of a host whose daemon dies, comes back, and changes meanwhile."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest
from PySide6.QtWidgets import QLabel

from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.providers.libvirt import connection
from confvm_gui.ui.shell import ShellWindow
from tests.support.embedded_window import EmbeddedWindow, embedded_window
from tests.support.libvirt_rig import HURRY
from tests.support.libvirtd import Daemon, tiny_domain
from tests.support.runners import Run
from tests.support.shell_driver import until


def on_host(opened: EmbeddedWindow) -> dict[str, InstanceState]:
    """The rows of the table that are of libvirt hosts, by name; fails on a name that is there twice."""
    model = opened.window.model
    rows: list[Instance] = [model.instance_at(row) for row in range(model.rowCount())]
    found = [row for row in rows if row.provider != "embedded"]
    assert len({row.name for row in found}) == len(found)
    return {row.name: row.state for row in found}


def shown_texts(window: ShellWindow) -> str:
    return " ".join(label.text() for label in window.findChildren(QLabel) if label.isVisible())


def test_a_daemon_killed_and_restarted_under_the_open_window(
    qasync_run: Run, own_libvirtd: Daemon, data_dir: Path
) -> None:
    both = {"runs": InstanceState.RUNNING, "rests": InstanceState.STOPPED}
    conn = libvirt.open(own_libvirtd.uri)
    for name in both:
        conn.defineXML(tiny_domain(name))
    conn.lookupByName("runs").create()
    conn.close()

    async def scenario() -> None:
        async with embedded_window(data_dir, connect=[own_libvirtd.uri]) as opened:
            (host,) = (name for name in opened.session.providers if name != "embedded")
            await until(lambda: on_host(opened) == both, "the list")
            own_libvirtd.kill()
            await until(lambda: "does not answer" in shown_texts(opened.window), "the banner")
            said = shown_texts(opened.window)
            assert "was stopped or restarted" in said or "does not run" in said
            assert "not connected" in said
            assert on_host(opened) == both, "what was known stays"
            own_libvirtd.start_libvirtd()
            opened.session.inventory.retry(host)
            await until(lambda: "does not answer" not in shown_texts(opened.window), "the banner's end", 20)
            assert on_host(opened) == both
            # Events of the new connection come.
            aside = libvirt.open(own_libvirtd.uri)
            aside.lookupByName("runs").suspend()
            await until(lambda: on_host(opened)["runs"] is InstanceState.PAUSED, "an event of the new connection")
            aside.lookupByName("rests").undefine()
            aside.close()
            await until(lambda: set(on_host(opened)) == {"runs"}, "the removed row to go")

    qasync_run(scenario(), timeout=55)


def test_a_machine_that_goes_while_nobody_is_connected_goes_from_the_list(
    qasync_run: Run, own_libvirtd: Daemon, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon hangs; it is given up, and what another program does then is seen when it is back."""
    monkeypatch.setattr(connection, "Patience", lambda: HURRY)
    conn = libvirt.open(own_libvirtd.uri)
    for name in ("stays", "goes"):
        conn.defineXML(tiny_domain(name))
    conn.close()

    async def scenario() -> None:
        async with embedded_window(data_dir, connect=[own_libvirtd.uri]) as opened:
            (host,) = (name for name in opened.session.providers if name != "embedded")
            await until(lambda: set(on_host(opened)) == {"stays", "goes"}, "the list")
            own_libvirtd.hang()
            try:
                await until(lambda: "does not answer" in shown_texts(opened.window), "the banner", 30)
                assert set(on_host(opened)) == {"stays", "goes"}
            finally:
                own_libvirtd.go_on()
            aside = libvirt.open(own_libvirtd.uri)
            aside.lookupByName("goes").undefine()
            aside.close()
            opened.session.inventory.retry(host)
            await until(lambda: set(on_host(opened)) == {"stays"}, "the list of the new connection", 20)

    qasync_run(scenario(), timeout=55)
