"""The window's parts at the widths that they get: small screens, narrow tables, long names."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea

from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_model import COLUMNS
from confvm_gui.ui.on_screen import fitting
from confvm_gui.ui.panels.overview.panel import OverviewPanel
from confvm_gui.ui.preferences import COLUMNS as COLUMNS_SETTING
from confvm_gui.ui.text import breakable
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

_LONG = "x" * 63


def _visible(opened: Opened) -> list[FleetColumn]:
    view = opened.window.fleet.view
    return [column for at, column in enumerate(COLUMNS) if not view.isColumnHidden(at)]


def test_a_window_is_not_made_larger_than_the_screen(qapp: QApplication) -> None:
    screen = QGuiApplication.primaryScreen()
    free = screen.availableGeometry().size()
    cut = fitting(QSize(90_000, 90_000), screen)
    assert cut.width() <= free.width()
    assert cut.height() <= free.height()
    assert fitting(QSize(90, 60), screen) == QSize(90, 60)
    assert fitting(QSize(90, 60), None) == QSize(90, 60)


def test_a_narrow_fleet_leaves_out_its_last_columns_and_keeps_them_chosen(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            view = opened.window.fleet.view
            opened.window.resize(1500, 800)
            await until(lambda: FleetColumn.PROVIDER in _visible(opened))
            chosen = [column for column, _ in view.columns()]
            opened.window.resize(1280, 800)
            opened.window.open_instance(make_instance("web-0").id)
            await until(lambda: FleetColumn.PROVIDER not in _visible(opened))
            assert _visible(opened)[:2] == [FleetColumn.NAME, FleetColumn.STATE]
            assert view.columnWidth(0) >= 190
            assert sum(view.columnWidth(at) for at in range(len(COLUMNS))) <= view.viewport().width()
            assert [column for column, _ in view.columns()] == chosen
            view.layout_changed.emit()
            await until(lambda: COLUMNS_SETTING in opened.store.settings.values)
            opened.window.close_instance()
            opened.window.resize(1500, 800)
            await until(lambda: set(_visible(opened)) == set(chosen))
            kept = dict(opened.store.settings.values)
        async with open_shell([make_instance("web-0")], settings=kept) as opened:
            assert opened.window.fleet.view.adaptive

    qasync_run(scenario())


def test_a_width_set_by_hand_brings_every_chosen_column_back(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([make_instance("web-0")]) as opened:
            view = opened.window.fleet.view
            opened.window.open_instance(make_instance("web-0").id)
            await until(lambda: FleetColumn.PROVIDER not in _visible(opened))
            view.horizontalHeader().resizeSection(0, 150)
            assert FleetColumn.PROVIDER in _visible(opened)
            assert view.columnWidth(0) == 150
            assert not view.adaptive

    qasync_run(scenario())


def test_a_long_name_does_not_force_the_overview_wide(qasync_run: Run) -> None:
    async def scenario() -> None:
        long = make_instance(_LONG, labels={"team": "y" * 63})
        async with open_shell([long]) as opened:
            opened.session.events.record("instance.running", f"{_LONG} is running", subject=long.id)
            opened.window.open_instance(long.id, "overview")
            panel = opened.window.instance_page.panel("overview")
            assert isinstance(panel, OverviewPanel)
            await until(lambda: any(breakable(_LONG) in label.text() for label in panel.findChildren(QLabel)))
            (area,) = panel.findChildren(QScrollArea)
            await until(lambda: area.horizontalScrollBar().maximum() == 0)

    qasync_run(scenario())


def test_the_overview_calls_image_and_cloud_by_their_titles(qasync_run: Run) -> None:
    async def scenario() -> None:
        one = make_instance("web-0")
        async with open_shell([one]) as opened:
            opened.window.open_instance(one.id, "overview")
            panel = opened.window.instance_page.panel("overview")
            assert isinstance(panel, OverviewPanel)
            text = "\n".join(label.text() for label in panel.facts.findChildren(QLabel))
            assert "Ubuntu 20.04 LTS (ubuntu-2004-lts)" in text
            assert "europe-west1-b (Google Cloud)" in text

    qasync_run(scenario())


def test_long_words_get_places_to_wrap_and_lose_nothing() -> None:
    assert breakable("short words stay") == "short words stay"
    assert breakable(_LONG).replace("\u200b", "") == _LONG
    assert max(len(part) for part in breakable(_LONG).split("\u200b")) <= 24
