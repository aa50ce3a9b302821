"""The page Guardrails in the real window: packs are tested and turned on, drift shows, exceptions end, reports."""

from __future__ import annotations

import base64
import re
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import Instance, Trust
from confvm_gui.domain.policy import Assignment, Compliance, Mode, Pack, Rule
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.policy.pack_file import dump_pack
from confvm_gui.ui.guardrails.page import GuardrailsPage
from confvm_gui.ui.models.fleet_columns import FleetColumn
from confvm_gui.ui.wizard.looks import Note
from tests.support.fake_attestations import make_record
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

PLAIN = make_instance("plain", technology=Technology.NONE, labels={"env": "prod"})
SAFE = make_instance("safe", trust=Trust.TRUSTED, labels={"env": "test"})
HOUSE = Pack(
    "house",
    1,
    "House rules",
    "",
    (
        Rule("confidential", "Memory is protected", "vm.confidential", "technology"),
        Rule("trusted", "No evidence is untrusted", "vm.trust != 'untrusted'", "technology"),
    ),
)


def guardrails(opened: Opened) -> GuardrailsPage:
    """The page, in sight."""
    opened.window.show_page("guardrails")
    page = opened.window.stack.currentWidget()
    assert isinstance(page, GuardrailsPage)
    return page


def click(page: QWidget, name: str) -> None:
    button = page.findChild(QPushButton, name)
    assert isinstance(button, QPushButton), f"there is no {name}"
    assert button.isVisible(), f"{name} is not in sight"
    assert button.isEnabled(), f"{name} cannot be clicked"
    button.click()


def says(page: QWidget, name: str) -> str:
    note = page.findChild(Note, name)
    assert isinstance(note, Note)
    return note.text() if note.isVisible() else ""


def events(opened: Opened, action: str) -> list[Event]:
    return [record.event for record in opened.store.audit.records if record.event.action == action]


def count(page: GuardrailsPage, compliance: Compliance) -> str:
    return page.compliance.tiles[compliance].count.text()


async def turn_on(opened: Opened, pack: Pack = HOUSE) -> None:
    rules = opened.session.guard.rules
    rules.import_pack(dump_pack(pack))
    await rules.assign([Assignment(pack.name, pack.version, Mode.ENFORCE)])
    await opened.session.guard.judge_now()


async def choose(page: GuardrailsPage, key: str) -> None:
    """Select a pack of the list."""
    await until(lambda: page.packs.model.index_of(key).isValid(), key)
    page.packs.view.setCurrentIndex(page.packs.model.index_of(key))
    await until(lambda: page.packs.detail.pack is not None and key.startswith(page.packs.detail.pack.name), key)


def test_a_pack_is_tested_with_counts_before_it_can_be_turned_on(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([PLAIN, SAFE]) as opened:
            page = guardrails(opened)
            assert "Unguarded" in says(page, "guardrails-state")
            click(page, "empty-action")
            await choose(page, "hygiene@1")
            form = page.packs.detail.form
            assert not form.turn_on.isEnabled()
            click(page, "switch-test")
            await until(form.turn_on.isEnabled, "the test")
            counted, groups = says(page, "switch-result").split("\n")
            assert counted == "2 of 2 instances would not comply; below, by rule"
            assert groups == "embedded: 2 of 2, env=prod: 1 of 1, env=test: 1 of 1"
            rules = page.packs.detail.rules
            counts = {rules.rule(row).id: rules.index(row, 3).data() for row in range(rules.rowCount())}
            assert (counts["confidential-required"], counts["no-debug"]) == ("1", "0")
            assert events(opened, "policy.assigned") == []
            # Another part of the fleet asks for another test.
            form.labels.setText("env=test")
            assert not form.turn_on.isEnabled()
            click(page, "switch-test")
            await until(form.turn_on.isEnabled, "the test")
            assert says(page, "switch-result").startswith("1 of 1")
            form.labels.setText("what is this")
            assert "has no equals sign" in form.problem.text()
            form.labels.setText("")
            click(page, "switch-test")
            await until(form.turn_on.isEnabled, "the test")
            click(page, "switch-on")
            await until(lambda: events(opened, "policy.evaluated"), "the fleet to be judged")
            assert opened.session.inventory.get(PLAIN.id).compliance == "violating"
            await until(lambda: "1 pack" in says(page, "guardrails-state"), "the state")
            page.tabs.setCurrentWidget(page.compliance)
            await until(lambda: count(page, Compliance.VIOLATING) == "2", "the count")

    qasync_run(scenario())


def test_a_mode_is_changed_and_a_pack_is_taken_off(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([PLAIN, SAFE]) as opened:
            await turn_on(opened)
            page = guardrails(opened)
            page.show_packs()
            await choose(page, "house@1")
            await until(lambda: page.findChild(QComboBox, "pack-mode-0"), "its assignment")
            mode = page.findChild(QComboBox, "pack-mode-0")
            assert isinstance(mode, QComboBox)
            mode.setCurrentIndex(mode.findData(Mode.WARN))
            mode.activated.emit(mode.currentIndex())
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "warning", "a warning")
            await until(lambda: "Warn" in str(page.packs.model.choice(page.packs.model.index_of("house@1"))), "a badge")
            assert not page.packs.detail.buttons["remove"].isEnabled()
            click(page, "pack-off-0")
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "", "nothing said")
            await until(page.packs.detail.buttons["remove"].isEnabled, "that it can be removed")
            click(page, "pack-remove")
            await until(lambda: not page.packs.model.index_of("house@1").isValid(), "that it is gone")

    qasync_run(scenario())


