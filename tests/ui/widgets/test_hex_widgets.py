"""Hex view and its parts: composing, scrolling, cursor, keys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QFont, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication
from pytestqt.qtbot import QtBot

from confvm_gui.ui.widgets.byte_palette import CLASSES, SELECTED, BytePalette, Ink
from confvm_gui.ui.widgets.glyph_atlas import GlyphAtlas, glyph_atlas
from confvm_gui.ui.widgets.hex_image import HexImage, HexLayout, HexRows
from confvm_gui.ui.widgets.hex_position import HexPosition
from confvm_gui.ui.widgets.hex_view import HexView
from confvm_gui.ui.widgets.long_scroll_bar import LARGEST, LongScrollBar, ScaledRange

PALETTE = BytePalette([Ink(0x101010 * (index % 8), 0xF0F0F0 - index) for index in range(CLASSES)], 0xFF0000, 0x00FF00)


def _rows(seed: int, rows: int = 12, per_row: int = 16) -> HexRows:
    random = np.random.default_rng(seed)
    return HexRows(
        np.arange(rows, dtype=np.uint64) * np.uint64(per_row) + np.uint64(0xFFFF_FFFF_0000_0000),
        random.integers(0, 256, (rows, per_row), dtype=np.uint8),
        random.integers(3, 16, (rows, per_row), dtype=np.uint8),
    )


def _pixels(image: QImage) -> NDArray[np.uint8]:
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


@pytest.fixture
def atlas(qapp: QApplication) -> GlyphAtlas:
    return glyph_atlas(QFont("monospace", 10), 1.0)


# --- palette and atlas ---


def test_a_colour_table_runs_from_paper_to_text() -> None:
    table = PALETTE.colour_table()
    assert len(table) == 256
    assert table[3 << 4] == 0xFF000000 | PALETTE.inks[3].paper
    assert table[3 << 4 | 15] == 0xFF000000 | PALETTE.inks[3].text
    with pytest.raises(ValueError, match="16 inks"):
        BytePalette([Ink(0, 0)], 0, 0)


def test_every_byte_has_a_cell_of_its_own(atlas: GlyphAtlas) -> None:
    lines = atlas.hexadecimal.transpose(1, 0, 2)
    assert len({cell.tobytes() for cell in lines[: 257 * CLASSES]}) == 257 * CLASSES
    assert (lines[5 * 257 + 0xAB] & 15 == lines[0xAB] & 15).all()
    assert (lines[5 * 257 + 0xAB] >> 4 == 5).all()


def test_an_atlas_is_drawn_once_for_a_font_and_screen(qapp: QApplication) -> None:
    assert glyph_atlas(QFont("monospace", 10), 2.0) is glyph_atlas(QFont("monospace", 10), 2.0)
    assert glyph_atlas(QFont("monospace", 10), 2.0).width > glyph_atlas(QFont("monospace", 10), 1.0).width


# --- composing ---


def test_composing_what_changed_gives_the_same_picture_as_composing_all(atlas: GlyphAtlas) -> None:
    layout = HexLayout(16, 16)
    stepwise = HexImage(atlas, layout, 14, PALETTE)
    stepwise.compose(_rows(1))
    before = _rows(1)
    data, classes = before.data.copy(), before.classes.copy()
    data[2, 5] ^= 1
    classes[9, 15] = 3
    changed = HexRows(before.addresses, data, classes)
    assert stepwise.compose(changed) == (2, 9)
    assert stepwise.compose(changed) is None
    at_once = HexImage(atlas, layout, 14, PALETTE)
    assert at_once.compose(changed) == (0, 13)
    assert (_pixels(stepwise.image) == _pixels(at_once.image)).all()


def test_fewer_rows_leave_the_rest_blank(atlas: GlyphAtlas) -> None:
    image = HexImage(atlas, HexLayout(8, 8), 10, PALETTE)
    image.compose(_rows(1, rows=10, per_row=8))
    image.compose(_rows(1, rows=3, per_row=8))
    assert (_pixels(image.image)[3 * atlas.height :] == 0).all()
    assert (_pixels(image.image)[: 3 * atlas.height] != 0).any()


def test_bytes_that_are_not_known_have_no_digits(atlas: GlyphAtlas) -> None:
    rows = _rows(1, rows=1, per_row=8)
    absent = np.zeros((1, 8), dtype=np.bool_)
    absent[0, 0] = True
    layout = HexLayout(8, 0)
    first, second = HexImage(atlas, layout, 1, PALETTE), HexImage(atlas, layout, 1, PALETTE)
    first.compose(HexRows(rows.addresses, rows.data, rows.classes, absent))
    other = rows.data.copy()
    other[0, 0] ^= 0xFF
    second.compose(HexRows(rows.addresses, other, rows.classes, absent))
    assert (_pixels(first.image) == _pixels(second.image)).all()


def test_rows_of_another_shape_are_refused(atlas: GlyphAtlas) -> None:
    with pytest.raises(ValueError, match="number of bytes"):
        HexImage(atlas, HexLayout(8, 8), 4, PALETTE).compose(_rows(1))
    with pytest.raises(ValueError, match="one address"):
        HexRows(np.zeros(2, dtype=np.uint64), np.zeros((3, 8), dtype=np.uint8), np.zeros((3, 8), dtype=np.uint8))


@given(st.sampled_from([8, 16, 32]), st.integers(0, 16))
def test_a_point_on_a_byte_finds_it_in_both_parts(per_row: int, digits: int) -> None:
    layout = HexLayout(per_row, digits)
    for index in range(per_row):
        assert layout.byte_at(layout.hex_column(index) + 1.5) == index
        assert layout.byte_at(layout.text_start + index + 0.5) == index
    assert layout.byte_at(-5) == 0
    assert layout.byte_at(10_000) == per_row - 1


# --- scroll bar ---


@given(st.integers(0, 2**64), st.data())
def test_any_range_maps_both_ways(maximum: int, data: st.DataObject) -> None:
    scale = ScaledRange(maximum)
    assert scale.to_step(0) == 0
    assert scale.to_step(maximum) == scale.steps <= LARGEST
    assert scale.from_step(scale.steps) == maximum
    low, high = sorted(data.draw(st.tuples(st.integers(0, maximum), st.integers(0, maximum))))
    assert 0 <= scale.to_step(low) <= scale.to_step(high) <= scale.steps
    step = data.draw(st.integers(0, scale.steps))
    assert scale.to_step(scale.from_step(step)) == step
    if maximum <= LARGEST:
        assert scale.from_step(scale.to_step(low)) == low


def test_the_scroll_bar_steps_exactly_in_a_huge_range(qtbot: QtBot) -> None:
    bar = LongScrollBar()
    qtbot.addWidget(bar)
    moved: list[object] = []
    bar.moved.connect(moved.append)
    bar.set_rows(2**60, 50, 2**59 + 7)
    bar.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepAdd)
    assert bar.row == 2**59 + 8
    bar.triggerAction(QAbstractSlider.SliderAction.SliderPageStepSub)
    assert bar.row == 2**59 + 8 - 49
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMaximum)
    assert bar.row == 2**60
    bar.triggerAction(QAbstractSlider.SliderAction.SliderToMinimum)
    assert moved == [2**59 + 8, 2**59 - 41, 2**60, 0]


def test_showing_a_position_is_no_move(qtbot: QtBot) -> None:
    bar = LongScrollBar()
    qtbot.addWidget(bar)
    with qtbot.assertNotEmitted(bar.moved):
        bar.set_rows(2**40, 50, 2**39)
        bar.set_rows(100, 50, 3)
    assert bar.value() == 3


# --- position ---


def _position(length: int = 1 << 40) -> HexPosition:
    position = HexPosition()
    position.set_length(length)
    position.set_visible_rows(10)
    return position


def test_the_view_follows_the_cursor(qapp: QApplication) -> None:
    position = _position()
    position.move_cursor((1 << 40) - 1)
    assert position.top == position.last_top == (1 << 36) - 10
    position.move_cursor(0)
    assert position.top == 0
    position.move_cursor(16 * 10)
    assert position.top == 1
    position.select(16 * 1000, 16 * 1000 + 7)
    assert position.top == 1000 - 2
    assert position.selection == (16000, 16008)


def test_a_shorter_range_pulls_the_position_back(qapp: QApplication) -> None:
    position = _position()
    position.move_cursor(1 << 39)
    position.set_length(64)
    assert (position.cursor, position.top) == (63, 0)
    position.set_length(0)
    assert position.selection == (0, 0)
    position.move_cursor(5)
    assert position.cursor == 0


def test_rewrapping_keeps_the_first_byte(qapp: QApplication) -> None:
    position = _position()
    position.scroll_to(1001)
    position.set_bytes_per_row(32)
    assert position.top == 500
    position.set_bytes_per_row(8)
    assert position.top == 2000


# --- the widget ---


@pytest.fixture
def view(qtbot: QtBot) -> HexView:
    position = _position(1 << 20)
    widget = HexView(position, PALETTE)
    # The position must live as long as its view.
    position.setParent(widget)
    qtbot.addWidget(widget)
    widget.resize(widget.width_for(16, 8) + 20, 300)
    widget.show()
    widget.set_rows(_rows(1, rows=20))
    return widget


def _position_of(view: HexView) -> HexPosition:
    found = view.findChild(HexPosition)
    assert isinstance(found, HexPosition)
    return found


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        ([Qt.Key.Key_Right], 33),
        ([Qt.Key.Key_Left], 31),
        ([Qt.Key.Key_Down], 48),
        ([Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up], 0),
        ([Qt.Key.Key_End], 47),
        ([Qt.Key.Key_Right, Qt.Key.Key_Home], 32),
        ([Qt.Key.Key_PageDown], 32 + 9 * 16),
        ([Qt.Key.Key_PageDown, Qt.Key.Key_PageUp], 32),
    ],
)
def test_keys_move_the_cursor(view: HexView, qtbot: QtBot, keys: list[Qt.Key], cursor: int) -> None:
    position = _position_of(view)
    position.move_cursor(32)
    for key in keys:
        QTest.keyClick(view, key)
    assert position.cursor == cursor
    assert not position.has_selection


def test_control_home_and_end_go_to_the_ends(view: HexView, qtbot: QtBot) -> None:
    QTest.keyClick(view, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert _position_of(view).cursor == (1 << 20) - 1
    QTest.keyClick(view, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert _position_of(view).cursor == 0


def test_shift_extends_and_escape_ends_a_selection(view: HexView, qtbot: QtBot) -> None:
    for _ in range(3):
        QTest.keyClick(view, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert _position_of(view).selection == (0, 4)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not _position_of(view).has_selection


def test_the_mouse_marks_bytes_that_are_then_drawn_as_selected(view: HexView, qtbot: QtBot) -> None:
    position = _position_of(view)
    row = view.height() // view.fitting_rows()
    start, end = QPoint(view.width_for(0, 8), row // 2), QPoint(view.width_for(8, 8) - 8 * 9, row + row // 2)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert position.cursor == view.offset_at(start)
    before = view.grab().toImage()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, end)
    assert position.has_selection
    after = view.grab().toImage()
    paper = QColor.fromRgb(PALETTE.inks[SELECTED].paper).rgb()
    assert _count(after, paper) > 200 > _count(before, paper)


def _count(image: QImage, colour: int) -> int:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), dtype=np.uint32)
    return int((pixels == np.uint32(colour)).sum())


def test_the_wheel_scrolls_and_with_control_asks_for_another_size(view: HexView, qtbot: QtBot) -> None:
    position = _position_of(view)

    def turn(amount: int, modifiers: Qt.KeyboardModifier) -> None:
        middle = QPointF(20, 20)
        event = QWheelEvent(
            middle,
            QPointF(view.mapToGlobal(middle)),
            QPoint(),
            QPoint(0, amount),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view, event)

    turn(-120, Qt.KeyboardModifier.NoModifier)
    assert position.top == 3
    for _ in range(4):
        turn(-10, Qt.KeyboardModifier.NoModifier)
    assert position.top == 4
    with qtbot.waitSignal(view.zoomed) as asked:
        turn(120, Qt.KeyboardModifier.ControlModifier)
    assert asked.args == [view.font_size + 1]
    rows = view.fitting_rows()
    view.set_font_size(20)
    assert view.fitting_rows() < rows


def test_screen_readers_hear_what_it_is(view: HexView) -> None:
    view.setAccessibleName("What the hypervisor sees")
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.role() == QAccessible.Role.StaticText
    assert interface.text(QAccessible.Text.Name) == "What the hypervisor sees"


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_every_pixel_is_painted_at_every_scale(view: HexView, monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    monkeypatch.setattr(view, "devicePixelRatioF", lambda: ratio)
    view.resize(view.width_for(16, 8) + 40, 300)
    view.set_rows(_rows(2, rows=40))
    image = QImage(round(view.width() * ratio), round(view.height() * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    never = 0xFF123457
    image.fill(never)
    view.render(image)
    assert _count(image, never) == 0
