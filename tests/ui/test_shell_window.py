"""The window as its user meets it: keyboard, mouse, fleet, page, jobs, questions, end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget

from confvm_gui.domain.errors import CapacityExceeded
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.fleet.inventory import ProviderStatus
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.preferences import COLUMNS, GEOMETRY, SAVED_SEARCHES, SORT, THEME
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until


def _click(
    opened: Opened, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, x: int = 120
) -> None:
    view = opened.window.fleet.view
    place = view.visualRect(opened.window.model.index(row, 0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(x, place.center().y()))


_INTERNAL = ("QScrollArea", "QTabBar", "QComboBoxListView")
"""Parts of Qt's own widgets that are named by what they belong to."""


def _names(opened: Opened) -> list[str]:
    model = opened.window.model
    return [model.instance_at(row).name for row in range(model.rowCount())]


def test_the_fleet_is_there_with_the_window(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance(f"web-{at}") for at in range(5)]) as opened:
            assert opened.window.isVisible()
            assert _names(opened) == [f"web-{at}" for at in range(5)]
            assert opened.window.focusWidget() is opened.window.fleet.view
            assert not opened.window.page_shown

    qasync_run(scenario())


def test_an_empty_fleet_tells_what_to_do(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            (button,) = [one for one in opened.window.fleet.findChildren(QPushButton) if "Ctrl+N" in one.text()]
            assert button.isVisible()
            button.click()
            await until(lambda: opened.window.wizard is not None, "the wizard")

    qasync_run(scenario())


def test_a_click_opens_the_page_and_the_arrow_keys_walk(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance(f"web-{at}") for at in range(5)]) as opened:
            _click(opened, 1)
            page = opened.window.instance_page
            assert page.isVisible()
            assert page.name.text() == "web-1"
            QTest.keyClick(opened.window.fleet.view, Qt.Key.Key_Down)
            assert page.name.text() == "web-2"
            opened.window.actions_.maximize.trigger()
            assert not opened.window.fleet.isVisible()
            opened.window.actions_.close_page.trigger()
            assert opened.window.fleet.isVisible()
            assert not opened.window.page_shown

    qasync_run(scenario())


def test_marks_by_keyboard_and_mouse(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance(f"web-{at}") for at in range(6)]) as opened:
            window = opened.window
            _click(opened, 0, x=15)
            _click(opened, 2, Qt.KeyboardModifier.ControlModifier)
            assert [one.name for one in window.model.marked()] == ["web-0", "web-2"]
            _click(opened, 4, Qt.KeyboardModifier.ShiftModifier)
            assert [one.name for one in window.model.marked()] == ["web-0", "web-2", "web-3", "web-4"]
            assert not window.page_shown
            assert window.fleet.bulk is not None
            assert window.fleet.bulk.isVisible()
            QTest.keyClick(window.fleet.view, Qt.Key.Key_Escape)
            assert window.model.marked_count == 0
            window.fleet.view.selectRow(1)
            QTest.keyClick(window.fleet.view, Qt.Key.Key_Space)
            QTest.keyClick(window.fleet.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
            assert [one.name for one in window.model.marked()] == ["web-1", "web-2"]
            QTest.keyClick(window.fleet.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            assert window.model.marked_count == 6

    qasync_run(scenario())


def test_bulk_stop_asks_inside_the_window_and_does_it(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance(f"web-{at}") for at in range(4)]) as opened:
            window = opened.window
            window.model.mark([0, 1, 2], True)
            stop = window.findChild(QToolButton, "bulk-stop")
            assert stop is not None
            stop.click()
            banner = window.banners.banner("confirm")
            assert banner is not None
            assert "3 instances" in banner.label.text()
            assert banner.action_button is not None
            banner.action_button.click()
            await until(lambda: sum(i.state is InstanceState.STOPPED for i in opened.session.inventory.all()) == 3)
            await until(lambda: window.model.marked_count == 0)
            assert window.banners.banner("confirm") is None
            assert len(opened.session.jobs.recent()) == 3

    qasync_run(scenario())


def test_delete_can_be_declined(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            opened.window.fleet.view.selectRow(0)
            opened.window.actions_.on_instances[OperationKind.DELETE].trigger()
            banner = opened.window.banners.banner("confirm")
            assert banner is not None
            QTest.keyClick(banner, Qt.Key.Key_Escape)
            assert opened.window.banners.banner("confirm") is None
            assert not opened.session.jobs.recent()

    qasync_run(scenario())


def test_a_deleted_instance_takes_its_page_along(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0"), make_instance("web-1")]) as opened:
            window = opened.window
            _click(opened, 0)
            window.actions_.on_instances[OperationKind.DELETE].trigger()
            banner = window.banners.banner("confirm")
            assert banner is not None
            assert banner.action_button is not None
            banner.action_button.click()
            await until(lambda: _names(opened) == ["web-1"])
            assert not window.page_shown
            assert window.fleet.view.current_id == ""

    qasync_run(scenario())


def test_actions_follow_the_state_of_what_is_chosen(qasync_run: Run) -> None:
    async def scenario() -> None:
        stopped = make_instance("a", state=InstanceState.STOPPED)
        async with open_shell([stopped]) as opened:
            actions = opened.window.actions_.on_instances
            assert not actions[OperationKind.START].isEnabled()
            opened.window.fleet.view.selectRow(0)
            assert actions[OperationKind.START].isEnabled()
            assert not actions[OperationKind.STOP].isEnabled()
            opened.provider.change(replace(stopped, state=InstanceState.PAUSED))
            await until(actions[OperationKind.RESUME].isEnabled)
            assert actions[OperationKind.RESUME].isVisible()
            assert not actions[OperationKind.PAUSE].isVisible()

    qasync_run(scenario())


def test_a_failed_job_is_told_with_its_reason(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("a", state=InstanceState.STOPPED)]) as opened:
            opened.provider.fail_next = CapacityExceeded("The host has no free ASID; stop a confidential instance")
            opened.window.fleet.view.selectRow(0)
            opened.window.perform(OperationKind.START)
            await until(lambda: opened.window.banners.banner("jobs") is not None)
            banner = opened.window.banners.banner("jobs")
            assert banner is not None
            assert "no free ASID" in banner.label.text()
            assert banner.action_button is not None
            banner.action_button.click()
            assert opened.window.jobs_shown
            assert opened.session.jobs.recent()[0].status is OperationStatus.FAILED

    qasync_run(scenario())


def test_current_row_and_place_survive_changes_and_filters(qasync_run: Run) -> None:
    async def scenario() -> None:
        fleet = [make_instance(f"web-{at:03}") for at in range(300)]
        async with open_shell(fleet) as opened:
            view, model = opened.window.fleet.view, opened.window.model
            view.set_current(fleet[200].id)
            bar = view.verticalScrollBar()
            bar.setValue(5000)
            top = model.instance_at(view.rowAt(0)).id
            model.apply([make_instance("aaa"), replace(fleet[210], load=1.9)], [fleet[3].id, fleet[4].id])
            assert model.instance_at(view.rowAt(0)).id == top
            assert model.instance_at(view.currentIndex().row()).id == fleet[200].id
            opened.window.fleet.filter.set_text("web-29")
            assert view.current_id == fleet[200].id
            assert not view.currentIndex().isValid()
            opened.window.fleet.filter.set_text("")
            assert model.instance_at(view.currentIndex().row()).id == fleet[200].id

    qasync_run(scenario())


def test_a_wrong_filter_is_told_at_the_field_and_changes_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance(f"web-{at}") for at in range(5)]) as opened:
            field = opened.window.fleet.filter
            QTest.keyClicks(field.edit, "web-1")
            assert _names(opened) == ["web-1"]
            field.set_text("web-1 foo:x")
            assert "no filter" in field.error.text()
            assert field.error.isVisible()
            assert _names(opened) == ["web-1"]
            QTest.keyClick(field.edit, Qt.Key.Key_Escape)
            assert len(_names(opened)) == 5
            assert not field.error.isVisible()

    qasync_run(scenario())