def test_drift_shows_within_a_second_down_to_the_instance(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([SAFE]) as opened:
            await turn_on(opened)
            page = guardrails(opened)
            await until(lambda: count(page, Compliance.COMPLIANT) == "1", "the count")
            opened.session.inventory.observe(replace(SAFE, trust=Trust.UNTRUSTED))
            await until(lambda: events(opened, "policy.drift"), "the drift", seconds=1)
            (drift,) = events(opened, "policy.drift")
            assert (drift.subject, drift.before, drift.after) == (SAFE.id, "compliant", "violating")
            await until(lambda: count(page, Compliance.VIOLATING) == "1", "the count")
            await until(lambda: page.compliance.sides.row_of("house/trusted") == 0, "the rule's line")
            page.compliance.table.selectRow(0)
            rows = page.compliance.findings
            await until(lambda: rows.rowCount() == 1 and rows.index(0, 3).data() == "vm.trust = untrusted", "its line")
            page.compliance.instances.activated.emit(rows.index(0, 0))
            await until(lambda: opened.window.page_shown and opened.window.instance_page.instance_id == SAFE.id, "it")
            await until(
                lambda: "Violating" in says(opened.window.instance_page, "instance-compliance-state"), "its card"
            )
            model = opened.window.model
            await until(lambda: model.cell(model.instance_at(0), FleetColumn.COMPLIANCE) == "Violating", "the cell")
            guardrails(opened)
            click(page, "compliance-fleet-violating")
            assert opened.window.page == "fleet"
            assert opened.window.fleet.filter.edit.text().strip() == "compliance:violating"

    qasync_run(scenario())


def test_exceptions_are_granted_with_a_reason_and_end(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([PLAIN]) as opened:
            await turn_on(opened)
            page = guardrails(opened)
            page.show_exceptions()
            tab = page.exceptions
            await until(lambda: tab.rule.count() == 2, "the rules that are on")
            assert not tab.grant.isEnabled()
            tab.rule.setCurrentText("house/confidential")
            tab.subject.setText("plain")
            tab.reason.setText("the host burns")
            click(page, "exception-grant")
            await until(lambda: tab.model.rowCount() == 1, "its line")
            assert tab.model.index(0, 3).data() == "the host burns"
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "compliant", "the exception")
            tab.table.selectRow(0)
            click(page, "exception-end")
            await until(lambda: tab.model.index(0, 0).data() == "Ended", "its end")
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "violating", "the rule again")
            # One that ends by itself.
            await opened.session.guard.rules.grant("house", "confidential", "", "smoke", 0.4)
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "compliant", "the exception")
            await until(lambda: opened.session.inventory.get(PLAIN.id).compliance == "violating", "the rule again")
            await until(lambda: {tab.model.index(row, 0).data() for row in range(2)} == {"Ended"}, "its end")
            assert len(events(opened, "policy.exception-granted")) == 2

    qasync_run(scenario())


