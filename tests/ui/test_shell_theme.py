"""Contrast of both themes, and that a theme reaches the application."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from confvm_gui.resource_files import resources_dir
from confvm_gui.ui.icons import bind_icon, icon, pixmap
from confvm_gui.ui.text import STATE_MARKS, TRUST_MARKS
from confvm_gui.ui.theme import DARK, LIGHT, Theme, ThemeChoice, contrast, stylesheet, theme_controller

_GROUNDS = ("window", "surface", "raised", "accent_soft", "marked")
_TEXTS = ("text", "muted", "success", "warning", "danger", "confidential")
_ON = [
    ("on_accent", "accent"),
    ("on_danger", "danger"),
    ("success", "success_soft"),
    ("warning", "warning_soft"),
    ("danger", "danger_soft"),
    ("confidential", "confidential_soft"),
    ("text", "success_soft"),
    ("text", "warning_soft"),
    ("text", "danger_soft"),
    ("accent", "surface"),
    ("accent", "window"),
    ("accent", "accent_soft"),
]


def test_contrast_is_what_the_standard_defines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_has_the_contrast_of_wcag_aa(theme: Theme) -> None:
    pairs = [(text, ground) for text in _TEXTS for ground in _GROUNDS] + _ON
    poor = {
        (text, ground): round(contrast(getattr(theme, text), getattr(theme, ground)), 2)
        for text, ground in pairs
        if contrast(getattr(theme, text), getattr(theme, ground)) < 4.5
    }
    assert not poor


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_edges_of_controls_have_the_contrast_of_wcag_aa(theme: Theme) -> None:
    for ground in ("window", "surface"):
        assert contrast(theme.control_border, getattr(theme, ground)) >= 3
        assert contrast(theme.accent, getattr(theme, ground)) >= 3


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_style_sheet_is_complete(theme: Theme) -> None:
    sheet = stylesheet(theme)
    assert "@" not in sheet
    for path in re.findall(r"url\(([^)]+)\)", sheet):
        assert (resources_dir() / path).is_file()


def test_every_state_has_a_shape_of_its_own_or_a_word_beside_it(qapp: QApplication) -> None:
    for name, _role in [*STATE_MARKS.values(), *(mark for mark in TRUST_MARKS.values() if mark[0])]:
        assert not pixmap(name, "#000000", 16).isNull()
    shapes = [name for name, _ in STATE_MARKS.values() if name != "busy"]
    assert len(shapes) == len(set(shapes))


def test_all_icons_can_be_drawn(qapp: QApplication) -> None:
    for path in (resources_dir() / "icons").glob("*.svg"):
        drawn = pixmap(path.stem, "#123456", 20).toImage()
        assert any(drawn.pixelColor(x, y).alpha() for x in range(20) for y in range(20)), path.name


def test_icons_follow_the_theme(qtbot: QtBot) -> None:
    controller = theme_controller()
    controller.apply(ThemeChoice.LIGHT)
    button = QToolButton()
    qtbot.addWidget(button)
    bind_icon(button, "start")
    light = button.icon().cacheKey()
    with qtbot.waitSignal(controller.changed):
        controller.apply(ThemeChoice.DARK)
    assert button.icon().cacheKey() != light
    assert button.icon().cacheKey() == icon("start").cacheKey()
    assert QApplication.palette().color(QPalette.ColorRole.Window).name() == DARK.window
    controller.withdraw()
