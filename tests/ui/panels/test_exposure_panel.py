"""The Exposure tab as its user meets it: texts in, a search, what the host reads, and where."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.exposure import (
    ExposedPlace,
    ExposedTerm,
    ExposureResult,
    Readability,
    TermExposure,
    TermForm,
    ViewScan,
)
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import PageKind, Viewer
from confvm_gui.fleet.exposure.canary import Canaries
from confvm_gui.ui.panels.exposure.panel import ExposurePanel
from confvm_gui.ui.panels.exposure.results_model import ResultsModel
from confvm_gui.ui.panels.memory.panel import MemoryPanel
from tests.support.embedded_rig import SECRET_FIELD, ready, write_records
from tests.support.embedded_window import embedded_window, window_request
from tests.support.fake_provider import RECORDS, make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

SECRET = ",".join(RECORDS[0])
WEB = make_instance("web-1", technology=Technology.SEV)
PLAIN = make_instance("plain", technology=Technology.NONE)


class ModelCheck(Protocol):
    """The fixture `qtmodeltester`."""

    def check(self, model: QAbstractItemModel) -> None: ...


@asynccontextmanager
async def opened_panel(*instances: Instance) -> AsyncIterator[tuple[Opened, ExposurePanel]]:
    """The real window with the tab of the first instance in front."""
    async with open_shell(instances) as opened:
        opened.window.resize(1280, 820)
        yield opened, await panel_of(opened, instances[0])


async def panel_of(opened: Opened, instance: Instance) -> ExposurePanel:
    opened.window.open_instance(instance.id, "exposure")
    page = opened.window.instance_page
    await until(lambda: page.panel("exposure"), "the exposure panel")
    panel = page.panel("exposure")
    assert isinstance(panel, ExposurePanel)
    await until(lambda: panel.instance_id == instance.id, "it shows the instance")
    return panel


def add(panel: ExposurePanel, text: str, form: TermForm = TermForm.TEXT) -> None:
    panel.form.setCurrentIndex(panel.form.findData(form))
    panel.field.clear()
    QTest.keyClicks(panel.field, text)
    QTest.keyClick(panel.field, Qt.Key.Key_Return)


async def search(panel: ExposurePanel) -> None:
    QTest.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    assert panel.stop.isEnabled()
    await until(lambda: not panel.stop.isEnabled(), "the end of the search")


def rows(model: QAbstractItemModel) -> list[tuple[str, str, str]]:
    """What, seen by, readable."""
    found = ([str(model.index(row, at).data()) for at in range(3)] for row in range(model.rowCount()))
    return [(what, viewer, readable) for what, viewer, readable in found]


def exposure(label: str, viewer: Viewer, readability: Readability, *gpas: int) -> TermExposure:
    places = tuple(ExposedPlace(gpa, 8, PageKind.PLAINTEXT, "UTF-8") for gpa in gpas)
    term = ExposedTerm(label, TermForm.TEXT, label.encode().hex())
    return TermExposure(term, viewer, len(gpas), places, (), 0.0, readability)


def make_result(*exposures: TermExposure, viewer: Viewer = Viewer.HYPERVISOR, unreadable: int = 0) -> ExposureResult:
    return ExposureResult(
        id="1" * 32,
        instance_id=WEB.id,
        instance_name=WEB.name,
        provider=WEB.provider,
        technology=WEB.technology,
        emulated=True,
        started_at=0.0,
        complete=True,
        scans=(ViewScan(viewer, 1 << 20, 0, unreadable, 0.5),),
        exposures=exposures,
    )


def test_model_is_sound_and_marks_the_hosts_view_only(qapp: QApplication, qtmodeltester: ModelCheck) -> None:
    model = ResultsModel()
    qtmodeltester.check(model)
    found = make_result(
        exposure("a", Viewer.HYPERVISOR, Readability.READABLE, *range(0x1000, 0x1000 + 20)),
        exposure("b", Viewer.HYPERVISOR, Readability.BY_CHANCE, 0x2000),
        exposure("a", Viewer.GUEST, Readability.READABLE, 0x3000),
        exposure("b", Viewer.GUEST, Readability.NOT_FOUND),
    )
    model.show_result(found, {(TermForm.TEXT, b"b".hex()): "typed"})
    qtmodeltester.check(model)
    assert rows(model) == [
        ("a", "Hypervisor", "Yes, readable"),
        ("typed", "Hypervisor", "By chance only"),
        ("a", "Guest", "Yes, readable"),
        ("typed", "Guest", "Not found"),
    ]
    marks = [model.index(row, 2).data(Qt.ItemDataRole.DecorationRole) is not None for row in range(4)]
    assert marks == [True, True, False, False]
    tip = model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.count("0x") == 12
    assert tip.endswith("…")
    assert str(model.index(0, 4).data()).endswith("1000")
    assert model.index(3, 4).data() == ""
    model.show_result(None, {})
    qtmodeltester.check(model)
    model.deleteLater()


def test_nothing_searched_yet_says_what_to_do_and_everything_has_a_name(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB) as (_, panel):
            assert panel.empty.isVisible()
            assert panel.empty.heading.text() == "Nothing was searched yet"
            assert not any(button.isEnabled() for button in (panel.start, panel.stop, panel.look, panel.export))
            parts: list[QWidget] = [panel.form, panel.field, panel.terms, panel.table, panel.progress]
            parts += [panel.add, panel.remove, panel.canary, panel.start, panel.stop, panel.look, panel.export]
            for part in parts:
                interface = QAccessible.queryAccessibleInterface(part)
                assert interface is not None
                assert interface.text(QAccessible.Text.Name), part.objectName()

    qasync_run(scenario())


def test_what_the_host_of_a_plain_instance_reads_is_shown_and_gone_to(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(PLAIN) as (opened, panel):
            add(panel, SECRET)
            add(panel, SECRET)
            add(panel, "0123456789abcdef", TermForm.BYTES)
            assert panel.terms.count() == 2
            assert panel.field.text() == ""
            await search(panel)
            assert panel.table.isVisible()
            assert not panel.progress.isVisible()
            assert rows(panel.model)[:2] == [
                (SECRET, "Hypervisor", "Yes, readable"),
                ("0123456789abcdef", "Hypervisor", "Not found"),
            ]
            assert "what is marked as readable" in panel.message.text()
            panel.table.selectRow(1)
            assert not panel.look.isEnabled()
            panel.table.selectRow(0)
            QTest.mouseClick(panel.look, Qt.MouseButton.LeftButton)
            page = opened.window.instance_page
            await until(lambda: isinstance(page.panel("memory"), MemoryPanel), "the memory panel")
            assert page.tab == "memory"
            first = panel.model.exposure(0).places[0].gpa
            where = [f"{first:08x}", "PLAINTEXT"]
            await until(lambda: all(word in label_text(page, "memory-guest-where") for word in where), "the place")

    qasync_run(scenario())


def label_text(page: QWidget, name: str) -> str:
    label = page.findChild(QLabel, name)
    return "" if label is None else label.text()


def test_result_outlives_its_panel_and_texts_stay_with_their_instance(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB, PLAIN) as (opened, panel):
            add(panel, SECRET)
            await search(panel)
            assert rows(panel.model)[0] == (SECRET, "Hypervisor", "Not found")
            assert "can read none of it" in panel.message.text()
            await panel_of(opened, PLAIN)
            assert panel.terms.count() == 0
            assert panel.empty.isVisible()
            await panel_of(opened, WEB)
            # The text itself is not kept.
            assert rows(panel.model)[0] == ("text 1", "Hypervisor", "Not found")
            other = ExposurePanel(opened.session)
            other.set_instance(WEB.id)
            assert rows(other.model) == rows(panel.model)
            await other.aclose()
            other.deleteLater()

    qasync_run(scenario())


def test_what_cannot_be_searched_for_says_why_beside_it_and_stays(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB) as (_, panel):
            for text, form, words in (
                ("abc", TermForm.TEXT, "at least 4 bytes"),
                ("xyz", TermForm.BYTES, ""),
                ("4[0-9", TermForm.PATTERN, "cannot be read"),
            ):
                add(panel, text, form)
                assert panel.error.isVisible()
                assert words in panel.error.text()
                assert panel.field.text() == text
                assert panel.terms.count() == 0
            add(panel, "long enough")
            assert not panel.error.isVisible()
            panel.terms.setCurrentRow(0)
            QTest.mouseClick(panel.remove, Qt.MouseButton.LeftButton)
            assert panel.terms.count() == 0
            assert not panel.start.isEnabled()
            add(panel, "[^a]{4}", TermForm.PATTERN)
            await search(panel)
            assert "empty memory" in panel.error.text()
            assert panel.terms.count() == 1
            assert panel.start.isEnabled()

    qasync_run(scenario())


def test_canary_is_kept_for_its_instance(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB, PLAIN) as (opened, panel):
            QTest.mouseClick(panel.canary, Qt.MouseButton.LeftButton)
            (kept,) = Canaries(opened.session.settings, WEB.provider, WEB.name).all()
            assert kept.token in panel.message.text()
            await panel_of(opened, PLAIN)
            assert panel.terms.count() == 0
            await panel_of(opened, WEB)
            assert [panel.terms.item(row).text() for row in range(panel.terms.count())] == [kept.token]

    qasync_run(scenario())


def test_cancelled_search_says_that_it_was_not_finished(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB) as (_, panel):
            add(panel, SECRET)
            panel.start.click()
            await until(lambda: panel.progress.value() > 0, "some progress")
            panel.stop.click()
            await until(panel.table.isVisible, "what was found by then")
            assert "was not finished" in panel.message.text()
            assert not panel.stop.isEnabled()
            assert panel.start.isEnabled()

    qasync_run(scenario())


def test_stopped_instance_cannot_be_searched(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB) as (opened, panel):
            add(panel, SECRET)
            opened.provider.change(replace(WEB, state=InstanceState.STOPPED))
            await until(lambda: not panel.start.isEnabled(), "the instance has stopped")
            assert "does not run" in panel.start.toolTip()
            panel.start_scan()  # as if it had stopped between the look and the click
            assert "no memory" in panel.error.text()

    qasync_run(scenario())


def test_summary_claims_no_more_than_was_searched(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened_panel(WEB) as (_, panel):
            guest_only = make_result(exposure("a", Viewer.GUEST, Readability.READABLE, 1), viewer=Viewer.GUEST)
            assert "says nothing of what the host reads" in panel.summary(guest_only)
            part = replace(make_result(exposure("a", Viewer.HYPERVISOR, Readability.NOT_FOUND)), complete=False)
            assert "Up to there" in panel.summary(part)
            holes = make_result(exposure("a", Viewer.HYPERVISOR, Readability.NOT_FOUND), unreadable=8192)
            assert "8 KiB could not be read" in panel.summary(holes)

    qasync_run(scenario())


def test_result_is_written_without_the_texts(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened_panel(PLAIN) as (_, panel):
            add(panel, SECRET)
            await search(panel)
            target = tmp_path / "result.json"
            panel.write(target)
            await until(lambda: target.name in panel.message.text(), "it is written")
            text = target.read_text()
            assert SECRET not in text
            assert json.loads(text)["terms"][0]["readability"] == "readable"
            panel.write(tmp_path / "none" / "result.json")
            await until(lambda: "cannot be written" in panel.error.text(), "the reason")

    qasync_run(scenario())


def test_records_of_an_embedded_sev_guest_are_searched_for(qasync_run: Run, data_dir: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir) as opened:
            made = await opened.launch(window_request(Technology.SEV, write_records(tmp_path)))
            await ready(opened.provider, made.id)
            opened.window.open_instance(made.id, "exposure")
            page = opened.window.instance_page
            await until(lambda: page.panel("exposure"), "the exposure panel")
            panel = page.panel("exposure")
            assert isinstance(panel, ExposurePanel)
            await until(lambda: panel.instance_id == made.id, "it shows the instance")
            add(panel, SECRET_FIELD)
            await search(panel)
            assert rows(panel.model) == [
                (SECRET_FIELD, "Hypervisor", "Not found"),
                (SECRET_FIELD, "Guest", "Yes, readable"),
            ]
            panel.table.selectRow(1)
            QTest.mouseClick(panel.look, Qt.MouseButton.LeftButton)
            first = panel.model.exposure(1).places[0].gpa
            await until(lambda: f"{first:08x}" in label_text(page, "memory-guest-where"), "the place")
            assert "PLAINTEXT" in label_text(page, "memory-guest-where")
            assert "CIPHERTEXT" in label_text(page, "memory-hypervisor-where")

    qasync_run(scenario(), timeout=50)
