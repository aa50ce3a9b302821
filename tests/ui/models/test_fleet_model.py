"""The fleet model: Qt's own model tester, and that marks and the current row stay with their instances."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from confvm_gui.domain.instance import InstanceState
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.models.fleet_filter import parse_filter
from confvm_gui.ui.models.fleet_model import COLUMNS, INSTANCE_ROLE, LOAD_CHUNK, FleetModel
from tests.support.fake_provider import make_instance


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


def _shown(model: FleetModel) -> list[str]:
    return [model.instance_at(row).name for row in range(model.rowCount())]


def test_qt_finds_no_fault(qtbot: QtBot, qtmodeltester: ModelCheck) -> None:
    model = FleetModel()
    model.load([make_instance(f"i-{at}") for at in range(12)])
    qtmodeltester.check(model)


_NAMES = [f"n-{at}" for at in range(9)]
_step = st.one_of(
    st.tuples(st.just("put"), st.lists(st.sampled_from(_NAMES), max_size=4), st.sampled_from(list(InstanceState))),
    st.tuples(st.just("remove"), st.lists(st.sampled_from(_NAMES), max_size=3), st.none()),
    st.tuples(st.just("filter"), st.sampled_from(["", "n-1", "state:running", "-state:running", "zz"]), st.none()),
    st.tuples(st.just("sort"), st.sampled_from(range(len(COLUMNS))), st.booleans()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_step, max_size=25))
def test_any_history_keeps_qt_and_persistent_indexes_right(qapp: QApplication, steps: list[tuple[object, ...]]) -> None:
    model = FleetModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.load([make_instance(name) for name in _NAMES[:5]])
    held = {model.instance_at(row).id: QPersistentModelIndex(model.index(row, 0)) for row in range(model.rowCount())}
    present = {name: make_instance(name) for name in _NAMES[:5]}
    text = ""
    for what, value, more in steps:
        if what == "put" and isinstance(value, list) and isinstance(more, InstanceState):
            changed = [make_instance(name, state=more) for name in dict.fromkeys(value)]
            present.update({instance.name: instance for instance in changed})
            model.apply(changed, ())
        elif what == "remove" and isinstance(value, list):
            for name in value:
                if present.pop(name, None) is not None:
                    held.pop(make_instance(name).id, None)
            model.apply((), [make_instance(name).id for name in value])
        elif what == "filter" and isinstance(value, str):
            text = value
            before = set(_shown(model))
            model.set_filter(parse_filter(value))
            for name in before - set(_shown(model)):
                held.pop(make_instance(name).id, None)
        elif isinstance(value, int):
            order = Qt.SortOrder.DescendingOrder if more else Qt.SortOrder.AscendingOrder
            model.sort(value, order)
        shown = set(_shown(model))
        expected = {
            name
            for name, instance in present.items()
            if text == ""
            or (text == "n-1" and "n-1" in name)
            or (text == "state:running" and instance.state is InstanceState.RUNNING)
            or (text == "-state:running" and instance.state is not InstanceState.RUNNING)
        }
        assert shown == expected
        for instance_id, index in list(held.items()):
            if not index.isValid():
                # It was hidden by a change of state under a filter; Qt gives the index up then.
                del held[instance_id]
            else:
                assert model.instance_at(index.row()).id == instance_id
    del tester


def test_sorting_both_ways(qapp: QApplication) -> None:
    model = FleetModel()
    model.load([make_instance("web-10", load=0.1), make_instance("web-9", load=0.9), make_instance("a", load=0.5)])
    assert _shown(model) == ["a", "web-9", "web-10"]
    model.sort(COLUMNS.index(FleetColumn.LOAD), Qt.SortOrder.DescendingOrder)
    assert _shown(model) == ["web-9", "a", "web-10"]


def test_marks_survive_filters_updates_and_sorting(qapp: QApplication) -> None:
    model = FleetModel()
    fleet = [make_instance(f"i-{at}") for at in range(6)]
    model.load(fleet)
    assert model.setData(model.index(2, 0), Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    model.mark([4], True)
    model.set_filter(parse_filter("i-4"))
    assert [instance.name for instance in model.marked()] == ["i-2", "i-4"]
    assert model.marked_hidden() == 1
    model.apply([replace(fleet[2], load=1.0)], [fleet[4].id])
    model.set_filter(parse_filter(""))
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert [instance.name for instance in model.marked()] == ["i-2"]
    model.mark_all_shown(True)
    assert model.all_shown_marked()
    model.clear_marks()
    assert model.marked_count == 0


def test_a_new_row_in_a_freed_slot_has_no_mark(qapp: QApplication) -> None:
    model = FleetModel()
    old = make_instance("old")
    model.load([old, make_instance("other")])
    model.mark(range(2), True)
    model.apply([make_instance("new")], [old.id])
    assert [instance.name for instance in model.marked()] == ["other"]
    assert _shown(model) == ["new", "other"]


def test_a_large_fleet_is_taken_in_over_several_turns(qtbot: QtBot) -> None:
    model = FleetModel()
    fleet = [make_instance(f"i-{at}") for at in range(LOAD_CHUNK * 3 + 1)]
    random.Random(3).shuffle(fleet)
    with qtbot.waitSignal(model.loaded):
        model.load(fleet)
        assert model.rowCount() == LOAD_CHUNK
        assert model.total == len(fleet)
    assert model.rowCount() == len(fleet)


def test_what_is_removed_while_waiting_does_not_come(qtbot: QtBot) -> None:
    model = FleetModel()
    fleet = [make_instance(f"i-{at}") for at in range(LOAD_CHUNK + 5)]
    with qtbot.waitSignal(model.loaded):
        model.load(fleet)
        model.apply((), [fleet[-1].id])
    assert model.rowCount() == len(fleet) - 1


def test_cells_say_everything_in_words(qapp: QApplication) -> None:
    model = FleetModel()
    model.load([make_instance("i", state_reason="because", state=InstanceState.CRASHED, load=1.0)])

    def cell(column: FleetColumn, role: Qt.ItemDataRole) -> object:
        return model.index(0, COLUMNS.index(column)).data(role)

    assert cell(FleetColumn.STATE, Qt.ItemDataRole.DisplayRole) == "Crashed"
    assert cell(FleetColumn.STATE, Qt.ItemDataRole.ToolTipRole) == "because"
    assert cell(FleetColumn.NAME, Qt.ItemDataRole.AccessibleTextRole) == "i, confidential"
    assert "in place of" in str(cell(FleetColumn.IMAGE, Qt.ItemDataRole.ToolTipRole))
    assert cell(FleetColumn.PROVIDER, Qt.ItemDataRole.DisplayRole) == "embedded (emulated)"
    assert model.index(0, 0).data(INSTANCE_ROLE).name == "i"
    assert all(isinstance(cell(column, Qt.ItemDataRole.DisplayRole), str) for column in COLUMNS)