def test_a_hostile_pack_is_refused_where_it_is_written(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        bad = tmp_path / "bad.toml"
        endless = "vm.labels.all(a, vm.labels.all(b, vm.labels.all(c, a + b + c != '')))"
        hostile = replace(HOUSE, rules=(Rule("endless", "It never ends", endless, "technology"), *HOUSE.rules))
        bad.write_text(dump_pack(hostile))
        async with open_shell([PLAIN]) as opened:
            page = guardrails(opened)
            page.show_packs()
            page.packs.import_file(bad)
            editor = page.packs.editor
            await until(lambda: "endless: The expression is refused" in says(page, "pack-problems"), "the refusal")
            assert not editor.save.isEnabled()
            (marked,) = editor.text.extraSelections()
            assert marked.cursor.block().text() == f'expression = "{endless}"'
            assert "house" not in {pack.name for pack in opened.session.guard.rules.packs()}
            editor.text.setPlainText(editor.text.toPlainText() + "\n[[rules")
            await until(lambda: "it is not TOML" in says(page, "pack-problems"), "the other refusal")
            editor.text.setPlainText("")
            click(page, "pack-show-facts")
            names = [editor.facts.model().index(row, 0).data() for row in range(editor.facts.model().rowCount())]
            editor.facts.activated.emit(editor.facts.model().index(names.index("vm.exposure"), 2))
            assert editor.text.toPlainText() == "vm.exposure"
            editor.text.setPlainText(dump_pack(HOUSE))
            await until(editor.save.isEnabled, "that it is fine")
            click(page, "pack-save")
            await until(lambda: page.packs.detail.pack == HOUSE, "the pack")
            click(page, "pack-edit")
            await until(editor.save.isEnabled, "that it is fine")
            assert "version = 2" in editor.text.toPlainText()
            click(page, "pack-cancel")
            page.packs.export_to(HOUSE, tmp_path / "out.toml")
            assert (tmp_path / "out.toml").read_text() == dump_pack(HOUSE)
            page.packs.import_file(tmp_path / "no.toml")
            await until(lambda: "cannot be read" in says(page, "packs-message"), "the reason")

    qasync_run(scenario())


def test_a_shipped_pack_is_copied_and_signed(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([PLAIN]) as opened:
            page = guardrails(opened)
            page.show_packs()
            await choose(page, "hygiene@1")
            assert not page.packs.detail.buttons["edit"].isVisible()
            click(page, "pack-copy")
            page.packs.copy_name.setText("Not A Name")
            click(page, "packs-copy-make")
            assert "lower-case words" in says(page, "packs-message")
            page.packs.copy_name.setText("ours")
            click(page, "packs-copy-make")
            await until(
                lambda: page.packs.detail.pack is not None and page.packs.detail.pack.name == "ours", "the copy"
            )
            page.packs.signed_only.click()
            await until(lambda: opened.session.guard.rules.signed_only, "the setting")
            click(page, "switch-test")
            await until(page.packs.detail.form.turn_on.isEnabled, "the test")
            click(page, "switch-on")
            await until(lambda: "only signed packs may be on" in says(page, "packs-message"), "the reason")

    qasync_run(scenario())


def test_who_may_not_change_the_rules_can_only_look(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([PLAIN]) as opened:
            await turn_on(opened)
            opened.session.access.assignments = Assignments({opened.session.access.user: frozenset({Role.AUDITOR})})
            page = guardrails(opened)
            await until(lambda: count(page, Compliance.VIOLATING) == "1", "the count")
            page.show_packs()
            await choose(page, "house@1")
            click(page, "switch-test")
            await until(lambda: "would not comply" in says(page, "switch-result"), "the test")
            for name in ("switch-on", "pack-copy", "pack-edit", "packs-import", "pack-off-0"):
                button = page.findChild(QPushButton, name)
                assert isinstance(button, QPushButton), name
                assert not button.isEnabled(), name
            page.show_exceptions()
            page.exceptions.reason.setText("please")
            assert not page.exceptions.grant.isEnabled()

    qasync_run(scenario())


def test_a_reading_console_judges_for_itself_and_writes_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        kept = replace(PLAIN, compliance="warning")
        async with open_shell([kept], readonly_reason="Another console has it open") as opened:
            opened.store.policies.texts["house", 1] = dump_pack(HOUSE)
            opened.store.policies.switched = [Assignment("house", 1, Mode.ENFORCE)]
            page = guardrails(opened)
            await until(lambda: count(page, Compliance.VIOLATING) == "1", "the count")
            assert opened.session.inventory.get(PLAIN.id).compliance == "warning"
            assert opened.store.compliance.kept == []

    qasync_run(scenario())


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def _streams(pdf: bytes) -> list[bytes]:
    """What lies in a PDF, attached files among it."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\n?endstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            found.append(zlib.decompress(stream))
    return found


def test_the_report_is_written_as_html_and_pdf_with_evidence(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        many: list[Instance] = [make_instance(f"vm-{number}") for number in range(60)]
        async with open_shell([PLAIN, *many]) as opened:
            opened.store.evidence.append(make_record(instance_id=many[0].id))
            await turn_on(opened)
            page = guardrails(opened)
            page.report.write(tmp_path / "report.html")
            await until(
                lambda: "report.html" in says(page, "guardrails-message") and "SHA" in says(page, "guardrails-message")
            )
            html = (tmp_path / "report.html").read_text()
            assert "house/confidential" in html
            assert html.count("data:application/zip;base64,") == 1
            page.report.write(tmp_path / "report.pdf")
            await until(
                lambda: "report.pdf" in says(page, "guardrails-message") and "SHA" in says(page, "guardrails-message")
            )
            pdf = (tmp_path / "report.pdf").read_bytes()
            assert pdf.startswith(b"%PDF-")
            assert _pages(pdf) >= 4  # 61 instances alone take three
            (bundle,) = re.findall('data:application/zip;base64,([^"]+)', html)
            assert base64.b64decode(bundle) in _streams(pdf)
            made = events(opened, "policy.report-made")
            assert [len(str(event.detail["sha256"])) for event in made] == [64, 64]
            page.report.write(tmp_path / "no" / "report.pdf")
            await until(lambda: "cannot be written" in says(page, "guardrails-message"), "the reason")
            dialog = page.report.ask()
            await until(dialog.isVisible, "the dialog")
            assert dialog.selectedFiles()[0].endswith(".pdf")
            dialog.reject()

    qasync_run(scenario())
