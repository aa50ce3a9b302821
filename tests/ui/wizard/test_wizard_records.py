"""Records in the wizard: what is wrong with a file is told at once, and a better one is one step away."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel, QLineEdit, QRadioButton, QTableView

from confvm_gui.ui.wizard.draft import Step
from tests.support.runners import Run
from tests.support.wizard_driver import WizardDriver, opened

GOOD = "patient,age,ward,stayed\n" + "".join(f"P{n},{20 + n},{'a' if n % 2 else 'b'},{n % 2}\n" for n in range(40))


def write_bad(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.csv"
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "binary":
            path.write_bytes(bytes(range(256)) * 20)
        case "ragged":
            path.write_text("a,b,c\n1,2,3\n1,2\n")
        case "header-only":
            path.write_text("a,b,c\n")
        case "huge":
            with path.open("wb") as file:
                file.truncate(1 << 30)  # sparse: a GiB that takes no room
        case "folder":
            path.mkdir()
        case _:
            pass  # missing
    return path


@pytest.mark.parametrize("kind", ["empty", "binary", "ragged", "header-only", "huge", "folder", "missing"])
def test_a_bad_file_is_one_clear_line_and_nothing_is_lost(qasync_run: Run, tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.type_text("name", "kept")
            await driver.to_data()
            bad = write_bad(kind, tmp_path)
            driver.type_text("records", str(bad))
            draft = driver.wizard.draft
            await driver.until(lambda: bool(draft.records_error), "the complaint")
            assert driver.find(QRadioButton, "useFile").isChecked()
            assert driver.text("recordsStatus") == draft.records_error == driver.reason()
            assert "\n" not in draft.records_error
            assert not driver.enabled("next")
            assert not driver.find(QTableView, "preview").isVisible()
            driver.click("back")
            driver.click("next")
            assert driver.find(QLineEdit, "records").text() == str(bad)
            good = tmp_path / "good.csv"
            good.write_text(GOOD)
            driver.type_text("records", str(good))
            await driver.until(lambda: driver.enabled("next"), "the good file")
            assert draft.request.records is not None
            assert draft.request.records.path == good
            assert draft.request.name == "kept"

    qasync_run(scenario())


def test_the_preview_shows_the_first_rows_and_the_columns_can_be_chosen(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            path = tmp_path / "good.csv"
            path.write_text(GOOD)
            driver.type_text("records", str(path))
            draft = driver.wizard.draft
            await driver.until(lambda: draft.summary is not None and draft.summary.path == path)
            model = driver.find(QTableView, "preview").model()
            assert [model.headerData(n, Qt.Orientation.Horizontal) for n in range(4)] == [
                "patient",
                "age",
                "ward",
                "stayed",
            ]
            assert model.index(1, 0).data() == "P1"
            index = driver.find(QComboBox, "indexColumn")
            assert "Automatic (patient)" in index.currentText()
            index.setFocus()
            for _ in range(3):
                QTest.keyClick(index, Qt.Key.Key_Down)
            await driver.until(lambda: draft.request.records is not None and not draft.records_busy)
            assert draft.request.records is not None
            assert draft.request.records.index_column == "ward"
            assert index.currentText() == "ward"

    qasync_run(scenario())


def test_a_column_that_will_not_do_is_told_and_another_can_be_taken(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            path = tmp_path / "good.csv"
            path.write_text(GOOD)
            driver.type_text("records", str(path))
            draft = driver.wizard.draft
            await driver.until(lambda: draft.summary is not None and draft.summary.path == path)
            label = driver.find(QComboBox, "labelColumn")
            label.setFocus()
            QTest.keyClick(label, Qt.Key.Key_Down)  # patient: a text with a value of its own in every row
            await driver.until(lambda: not draft.records_busy)
            if draft.records_error:
                assert driver.text("recordsStatus") == draft.records_error
                assert label.isVisible()
            QTest.keyClick(label, Qt.Key.Key_Up)
            await driver.until(lambda: driver.enabled("next"), "the automatic choice again")
            assert draft.request.records is not None
            assert draft.request.records.label_column is None

    qasync_run(scenario())


def test_no_records_is_a_choice_that_says_what_it_means(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            driver.click("noRecords")
            assert "nothing to index" in driver.text("recordsStatus")
            assert driver.enabled("next")
            assert driver.wizard.draft.request.records is None
            driver.click("useSample")
            await driver.until(lambda: driver.wizard.draft.request.records is not None)

    qasync_run(scenario())


def test_a_file_can_be_browsed_for(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            path = tmp_path / "good.csv"
            path.write_text(GOOD)
            driver.click("browse")
            dialog = driver.find(QFileDialog, "recordsDialog")
            dialog.fileSelected.emit(str(path))
            dialog.close()
            draft = driver.wizard.draft
            await driver.until(lambda: draft.summary is not None and draft.summary.path == path)
            assert driver.find(QLineEdit, "records").text() == str(path)

    qasync_run(scenario())


def drop(driver: WizardDriver, *paths: Path) -> None:
    page = driver.wizard.page(Step.DATA)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(page, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(page, QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_file_can_be_dropped_but_not_two(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            path = tmp_path / "good.csv"
            path.write_text(GOOD)
            draft = driver.wizard.draft
            drop(driver, path, tmp_path / "other.csv")
            assert "Drop one file" in driver.text("recordsStatus")
            assert not driver.enabled("next")
            drop(driver, path)
            await driver.until(lambda: draft.summary is not None and draft.summary.path == path)
            assert driver.enabled("next")

    qasync_run(scenario())


def test_a_plain_vm_is_told_that_its_records_can_be_read(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            texts = [label.text() for label in driver.wizard.page(Step.DATA).findChildren(QLabel)]
            assert any("the hypervisor can read every record" in text for text in texts)

    qasync_run(scenario())


def test_closing_while_a_check_runs_leaves_nothing_behind(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(4):
                driver.click("next")
            assert driver.wizard.draft.records_busy
            driver.wizard.accepted_request()

    qasync_run(scenario())
