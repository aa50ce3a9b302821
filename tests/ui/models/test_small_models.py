"""Jobs, events and answers as item models."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QAbstractItemModel
from PySide6.QtWidgets import QApplication

from confvm_gui.domain.event import AuditRecord, Event, Severity
from confvm_gui.domain.operation import Operation, OperationKind, OperationStatus, OperationStep
from confvm_gui.ui.models.events_model import EventsModel
from confvm_gui.ui.models.jobs_model import KEPT, JobsModel, outcome
from confvm_gui.ui.models.text_rows_model import TextRowsModel


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


def _operation(name: str, status: OperationStatus = OperationStatus.RUNNING) -> Operation:
    return Operation(name, OperationKind.CREATE, "embedded", name, name, status, time.time())


def _record(sequence: int) -> AuditRecord:
    event = Event(time.time(), "root", "instance.running", "id", f"event {sequence}", Severity.WARNING)
    return AuditRecord(sequence, event, "0" * 64, f"{sequence:064x}")


def test_jobs_model(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    model = JobsModel([_operation("a"), _operation("b")])
    qtmodeltester.check(model)
    model.put(_operation("c"))
    assert [model.operation(row).id for row in range(3)] == ["c", "a", "b"]
    model.put(replace(_operation("a"), status=OperationStatus.FAILED, error="no room"))
    assert model.index(1, 2).data() == "Failed"
    assert model.index(1, 4).data() == "no room"


def test_jobs_model_forgets_the_oldest_finished(qapp: QApplication) -> None:
    model = JobsModel([_operation(str(at), OperationStatus.SUCCEEDED) for at in range(KEPT)])
    model.put(_operation("new"))
    assert model.rowCount() == KEPT
    assert model.operation(0).id == "new"


def test_outcome_is_the_step_in_its_own_words() -> None:
    running = replace(_operation("a"), steps=(OperationStep("LAUNCH_START", 0.0, "ASID 3"),))
    assert outcome(running) == "LAUNCH_START: ASID 3"
    assert outcome(replace(running, status=OperationStatus.SUCCEEDED)) == ""


def _more(model: EventsModel) -> bool:
    return model.has_more


def test_events_model_pages(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    model = EventsModel()
    model.put_newest([_record(at) for at in (10, 9, 8)], 3)
    qtmodeltester.check(model)
    assert model.oldest == 8
    model.put_older([_record(at) for at in (7, 6)], 3)
    assert not _more(model)
    model.put_newest([_record(at) for at in (11, 10, 9)], 3)
    assert [model.record(row).sequence for row in range(model.rowCount())] == [11, 10, 9, 8, 7, 6]
    model.put_newest([_record(at) for at in (40, 39, 38)], 3)
    assert [model.record(row).sequence for row in range(model.rowCount())] == [40, 39, 38]
    assert _more(model)
    assert model.oldest == 38


def test_text_rows_model(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    model = TextRowsModel()
    model.show_rows(["id", "name"], [["1", "a"], ["2"]])
    qtmodeltester.check(model)
    assert model.index(1, 1).data() == ""
    assert model.index(0, 1).data() == "a"
