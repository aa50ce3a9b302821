"""The tools of the memory panel: search, bookmarks, snapshots, copies, exports and maps."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QAbstractItemModel, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from confvm_gui.domain.memory import MemoryRegion, PageKind, Viewer
from confvm_gui.fleet.memory.bookmarks import Bookmark
from confvm_gui.fleet.memory.needle import Pattern
from confvm_gui.fleet.memory.search import Hit
from confvm_gui.ui.panels.memory.bookmarks import BookmarksModel
from confvm_gui.ui.panels.memory.hits_model import HitsModel
from confvm_gui.ui.panels.memory.measure import measure_repaint
from tests.support.fake_memory import FakeMachine
from tests.support.memory_bench import opened
from tests.support.runners import Run

SECRET = "Nadia Lindqvist"


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


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
