"""Standings, findings, rules and exceptions as item models."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QApplication

from confvm_gui.domain.policy import (
    Applies,
    Compliance,
    CompliancePoint,
    ComplianceRecord,
    Mode,
    Outcome,
    Pack,
    Rule,
    RuleException,
    RuleFinding,
)
from confvm_gui.policy.facts import FACTS, FactType
from confvm_gui.ui.models.exceptions_model import ExceptionsModel
from confvm_gui.ui.models.fact_words import fact_type_word, translated_facts
from confvm_gui.ui.models.findings_model import FindingsModel, rows_of_side
from confvm_gui.ui.models.rules_model import RulesModel
from confvm_gui.ui.models.standing_model import StandingModel
from tests.support.fake_provider import make_instance


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


def finding(rule: str, mode: Mode = Mode.ENFORCE, outcome: Outcome = Outcome.FAILS) -> RuleFinding:
    return RuleFinding("house", rule, mode, outcome, "technology", f"{rule} does not hold", "vm.vcpus = 2")


def test_standing_model_puts_the_worst_first_and_keeps_rows_in_place(
    qapp: QApplication, qtmodeltester: ModelCheck
) -> None:
    model = StandingModel()
    model.show_points([CompliancePoint(0, "rule", "a/x", 0, 3, 0, 0), CompliancePoint(0, "rule", "a/y", 0, 0, 1, 0)])
    qtmodeltester.check(model)
    assert [model.index(row, 0).data() for row in range(2)] == ["a/y", "a/x"]
    assert [model.index(0, column).data() for column in range(5)] == ["a/y", "1", "–", "–", "–"]
    assert model.row_of("a/x") == 1
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    model.show_points([CompliancePoint(1, "rule", "a/x", 0, 2, 0, 0), CompliancePoint(1, "rule", "a/y", 0, 0, 4, 0)])
    assert (model.index(0, 1).data(), resets) == ("4", [])
    model.show_points([])
    assert (model.rowCount(), len(resets)) == (0, 1)


def test_findings_of_a_side(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    one, two, three = (make_instance(name, labels={"env": env}) for name, env in (("b", "x"), ("a", "x"), ("c", "y")))
    judged = [
        (one, ComplianceRecord(one.id, 0, Compliance.WARNING, (finding("r", Mode.WARN),), 2)),
        (two, ComplianceRecord(two.id, 0, Compliance.VIOLATING, (finding("s", Mode.WARN), finding("r")), 2)),
        (three, ComplianceRecord(three.id, 0, Compliance.COMPLIANT, (finding("r", outcome=Outcome.EXCEPTED),), 2)),
    ]
    by_rule = rows_of_side(judged, "rule", "house/r")
    assert [(row.name, row.standing) for row in by_rule] == [
        ("a", Compliance.VIOLATING),
        ("b", Compliance.WARNING),
        ("c", Compliance.COMPLIANT),
    ]
    assert [row.name for row in rows_of_side(judged, "label", "env=x")] == ["a", "b"]
    assert [row.name for row in rows_of_side(judged, "provider", "elsewhere")] == []
    everything = rows_of_side(judged, "fleet", "")
    assert everything[0].finding == finding("r")  # the gravest of its findings
    model = FindingsModel()
    model.show_rows(by_rule)
    qtmodeltester.check(model)
    assert model.index(2, 1).data() == "Excepted"
    assert "house/r" in model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
    changed: list[tuple[int, int]] = []
    resets: list[None] = []
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    model.modelReset.connect(lambda: resets.append(None))
    model.show_rows([by_rule[0], replace(by_rule[1], standing=Compliance.COMPLIANT), by_rule[2]])
    assert (changed, resets) == ([(1, 1)], [])
    model.show_rows(by_rule[:1])
    assert (model.rowCount(), len(resets)) == (1, 1)


def test_rules_model_forgets_counts_of_another_pack(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    rules = tuple(Rule(f"r{at}", f"Rule {at}", "true", "technology", Applies.REQUEST) for at in range(3))
    model = RulesModel()
    model.show_pack(Pack("house", 1, "House", "", rules))
    model.show_counts({"r0": 7, "r1": 0}, {"r2": "it does not end"})
    qtmodeltester.check(model)
    assert [model.index(row, 3).data() for row in range(3)] == ["7", "0", "broken"]
    assert model.index(2, 0).data(Qt.ItemDataRole.ToolTipRole) == "it does not end"
    model.show_pack(Pack("house", 2, "House", "", rules[:2]))
    assert [model.index(row, 3).data() for row in range(2)] == ["–", "–"]


def test_every_fact_can_be_translated(qapp: QApplication) -> None:
    assert translated_facts() == {name: fact.meaning for name, fact in FACTS.items()}
    assert {fact_type_word(kind) for kind in FactType} == {kind.value for kind in FactType}


def test_exceptions_model_shows_what_runs_first(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    now = time.time()
    ended = RuleException("1", "house", "r", "", "fire", "ann", now - 5)
    runs = RuleException("2", "house", "r", "vm-1", "flood", "bob", now + 7000)
    model = ExceptionsModel()
    model.show_exceptions([ended, runs])
    qtmodeltester.check(model)
    assert [model.exception(row).id for row in range(2)] == ["2", "1"]
    assert model.index(0, 0).data() == "1 h 56 min left"
    assert [model.index(1, column).data() for column in range(5)] == [
        "Ended",
        "house/r",
        "all instances",
        "fire",
        "ann",
    ]
