"""The wizard's models and its map."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListView, QTableView
from pytestqt.qtbot import QtBot

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.fleet.launch import ForcedSetting
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.draft import Step
from confvm_gui.ui.wizard.forced_list import ForcedList
from confvm_gui.ui.wizard.label_text import labels_line, parse_labels
from confvm_gui.ui.wizard.machine_table import MEMORY, NAME, VCPUS, MachineRow, MachineTable, memory_text
from confvm_gui.ui.wizard.preview_table import PreviewTable
from confvm_gui.ui.wizard.region_map import MapPoint, RegionMap, miller, unmiller, world_position
from confvm_gui.ui.wizard.steps import StepModel, StepState
from tests.support.wizard_session import real_catalog


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


CHOICES = [
    Choice("b", "Beta", "second", (Badge("SEV"),)),
    Choice("x", "Xi", "third", (), "Xi lacks the flag SEV_CAPABLE"),
    Choice("a", "Alpha", "first", (Badge("SEV"), Badge("TDX"))),
]


def titles(model: ChoiceModel) -> list[str]:
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_choices_show_what_fits_first_and_the_reason_of_the_rest(qtmodeltester: ModelCheck, qtbot: QtBot) -> None:
    model = ChoiceModel()
    model.set_choices(CHOICES)
    qtmodeltester.check(model)
    assert titles(model) == ["Beta", "Alpha", "Xi"]
    unfit = model.index_of("x")
    assert unfit.data(Qt.ItemDataRole.ToolTipRole) == "Xi lacks the flag SEV_CAPABLE"
    assert "lacks the flag" in str(unfit.data(Qt.ItemDataRole.AccessibleTextRole))
    model.set_filter("tdx al")
    assert titles(model) == ["Alpha"]
    assert not model.index_of("x").isValid()
    model.set_filter("nothing like it")
    assert model.rowCount() == 0
    assert model.total() == 3


def test_a_new_reason_does_not_move_the_view(qtbot: QtBot) -> None:
    model = ChoiceModel()
    model.set_choices(CHOICES)
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged):
        model.set_choices([replace(choice, subtitle="new") for choice in CHOICES])


def test_choices_can_be_drawn(qtbot: QtBot) -> None:
    model = ChoiceModel()
    model.set_choices(CHOICES)
    frame = QListView()
    qtbot.addWidget(frame)
    view = choice_view(model, frame)
    view.setCurrentIndex(model.index_of("a"))
    for width in (60, 200, 500):
        view.resize(width, 200)
        assert not view.grab().isNull()


def machine_rows() -> list[MachineRow]:
    entries = real_catalog().machine_types("gce")
    return [MachineRow(entry, "" if entry.series == "n2d" else "another series") for entry in entries]


def machine_names(model: MachineTable) -> list[str]:
    return [str(model.index(row, NAME).data()) for row in range(model.rowCount())]


def test_machine_types_sort_and_filter_with_the_unfit_last(qtmodeltester: ModelCheck, qtbot: QtBot) -> None:
    model = MachineTable()
    model.set_rows(machine_rows())
    qtmodeltester.check(model)
    model.sort(VCPUS, Qt.SortOrder.DescendingOrder)
    fitting = [name for name in machine_names(model) if name.startswith("n2d")]
    assert machine_names(model)[: len(fitting)] == fitting
    assert fitting[0] in ("n2d-standard-224", "n2d-highcpu-224")
    model.sort(MEMORY, Qt.SortOrder.AscendingOrder)
    assert machine_names(model)[0] == "n2d-highcpu-2"
    model.set_filter("8vcpu 32gib", "")
    assert "n2d-standard-8" in machine_names(model)
    model.set_filter("4vcpu", "n2d")
    assert all(name.endswith("-4") for name in machine_names(model))
    model.set_filter("", "c3d")
    assert machine_names(model)
    assert all(name.startswith("c3d") for name in machine_names(model))


def test_sorting_takes_the_current_row_along(qtbot: QtBot) -> None:
    model = MachineTable()
    model.set_rows(machine_rows())
    view = QTableView()
    qtbot.addWidget(view)
    view.setModel(model)
    view.setCurrentIndex(model.index_of("n2d-standard-64"))
    model.sort(VCPUS, Qt.SortOrder.DescendingOrder)
    row = model.row(view.currentIndex())
    assert row is not None
    assert row.machine_type.name == "n2d-standard-64"


def test_memory_is_written_as_clouds_do() -> None:
    assert [memory_text(mebibytes) for mebibytes in (512, 1024, 1536, 896 * 1024)] == [
        "512 MiB",
        "1 GiB",
        "1.5 GiB",
        "896 GiB",
    ]


def test_the_preview_shows_texts_as_they_are(qtmodeltester: ModelCheck, qtbot: QtBot) -> None:
    model = PreviewTable()
    model.show_rows(("name", "age"), (False, True), (("Ada", "36"), ("short",)))
    qtmodeltester.check(model)
    assert model.index(0, 1).data() == "36"
    assert model.index(1, 1).data() == ""
    assert model.headerData(1, Qt.Orientation.Horizontal) == "age"


def test_steps_that_cannot_be_reached_are_disabled(qtmodeltester: ModelCheck, qtbot: QtBot) -> None:
    model = StepModel({step: step.name for step in Step})
    qtmodeltester.check(model)
    states = dict.fromkeys(Step, StepState.AHEAD)
    states[Step.WHERE], states[Step.MACHINE] = StepState.ATTENTION, StepState.OPEN
    model.show_states(states, dict.fromkeys(Step, ""), Step.WHERE)
    enabled = [bool(model.index(row, 0).flags() & Qt.ItemFlag.ItemIsEnabled) for row in range(6)]
    assert enabled == [True, True, False, False, False, False]
    assert "needs attention" in str(model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole))


@given(latitude=st.floats(-80, 84))
def test_the_projection_and_its_inverse_agree(latitude: float) -> None:
    assert unmiller(miller(latitude)) == pytest.approx(latitude, abs=1e-6)


def test_places_lie_where_they_should() -> None:
    iowa, singapore, sydney = (world_position(*place) for place in ((41.3, -95.9), (1.35, 103.8), (-33.9, 151.2)))
    assert iowa.x() < singapore.x() < sydney.x()
    assert iowa.y() < singapore.y() < sydney.y()
    assert 0 < world_position(64.0, -179.9).x() <= 1


POINTS = [
    MapPoint("us", "Iowa", 41.3, -95.9, True),
    MapPoint("eu", "Eemshaven", 53.4, 6.8, True),
    MapPoint("asia", "Singapore", 1.35, 103.8, False, "not offered"),
]


def shown_map(qtbot: QtBot) -> RegionMap:
    view = RegionMap()
    qtbot.addWidget(view)
    view.resize(640, 300)
    view.set_points(POINTS)
    view.show()
    return view


def test_a_click_near_a_point_picks_it_and_elsewhere_nothing(qtbot: QtBot) -> None:
    view = shown_map(qtbot)
    picked: list[str] = []
    view.picked.connect(picked.append)
    QTest.mouseClick(
        view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, view.position_of("eu") + QPoint(3, 2)
    )
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(320, 290))
    assert picked == ["eu"]
    assert view.selected() == "eu"
    assert "Eemshaven" in view.accessibleDescription()


def test_the_arrow_keys_go_to_the_neighbour(qtbot: QtBot) -> None:
    view = shown_map(qtbot)
    view.select("us")
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.selected() == "eu"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.selected() == "asia"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.selected() == "asia"
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert view.selected() == "eu"


def test_zooming_keeps_the_place_and_stays_within_the_world(qtbot: QtBot) -> None:
    view = shown_map(qtbot)
    view.select("eu")
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.zoom() > 1
    assert view.rect().contains(view.position_of("eu"))
    view.set_zoom(1000, QPointF(0, 0))
    assert view.zoom() <= 6
    view.select("asia")
    assert view.rect().contains(view.position_of("asia"))
    QTest.keyClick(view, Qt.Key.Key_0)
    assert view.zoom() == 1
    assert all(view.rect().contains(view.position_of(point.key)) for point in POINTS)
    assert not view.grab().isNull()


def test_dragging_moves_the_map_and_picks_nothing(qtbot: QtBot) -> None:
    view = shown_map(qtbot)
    view.set_zoom(3)
    picked: list[str] = []
    view.picked.connect(picked.append)
    before = view.position_of("eu")
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, before)
    QTest.mouseMove(view, before + QPoint(40, 10))
    QTest.mouseMove(view, before + QPoint(60, 10))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, before + QPoint(60, 10))
    assert view.position_of("eu") != before
    assert picked == []


def test_the_land_lies_under_the_cities(qtbot: QtBot) -> None:
    """Every region of the catalogue is within a few dots of land: the hand-made outlines are good enough."""
    view = shown_map(qtbot)
    dots = view.land_dots()
    assert len(dots) > 1000
    regions = [region for cloud in real_catalog().clouds for region in real_catalog().regions(cloud)]
    points = [MapPoint(region.name, region.title, region.latitude, region.longitude, True) for region in regions]
    view.set_points(points)
    for point in points:
        place = view.position_of(point.key)
        assert min((dot.toPoint() - place).manhattanLength() for dot in dots) < 20, point.key


def test_changes_are_told_to_screen_readers(qtbot: QtBot) -> None:
    view = ForcedList()
    qtbot.addWidget(view)
    view.show_settings([ForcedSetting("image", "windows-2022", "ubuntu-2404-lts-amd64", "It lacks the flag")])
    assert "Image: windows-2022 becomes ubuntu-2404-lts-amd64. It lacks the flag." in view.accessibleDescription()


@given(text=st.text(max_size=60))
def test_any_line_is_labels_or_a_refusal(text: str) -> None:
    try:
        labels = parse_labels(text)
    except InvalidInput:
        return
    assert parse_labels(labels_line(labels)) == labels


def test_labels_are_read_leniently_and_refused_clearly() -> None:
    assert parse_labels(" team=genomics ,, env = test ") == {"team": "genomics", "env": "test"}
    for bad, word in (("team", "equals"), ("a=1,a=2", "twice"), ("Team=x", "not legal")):
        with pytest.raises(InvalidInput, match=word):
            parse_labels(bad)