def test_searches_columns_and_sorting_are_kept(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            window = opened.window
            window.fleet.view.show_column(FleetColumn.LABELS, True)
            window.fleet.view.show_column(FleetColumn.IMAGE, False)
            window.fleet.view.sortByColumn(4, Qt.SortOrder.DescendingOrder)
            await until(lambda: COLUMNS in opened.store.settings.values)
            window.fleet.filter.set_text("state:running")
            menu = window.fleet._searches_menu()
            menu.actions()[0].trigger()
            menu.deleteLater()
            assert window.fleet.saved_searches() == ["state:running"]
            kept = dict(opened.store.settings.values)
        assert kept[SAVED_SEARCHES] == ["state:running"]
        assert kept[SORT] == ["load", "descending"]
        async with open_shell([make_instance("web-0")], settings=kept) as opened:
            shown = [column for column, _ in opened.window.fleet.view.columns()]
            assert FleetColumn.LABELS in shown
            assert FleetColumn.IMAGE not in shown
            assert opened.window.model.sort_column is FleetColumn.LOAD
            assert opened.window.model.descending

    qasync_run(scenario())


def test_damaged_settings_are_put_up_with(qasync_run: Run) -> None:
    async def scenario() -> None:
        damaged: dict[str, object] = {
            COLUMNS: [["name", "wide"], 3, ["nonsense", 4], ["state"]],
            SORT: ["name"],
            SAVED_SEARCHES: {"a": 1},
            THEME: "mauve",
            GEOMETRY: "%%%",
            "fleet.group-by": "nonsense",
        }
        async with open_shell([make_instance("web-0")], settings=damaged) as opened:
            assert [column for column, _ in opened.window.fleet.view.columns()] == [FleetColumn.NAME]

    qasync_run(scenario())


def test_groups_count_and_filter(qasync_run: Run) -> None:
    async def scenario() -> None:
        fleet = [make_instance(f"web-{at}", labels={"env": "prod" if at else "test"}) for at in range(3)]
        async with open_shell(fleet) as opened:
            groups = opened.window.fleet.groups
            groups.set_group("label:env")
            chips = [chip.text() for chip in groups.findChildren(QPushButton)]
            assert chips == ["prod  2", "test  1"]
            groups.findChildren(QPushButton)[1].click()
            assert opened.window.fleet.filter.text == "label:env=test"
            assert _names(opened) == ["web-0"]

    qasync_run(scenario())


def test_a_read_only_console_says_so_and_changes_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        reason = "Another console has this data directory open"
        async with open_shell([make_instance("web-0")], readonly_reason=reason) as opened:
            banner = opened.window.banners.banner("readonly")
            assert banner is not None
            assert reason in banner.label.text()
            status = ProviderStatus("embedded", "Embedded", True, False, "Shown as it is written down.")
            opened.session.inventory.provider_changes.emit(status)
            assert opened.window.banners.banner("provider-embedded") is None  # the other banner has said why
            opened.window.fleet.view.selectRow(0)
            assert not any(action.isEnabled() for action in opened.window.actions_.on_instances.values())
            opened.window.new_instance()
            assert opened.window.wizard is None

    qasync_run(scenario())


def test_a_provider_that_does_not_answer_is_told(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            status = ProviderStatus("embedded", "This computer", True, False, "the engine does not start")
            opened.session.inventory.provider_changes.emit(status)
            banner = opened.window.banners.banner("provider-embedded")
            assert banner is not None
            assert "the engine does not start" in banner.label.text()
            opened.session.inventory.provider_changes.emit(replace(status, connected=True, message=""))
            assert opened.window.banners.banner("provider-embedded") is None

    qasync_run(scenario())


def test_the_palette_finds_commands_and_instances(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0"), make_instance("ledger")]) as opened:
            opened.window.show_palette()
            palette = opened.window._palette
            assert palette is not None
            QTest.keyClicks(palette.edit, "ledg")
            QTest.keyClick(palette.edit, Qt.Key.Key_Return)
            assert opened.window.instance_page.name.text() == "ledger"
            assert palette.isHidden()
            opened.window.show_palette()
            QTest.keyClicks(palette.edit, "sett")
            QTest.keyClick(palette.edit, Qt.Key.Key_Return)
            assert opened.window.page == "settings"

    qasync_run(scenario())


def test_closing_with_running_emulated_instances_asks_first(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            window = opened.window
            window.close()
            assert window.isVisible()
            banner = window.banners.banner("close")
            assert banner is not None
            assert banner.action_button is not None
            closed: list[bool] = []
            window.closed.connect(lambda: closed.append(True))
            banner.action_button.click()
            assert closed
            assert not window.isVisible()
            assert GEOMETRY in opened.store.settings.values

    qasync_run(scenario())


def test_everything_that_can_be_operated_has_a_name(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            window = opened.window
            window.open_instance(make_instance("web-0").id)
            for tab in ("overview", "console", "events", "attestation"):
                window.show_tab(tab)
            for key in ("events", "evidence", "guardrails", "settings", "help", "about"):
                window.show_page(key)
            window.show_jobs()
            await asyncio.sleep(0)
            nameless = []
            for widget in window.findChildren(QWidget):
                if widget.focusPolicy() is Qt.FocusPolicy.NoFocus or isinstance(widget, QLabel):
                    continue
                interface = QAccessible.queryAccessibleInterface(widget)
                if interface is None or widget.metaObject().className() in _INTERNAL:
                    continue
                if not interface.text(QAccessible.Text.Name) and not widget.objectName().startswith("qt_"):
                    nameless.append(f"{widget.metaObject().className()} {widget.objectName()}")
            assert not nameless

    qasync_run(scenario())


def test_a_thousand_changes_a_second_do_not_stall(qasync_run: Run) -> None:
    async def scenario() -> None:
        from confvm_gui.ui.stall_watchdog import StallWatchdog

        fleet = [make_instance(f"web-{at}") for at in range(3000)]
        async with open_shell(fleet) as opened:
            await until(lambda: opened.window.model.rowCount() == len(fleet))
            opened.window.fleet.view.sortByColumn(4, Qt.SortOrder.DescendingOrder)
            await asyncio.sleep(0.05)
            watchdog = StallWatchdog()
            watchdog.start()
            for turn in range(10):
                for at in range(100):
                    opened.session.inventory.observe(replace(fleet[(turn * 100 + at) % 3000], load=(turn + at) / 200))
                await asyncio.sleep(0.1)
            watchdog.stop()
            assert watchdog.report().longest_own_ms < 50, watchdog.report()

    qasync_run(scenario())


def test_shortcuts_are_unique(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell() as opened:
            used = [action.shortcut().toString() for action in opened.window.actions_.all() if action.shortcut()]
            assert len([one for one in used if one]) == len({one for one in used if one})

    qasync_run(scenario())


def test_an_unknown_key_goes_on_to_the_window(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F9, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(opened.window.fleet.view, event)
            assert not event.isAccepted()

    qasync_run(scenario())


def test_the_window_loads_nothing_heavy_before_it_is_seen() -> None:
    code = "import sys, confvm_gui.ui.shell; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "pyqtgraph", "cryptography", "sqlite3", "unicorn", "confvm_gui.ui.wizard.wizard"}
    assert not heavy & set(loaded)
