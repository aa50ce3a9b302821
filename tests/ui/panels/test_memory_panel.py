"""The memory panel as its user meets it: both views, live; nothing read when nobody looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from PySide6.QtCore import QAbstractItemModel, QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.memory import MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.memory.bookmarks import Bookmark
from confvm_gui.fleet.memory.needle import Pattern
from confvm_gui.fleet.memory.search import Hit
from confvm_gui.ui.panels.memory import MemoryPanel
from confvm_gui.ui.panels.memory.bookmarks import BookmarksModel
from confvm_gui.ui.panels.memory.colours import DARK, LIGHT
from confvm_gui.ui.panels.memory.hits_model import HitsModel
from confvm_gui.ui.panels.memory.measure import measure_repaint
from tests.support.fake_memory import FakeMachine, FakeMemorySession, busy_machine, fake_instance, work
from tests.support.runners import Run

SECRET = "Nadia Lindqvist"


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


class Bench:
    """A session with one machine, and a panel on it."""

    def __init__(self, *, confidential: bool = True) -> None:
        self.session = FakeMemorySession()
        self.machine = busy_machine(confidential=confidential)
        technology = Technology.SEV if confidential else Technology.NONE
        self.instance = fake_instance("records", technology=technology)
        self.session.add(self.instance, self.machine)
        self.panel = MemoryPanel(self.session)
        self.panel.resize(1280, 800)

    def label(self, name: str) -> str:
        found = self.panel.findChild(QLabel, name)
        assert isinstance(found, QLabel)
        return found.text()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the loop run until `condition` holds."""
        deadline = time.monotonic() + 8
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}; status: {self.label('memory-status')}"
            await asyncio.sleep(0.005)

    async def show(self) -> None:
        self.panel.show()
        self.panel.set_instance(self.instance.id)
        await self.until(lambda: bool(self.label("memory-guest-where")), "the guest's bytes are shown")


@asynccontextmanager
async def opened(*, confidential: bool = True, shown: bool = True) -> AsyncIterator[Bench]:
    bench = Bench(confidential=confidential)
    try:
        if shown:
            await bench.show()
        yield bench
    finally:
        await bench.panel.aclose()
        bench.panel.close()
        bench.panel.deleteLater()


# --- what is shown ---


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
            assert bench.panel.is_empty
            bench.machine.live = True
            bench.session.inventory.put(bench.instance)
            assert not bench.panel.is_empty
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


def test_the_secret_is_found_in_the_guest_and_not_by_the_host(qasync_run: Run, qtbot: QtBot) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.toolbar.search.trigger()
            QTest.keyClicks(panel.search.field, SECRET)
            async with asyncio.timeout(8):
                finished: asyncio.Event = asyncio.Event()
                panel.search.finished.connect(finished.set)
                QTest.mouseClick(panel.search.run, Qt.MouseButton.LeftButton)
                await finished.wait()
            guest, host = panel.search.result(Viewer.GUEST), panel.search.result(Viewer.HYPERVISOR)
            assert guest is not None
            assert host is not None
            assert (guest.count, host.count) == (1, 0)
            assert "The guest has it; the host cannot read it." in bench.label("memory-search-summary")
            assert panel.search.model.rowCount() == 1
            panel.search.table.clicked.emit(panel.search.model.index(0, 0))
            assert panel.position.cursor == 0x120000

    qasync_run(look())


