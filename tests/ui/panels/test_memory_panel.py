"""The memory panel as its user meets it: both views, live; nothing read when nobody looks."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.ui.panels.memory.colours import DARK, LIGHT
from tests.support.fake_memory import busy_machine, fake_instance, work
from tests.support.memory_bench import opened
from tests.support.runners import Run

SECRET = "Nadia Lindqvist"


def test_both_views_say_what_they_are_and_who_has_them(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            bench.panel.go_to(0x120000)
            await bench.until(lambda: "0x00120000" in bench.label("memory-guest-where"), "the place")
            assert "PLAINTEXT" in bench.label("memory-guest-where")
            assert "0x00120000   CIPHERTEXT" in bench.label("memory-hypervisor-where")
            assert "Nadia Li" in bench.label("memory-guest-values")
            assert "Nadia" not in bench.label("memory-hypervisor-values")
            notes = [pane.note.text() for pane in bench.panel.panes]
            assert "administrator" in notes[0]
            assert "real hardware" in notes[1]
            assert "emulator" in notes[1]

    qasync_run(look())


def test_of_a_plain_vm_the_host_reads_everything(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened(confidential=False) as bench:
            bench.panel.go_to(0x120000)
            await bench.until(lambda: "Nadia Li" in bench.label("memory-hypervisor-values"), "the host's plaintext")
            assert "PLAINTEXT" in bench.label("memory-hypervisor-where")
            assert "The host reads everything of this VM" in bench.panel.panes[0].note.text()
            assert bench.session.events.recorded == []

    qasync_run(look())


def test_a_change_in_the_guest_is_shown_without_being_asked_for(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            bench.panel.go_to(0x120200)
            await bench.until(lambda: "0x00120200" in bench.label("memory-guest-where"), "the cursor's page")
            work(bench.machine, 7)
            await bench.until(lambda: "u8 7 " in bench.label("memory-guest-values"), "the first value")
            work(bench.machine, 8)
            await bench.until(lambda: "u8 8 " in bench.label("memory-guest-values"), "the next value")

    qasync_run(look())


def test_looking_at_plaintext_is_recorded_once_for_each_viewing(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            entry = ("memory.view-plaintext", bench.instance.id)
            assert bench.session.events.recorded == [entry]
            bench.panel.go_to(0x200000)
            bench.session.inventory.put(bench.instance)
            await asyncio.sleep(0.1)
            assert bench.session.events.recorded == [entry]
            bench.panel.hide()
            bench.panel.show()
            await bench.until(lambda: len(bench.session.events.recorded) == 2, "a second viewing")

    qasync_run(look())


def test_a_provider_without_the_guests_view_says_why_in_its_place(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened(shown=False) as bench:
            reason = "Nobody outside the guest can read its plaintext"
            bench.session.refusals[bench.instance.id, Viewer.GUEST] = Unsupported(reason)
            bench.panel.show()
            bench.panel.set_instance(bench.instance.id)
            await bench.until(lambda: bool(bench.label("memory-hypervisor-where")), "the hypervisor's bytes")
            shown = bench.panel.columns.pane(Viewer.GUEST).body.currentWidget()
            assert isinstance(shown, QLabel)
            assert shown.text() == reason
            assert not bench.panel.is_empty
            assert bench.session.events.recorded == []
            assert all(viewer is Viewer.HYPERVISOR for viewer, _, _ in bench.machine.reads)

    qasync_run(look())


def test_no_memory_at_all_is_an_empty_page_with_the_reason(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened(shown=False) as bench:
            panel = bench.panel
            panel.show()
            assert panel.is_empty
            for viewer in Viewer:
                bench.session.refusals[bench.instance.id, viewer] = Unsupported(
                    "A cloud shows nobody its machines' RAM"
                )
            panel.set_instance(bench.instance.id)
            assert panel.is_empty
            assert "A cloud shows nobody" in panel.empty_reason
            panel.set_instance("unknown")
            assert "no such instance" in panel.empty_reason
            panel.set_instance(None)
            assert "Choose an instance" in panel.empty_reason

    qasync_run(look())


def test_stopping_and_starting_the_instance_is_followed(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            bench.machine.live = False
            await bench.until(lambda: bench.panel.is_empty, "the empty page after the source said that it stopped")
            assert "stopped" in bench.panel.empty_reason
            bench.session.inventory.put(fake_instance("records", state=InstanceState.STOPPED))
            await bench.until(lambda: bench.panel.is_empty, "the empty page of what is stopped")
            bench.machine.live = True
            bench.session.inventory.put(bench.instance)
            await bench.until(lambda: not bench.panel.is_empty, "the memory of what runs again")
            await bench.until(lambda: bool(bench.label("memory-guest-where")), "bytes again")
            bench.session.inventory.put(fake_instance("records", state=InstanceState.STOPPED))
            assert "no memory until it is started" in bench.panel.empty_reason
            bench.session.inventory.remove(bench.instance.id)
            assert "Choose an instance" in bench.panel.empty_reason

    qasync_run(look())


# --- what is read ---


def test_a_hidden_panel_reads_nothing_and_leaves_no_task(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            bench.panel.hide()
            await asyncio.sleep(0.1)
            bench.machine.reads.clear()
            await asyncio.sleep(0.3)
            assert bench.machine.reads == []
            bench.panel.show()
            await bench.until(lambda: bool(bench.machine.reads), "reads again")

    qasync_run(look())


def test_a_closed_panel_listens_to_nothing(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            await bench.panel.aclose()
            await bench.panel.aclose()
            assert bench.session.inventory.listeners == []

    qasync_run(look())


def test_frozen_bytes_stay_as_they_are(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.go_to(0x120200)
            work(bench.machine, 7)
            await bench.until(lambda: "u8 7 " in bench.label("memory-guest-values"), "the value")
            panel.toolbar.freeze.trigger()
            work(bench.machine, 8)
            await bench.until(lambda: "Frozen" in bench.label("memory-status"), "the word for it")
            await asyncio.sleep(0.2)
            assert "u8 7 " in bench.label("memory-guest-values")
            panel.toolbar.freeze.trigger()
            await bench.until(lambda: "u8 8 " in bench.label("memory-guest-values"), "the new value")

    qasync_run(look())


def test_one_column_alone_reads_only_its_view(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened(shown=False) as bench:
            bench.panel.toolbar.viewers = (Viewer.HYPERVISOR,)
            bench.panel.show()
            bench.panel.set_instance(bench.instance.id)
            await bench.until(lambda: len(bench.machine.reads) > 10, "reads")
            assert {viewer for viewer, _, _ in bench.machine.reads} == {Viewer.HYPERVISOR}
            assert bench.session.events.recorded == []
            bench.panel.toolbar.viewers = tuple(Viewer)
            bench.panel.toolbar.view_changed.emit()
            await bench.until(lambda: bool(bench.session.events.recorded), "the record when the guest's view opens")

    qasync_run(look())


# --- moving ---


def test_an_address_is_checked_while_it_is_typed(qasync_run: Run, qtbot: QtBot) -> None:
    async def look() -> None:
        async with opened() as bench:
            field, before = bench.panel.toolbar.goto, bench.panel.position.cursor
            QTest.keyClicks(field, "0x99999999")
            assert "no RAM" in field.problem
            QTest.keyClick(field, Qt.Key.Key_Return)
            assert bench.panel.position.cursor == before
            field.clear()
            QTest.keyClicks(field, "0x120010")
            assert field.problem == ""
            QTest.keyClick(field, Qt.Key.Key_Return)
            assert bench.panel.position.cursor == 0x120010
            field.clear()
            QTest.keyClicks(field, "+f0")
            QTest.keyClick(field, Qt.Key.Key_Return)
            assert bench.panel.position.cursor == 0x120100

    qasync_run(look())


@pytest.mark.parametrize(("width", "height"), [(640, 420), (900, 600), (1280, 800), (1920, 1080)])
def test_both_columns_fit_and_stay_level_at_every_size(qasync_run: Run, width: int, height: int) -> None:
    async def look() -> None:
        async with opened() as bench:
            bench.panel.resize(width, height)
            await asyncio.sleep(0.05)
            views = [pane.view for pane in bench.panel.panes]
            assert views[0].mapTo(bench.panel, QPoint()).y() == views[1].mapTo(bench.panel, QPoint()).y()
            assert views[0].height() == views[1].height()
            if width >= 900:
                per_row = bench.panel.position.bytes_per_row
                assert all(view.width_for(per_row, 0) <= view.width() for view in views)
                assert per_row == (8 if width == 900 else 16)

    qasync_run(look())


def test_the_panel_begins_where_the_guest_works_and_remembers_each_place(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            assert panel.position.cursor == 0x200000
            other = bench.session.add(fake_instance("other"), busy_machine())
            panel.go_to(0x120040)
            panel.set_instance(other)
            assert panel.position.cursor == 0x200000
            panel.set_instance(bench.instance.id)
            assert panel.position.cursor == 0x120040

    qasync_run(look())


def test_the_dress_follows_the_system(qasync_run: Run, qapp: QApplication) -> None:
    async def look() -> None:
        async with opened() as bench:
            assert bench.panel.theme is LIGHT
            dark = QPalette(QColor(40, 44, 52))
            bench.panel.setPalette(dark)
            assert bench.panel.theme is DARK
            bench.panel.setPalette(QPalette())
            assert bench.panel.theme is LIGHT

    qasync_run(look())


# --- searching ---
