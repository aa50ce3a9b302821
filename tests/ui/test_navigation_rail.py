"""The rail at the left: words where there is room for them, a tip where there is none, and what waits as a number."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from confvm_gui.ui.actions import PAGES
from confvm_gui.ui.navigation_rail import NavigationRail


def button(rail: NavigationRail, key: str) -> QToolButton:
    found = rail.findChild(QToolButton, f"rail-{key}")
    assert found is not None
    return found


def shown(qtbot: QtBot, height: int) -> NavigationRail:
    rail = NavigationRail()
    qtbot.addWidget(rail)
    rail.resize(rail.width(), height)
    rail.show()
    return rail


def test_there_is_a_button_for_every_page(qtbot: QtBot) -> None:
    rail = shown(qtbot, 900)
    assert {each.objectName() for each in rail.findChildren(QToolButton)} == {f"rail-{key}" for key in PAGES}


def test_words_go_where_there_is_no_room_and_stand_in_a_tip(qtbot: QtBot) -> None:
    rail = shown(qtbot, 900)
    access = button(rail, "access")
    assert access.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextUnderIcon
    assert access.toolTip() == ""
    rail.resize(rail.width(), rail.minimumSizeHint().height())
    assert access.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    assert access.toolTip() == "Access"
    last = button(rail, PAGES[-1])
    assert last.geometry().bottom() <= rail.rect().bottom(), "all of them can be reached"
    rail.resize(rail.width(), 900)
    assert access.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextUnderIcon


def test_what_waits_is_a_number_on_the_button(qtbot: QtBot) -> None:
    rail = shown(qtbot, 900)
    rail.set_badge("access", 3)
    badge = rail.findChild(QLabel, "badge-access")
    assert badge is not None
    assert (badge.isVisible(), badge.text()) == (True, "3")
    assert button(rail, "access").accessibleDescription() != ""
    rail.set_badge("access", 120)
    assert badge.text() == "99+"
    rail.set_badge("access", 0)
    assert not badge.isVisible()
    assert button(rail, "access").accessibleDescription() == ""
