"""Heat map, histogram and the label that shortens itself."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from confvm_gui.ui.widgets.byte_histogram import ByteHistogram, HistogramColours
from confvm_gui.ui.widgets.elided_label import ElidedLabel
from confvm_gui.ui.widgets.heat_map import HeatMap, Ramp, join_max, join_mean

RAMP = Ramp(0x000001, 0x000002, (0x100000, 0xF00000), 0x00FF00, 0x0000FF)


def test_a_ramp_goes_from_its_first_stop_to_its_last() -> None:
    table = RAMP.colour_table()
    assert len(table) == 256
    assert table[:3] == [0xFF000001, 0xFF000002, 0xFF100000]
    assert table[255] == 0xFFF00000


def test_joining_leaves_out_what_is_not_on_the_ramp() -> None:
    levels = np.array([0, 1, 100, 200, 1, 1, 0, 0, 7], dtype=np.uint8)
    assert join_mean(levels, 4).tolist() == [150, 1, 7]
    assert join_max(levels, 4).tolist() == [200, 1, 7]


def test_a_click_chooses_the_first_level_of_a_cell(qtbot: QtBot) -> None:
    heat_map = HeatMap(RAMP)
    qtbot.addWidget(heat_map)
    heat_map.resize(62, 32)
    heat_map.set_levels(np.full(20_000, 9, dtype=np.uint8))
    heat_map.show()
    with qtbot.waitSignal(heat_map.chosen) as chosen:
        QTest.mouseClick(heat_map, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(2, 2))
    assert chosen.args == [0]
    with qtbot.waitSignal(heat_map.chosen) as chosen:
        QTest.mouseClick(heat_map, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 2))
    assert chosen.args == [100]
    assert heat_map.level_at(QPoint(61, 31)) is None


def test_keys_move_the_mark_over_the_map(qtbot: QtBot) -> None:
    heat_map = HeatMap(RAMP)
    qtbot.addWidget(heat_map)
    heat_map.resize(62, 32)
    heat_map.set_levels(np.full(200, 9, dtype=np.uint8))
    heat_map.set_mark(3, 3)
    with qtbot.waitSignal(heat_map.chosen) as chosen:
        QTest.keyClick(heat_map, Qt.Key.Key_Right)
    assert chosen.args == [4]


def test_tiny_and_empty_maps_are_painted(qtbot: QtBot) -> None:
    heat_map = HeatMap(RAMP)
    qtbot.addWidget(heat_map)
    heat_map.resize(3, 3)
    heat_map.set_levels(np.full(10, 5, dtype=np.uint8))
    assert not heat_map.grab().isNull()
    heat_map.resize(200, 80)
    heat_map.set_levels(np.zeros(0, dtype=np.uint8))
    assert heat_map.level_at(QPoint(5, 5)) is None
    assert not heat_map.grab().isNull()


def test_a_map_shows_the_colour_of_its_levels(qtbot: QtBot) -> None:
    heat_map = HeatMap(RAMP)
    qtbot.addWidget(heat_map)
    heat_map.resize(102, 52)
    heat_map.set_mark(-1, -1)
    heat_map.set_levels(np.array([255, 1], dtype=np.uint8))
    image = heat_map.grab().toImage()
    assert image.pixel(10, 10) == 0xFFF00000
    assert image.pixel(60, 10) == 0xFF000002


def test_a_histogram_has_a_bar_for_each_value(qtbot: QtBot) -> None:
    histogram = ByteHistogram(HistogramColours(0x123456, 0xFFFFFF, 0x0, 0xFF0000))
    qtbot.addWidget(histogram)
    histogram.resize(516, 80)
    counts = np.zeros(256, dtype=np.intp)
    counts[128] = 4096
    histogram.set_counts(counts)
    image = histogram.grab().toImage()
    assert image.pixel(2 + 256, 20) == 0xFF123456
    assert image.pixel(100, 20) == 0xFFFFFFFF


def test_a_label_that_does_not_fit_has_its_text_in_the_tooltip(qtbot: QtBot) -> None:
    label = ElidedLabel("A sentence that is far too long for the room it is given")
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.grab()
    assert label.toolTip() == label.text()
    label.resize(2000, 20)
    label.grab()
    assert label.toolTip() == ""
    assert label.minimumSizeHint().width() < 60