def test_a_short_needle_is_said_to_prove_nothing(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.search.field.setText("ab")
            panel.search.start()
            await bench.until(lambda: panel.search.result(Viewer.GUEST) is not None, "both results")
            assert "This proves nothing" in bench.label("memory-search-summary")

    qasync_run(look())


def test_wrong_bytes_are_told_at_the_field_and_not_searched_for(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            search = bench.panel.search
            search.what.setCurrentIndex(1)
            search.field.setText("abc")
            assert "left over" in bench.label("memory-search-summary")
            assert not search.run.isEnabled()
            search.start()
            assert search.result(Viewer.GUEST) is None
            assert search.field.text() == "abc"

    qasync_run(look())


def test_a_cancelled_search_says_so(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            search = bench.panel.search
            search.field.setText("Patient")
            search.start()
            await asyncio.sleep(0)
            search.cancel()
            await bench.until(lambda: "Cancelled" in bench.label("memory-search-summary"), "the word for it")
            assert not search.stop.isEnabled()

    qasync_run(look())


# --- bookmarks, snapshot, clipboard, files ---


def test_a_bookmark_is_kept_and_found_again(qasync_run: Run, qtbot: QtBot) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.go_to(0x120010)
            panel.toolbar.bookmark.trigger()
            QTest.keyClicks(panel.bookmarks.name, "First record")
            QTest.keyClick(panel.bookmarks.name, Qt.Key.Key_Return)
            assert panel.bookmarks.model.bookmark(0) == Bookmark("First record", 0x120010)
            panel.go_to(0)
            panel.set_instance(None)
            panel.set_instance(bench.instance.id)
            panel.bookmarks.table.clicked.emit(panel.bookmarks.model.index(0, 0))
            assert panel.position.cursor == 0x120010
            panel.bookmarks.table.setCurrentIndex(panel.bookmarks.model.index(0, 0))
            QTest.mouseClick(panel.bookmarks.remove, Qt.MouseButton.LeftButton)
            assert panel.bookmarks.model.rowCount() == 0

    qasync_run(look())


def test_pages_changed_since_a_snapshot_are_counted_and_reached(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.toolbar.take_snapshot.trigger()
            await bench.until(lambda: panel.snapshot.taken, "the snapshot")
            bench.machine.write(0x125000, b"changed")
            changed = panel.snapshot.changed_pages
            await bench.until(lambda: all(changed(viewer) == 1 for viewer in Viewer), "the changed page")
            panel.snapshot.next.click()
            assert panel.position.cursor == 0x125000
            panel.snapshot.drop.click()
            assert not panel.snapshot.taken

    qasync_run(look())


def test_a_selection_is_copied_as_bytes_and_as_text(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel = bench.panel
            panel.position.select(0x120000, 0x12000E)
            panel.clipboard.copy_text(Viewer.GUEST)
            await bench.until(lambda: QGuiApplication.clipboard().text() == SECRET, "the text")
            panel.clipboard.copy_hex(Viewer.GUEST)
            await bench.until(lambda: QGuiApplication.clipboard().text() == SECRET.encode().hex(" "), "the bytes")
            panel.position.select(0, 2 << 20)
            panel.clipboard.copy_hex(Viewer.GUEST)
            await bench.until(lambda: "export it to a file" in bench.label("memory-status"), "the reason")

    qasync_run(look())


def test_an_export_is_written_and_recorded(qasync_run: Run, tmp_path: Path) -> None:
    async def look() -> None:
        async with opened() as bench:
            panel, path = bench.panel, tmp_path / "page.raw"
            panel.go_to(0x120123)
            panel.exporter.fill()
            assert any("Page at the cursor" in action.text() for action in panel.exporter.menu.actions())
            panel.exporter.write(Viewer.GUEST, "page", path)
            entry = ("memory.export", bench.instance.id)
            await bench.until(lambda: entry in bench.session.events.recorded, "the record")
            assert path.read_bytes() == bench.machine.page(0x120, Viewer.GUEST)[0]
            panel.exporter.write(Viewer.GUEST, "page", tmp_path / "absent" / "page.raw")
            await bench.until(lambda: "cannot be written" in bench.label("memory-status"), "the reason")

    qasync_run(look())


def test_the_maps_fill_as_ram_is_swept(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened() as bench:
            column = bench.panel.maps.column(Viewer.HYPERVISOR)
            await bench.until(lambda: "CIPHERTEXT" in column.totals.text(), "the amounts")
            sweep = bench.panel.panes[0].sweep
            assert sweep is not None
            await bench.until(lambda: sweep.passes > 0 and column.entropy.level_at(QPoint(4, 4)) is not None, "a map")
            column.entropy.chosen.emit(3)
            assert bench.panel.position.cursor == sorted(bench.machine.touched())[3] * 4096

    qasync_run(look())


# --- models and measuring ---


def test_the_models_keep_qts_rules(qtmodeltester: ModelCheck) -> None:
    hits = HitsModel()
    pattern = Pattern(b"abc", "UTF-8")
    qtmodeltester.check(hits)
    hits.add(Viewer.GUEST, (Hit(0x1000, pattern, PageKind.PLAINTEXT, b"before", b"\x00after"),))
    hits.add(Viewer.HYPERVISOR, (Hit(0x2000, pattern, PageKind.SHARED, b"", b""),) * 3)
    qtmodeltester.check(hits)
    assert hits.data(hits.index(0, 4)) == "beforeabc·after"
    hits.clear()
    assert hits.rowCount() == 0
    bookmarks = BookmarksModel()
    bookmarks.set_bookmarks([Bookmark("one", 1), Bookmark("two", 2)])
    qtmodeltester.check(bookmarks)


def test_the_measurement_leaves_nothing_behind(qapp: QApplication, asyncio_run: Run) -> None:
    figures = asyncio_run(measure_repaint(5))
    assert figures.rows >= 40
    assert figures.bytes_per_row >= 16
    assert 0 < figures.panel < figures.draw_text


def test_a_machine_of_any_size_is_shown_to_its_last_byte(qasync_run: Run) -> None:
    async def look() -> None:
        async with opened(shown=False) as bench:
            huge = FakeMachine([MemoryRegion(0, 3 << 30), MemoryRegion(2**52, 8 << 30)])
            huge.write(2**52 + (8 << 30) - 4, b"last")
            bench.session.machines[bench.instance.id] = huge
            bench.panel.show()
            bench.panel.set_instance(bench.instance.id)
            bench.panel.go_to(2**52 + (8 << 30) - 4)
            await bench.until(lambda: "“last”" in bench.label("memory-guest-values"), "the last bytes")
            assert "0x100001fffffffc" in bench.label("memory-guest-where")

    qasync_run(look())
