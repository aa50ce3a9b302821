"""The wizard as a window: refusals, leaving, steps, export, names, sizes and colours."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from confvm_gui.domain.errors import NameTaken, StoreFull
from confvm_gui.fleet.launch import load_request
from confvm_gui.ui.theme import ThemeChoice, theme_controller
from confvm_gui.ui.wizard import preload
from confvm_gui.ui.wizard.draft import Step
from tests.support.runners import Run
from tests.support.wizard_driver import LEFT, NO_KEY, opened
from tests.support.wizard_session import StandInSession


def test_a_refusal_goes_to_its_field_and_keeps_everything(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.type_text("name", "late")
            await driver.to_data()
            driver.click("next")
            driver.click("create")
            sent = driver.submitted[-1]
            driver.wizard.refuse(NameTaken("name", "Another instance is named late"))
            assert driver.wizard.current_step() is Step.WHERE
            assert "Another instance is named late" in driver.text("nameError")
            driver.type_text("name", "later")
            assert driver.text("nameError") == ""
            for _ in range(5):
                driver.click("next")
            driver.click("create")
            driver.wizard.refuse(StoreFull("There is no space left on the disk; free some and try again"))
            assert driver.wizard.current_step() is Step.REVIEW
            assert "no space left" in driver.reason()
            assert driver.submitted[-1].records == sent.records

    qasync_run(scenario())


def test_a_console_opened_for_reading_says_why_it_cannot_create(qasync_run: Run) -> None:
    async def scenario() -> None:
        reason = "Another console has this data directory open; this one only reads"
        async with opened(StandInSession(readonly=True, readonly_reason=reason)) as driver:
            await driver.to_data()
            driver.click("next")
            assert not driver.enabled("create")
            assert reason in driver.reason()

    qasync_run(scenario())


def test_cancelling_asks_only_when_something_would_be_lost(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.click("cancel")
            assert driver.cancelled == 1
            assert not driver.wizard.isVisible()
        async with opened() as driver:
            driver.type_text("name", "precious")
            QTest.keyClick(driver.wizard, Qt.Key.Key_Escape)
            assert driver.wizard.isVisible()
            driver.click("keepEditing")
            assert driver.find(QLineEdit, "name").text() == "precious"
            driver.wizard.close()
            assert driver.wizard.isVisible()
            driver.click("discard")
            assert not driver.wizard.isVisible()
            assert driver.cancelled == 1

    qasync_run(scenario())


def test_pages_are_built_when_they_are_first_visited(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            assert driver.wizard.findChild(QAbstractItemView, "wizard.machineType") is None
            driver.click("next")
            assert driver.find(QAbstractItemView, "machineType").isVisible()

    qasync_run(scenario())


def test_steps_can_be_clicked_as_far_as_they_are_reachable(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            steps = driver.find(QAbstractItemView, "steps")

            def click_step(step: Step) -> None:
                index = steps.model().index(int(step), 0)
                QTest.mouseClick(steps.viewport(), LEFT, NO_KEY, steps.visualRect(index).center())

            click_step(Step.REVIEW)
            assert driver.wizard.current_step() is Step.WHERE
            driver.click("next")
            driver.click("next")
            click_step(Step.WHERE)
            assert driver.wizard.current_step() is Step.WHERE
            click_step(Step.IMAGE)
            assert driver.wizard.current_step() is Step.IMAGE

    qasync_run(scenario())


def test_the_request_can_be_copied_and_saved(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            driver.click("next")
            driver.click("copy.gcloud")
            assert QApplication.clipboard().text() == driver.find(QPlainTextEdit, "export.gcloud").toPlainText()
            driver.click("saveRequest")
            dialog = driver.find(QFileDialog, "saveDialog")
            path = tmp_path / "request.toml"
            dialog.fileSelected.emit(str(path))
            dialog.close()
            assert load_request(path) == driver.wizard.draft.request

    qasync_run(scenario())


def test_labels_are_checked_where_they_are_typed(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            await driver.to_data()
            driver.click("next")
            driver.type_text("labels", "Team=x")
            assert "not legal" in driver.text("labelsError")
            assert not driver.enabled("create")
            driver.type_text("labels", "team=x")
            assert driver.text("labelsError") == ""
            assert driver.enabled("create")

    qasync_run(scenario())


def test_every_control_has_a_name_and_every_page_fits_a_small_window(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for step in Step:
                if step is not Step.WHERE:
                    driver.wizard.go_to(step)
                driver.wizard.resize(1000, 640)
                await driver.until(lambda: not driver.wizard.draft.records_busy)
                assert driver.wizard.width() <= 1000
                assert driver.wizard.height() <= 640
                assert driver.wizard.minimumSizeHint().width() <= 1000, step
                assert driver.wizard.minimumSizeHint().height() <= 640, step
                for widget in driver.wizard.findChildren(QWidget):
                    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
                        named = widget.accessibleName() or getattr(widget, "text", str)()
                        private = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox)
                        assert named or private, (step, widget, widget.objectName())

    qasync_run(scenario())


def test_colours_follow_the_theme_while_it_is_open(qasync_run: Run) -> None:
    async def scenario() -> None:
        controller = theme_controller()
        before = controller.choice
        try:
            controller.apply(ThemeChoice.LIGHT)
            async with opened() as driver:
                driver.type_text("name", "Bad")
                error = driver.find(QLabel, "nameError")
                light = error.palette().windowText().color()
                light_shot = driver.wizard.grab().toImage()
                controller.apply(ThemeChoice.DARK)
                await driver.until(lambda: error.palette().windowText().color() != light)
                assert driver.wizard.grab().toImage() != light_shot
        finally:
            controller.apply(before)

    qasync_run(scenario())


def test_preloading_imports_every_page(qasync_run: Run) -> None:
    async def scenario() -> None:
        await preload()
        assert "confvm_gui.ui.wizard.review_page" in sys.modules

    qasync_run(scenario())
