"""The Attestation panel in the real window: asking, verdict, history, baseline, export."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget

from confvm_gui.domain.attestation import EvidenceFormat, Finding
from confvm_gui.domain.attestation_record import AttestationRecord, Drift, TcbPoint
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import GuestFault
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, Trust
from confvm_gui.ui.panels.attestation.digest_compare import DigestCompare
from confvm_gui.ui.panels.attestation.findings_list import FindingCard
from confvm_gui.ui.panels.attestation.panel import AttestationPanel
from confvm_gui.ui.theme import theme_controller
from tests.support.fake_attestations import (
    BAD,
    CHIP,
    GOOD,
    MISMATCH,
    ROOT_EMULATED,
    UNCHECKED,
    FakeAttestations,
    make_record,
)
from tests.support.fake_provider import make_instance
from tests.support.fake_session import fake_session
from tests.support.runners import Run
from tests.support.shell_driver import open_shell, until

WEB = make_instance("web-1", technology=Technology.SEV_SNP)


@asynccontextmanager
async def _panel(
    kept: Sequence[AttestationRecord] = (), instance: Instance = WEB, *, readonly_reason: str = ""
) -> AsyncIterator[tuple[AttestationPanel, FakeAttestations]]:
    """A shown panel over a fake source."""
    session = await fake_session([instance], readonly_reason=readonly_reason)
    source = FakeAttestations(kept)
    panel = AttestationPanel(session, source)
    panel.resize(QSize(900, 640))
    try:
        panel.set_instance(instance.id)
        panel.show()
        if kept:
            await until(lambda: panel.view.record is not None, "the newest record")
        yield panel, source
    finally:
        panel.hide()
        await panel.aclose()
        await session.aclose()
        panel.deleteLater()
        theme_controller().withdraw()


def _cards(panel: AttestationPanel) -> list[FindingCard]:
    return panel.view.findings.findChildren(FindingCard)


def test_never_asked_says_so_and_asking_shows_the_verdict(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel() as (panel, source):
            assert panel.view.headline.title.text() == "Never asked"
            assert panel.view.headline.emulated.isVisible()
            assert [panel.form.itemText(at) for at in range(panel.form.count())] == ["SEV-SNP report", "vTPM quote"]
            panel.form.setCurrentIndex(1)
            source.answer.clear()
            panel.ask.click()
            await until(lambda: source.asked == [EvidenceFormat.TPM_QUOTE])
            assert not panel.ask.isEnabled()
            source.answer.set()
            await until(lambda: panel.view.headline.title.text() == "Trusted")
            assert panel.ask.isEnabled()
            assert "just now" in panel.view.headline.text.text()
            assert panel.view.headline.emulated.isVisible()
            await until(lambda: panel.history.rowCount() == 1)

    qasync_run(scenario())


def test_not_confidential_gives_the_reason(qasync_run: Run) -> None:
    async def scenario() -> None:
        plain = make_instance("plain", technology=Technology.NONE, trust=Trust.NOT_APPLICABLE)
        async with _panel(instance=plain) as (panel, source):
            source.why_not = "Nothing vouches for plain: it is not confidential, and has no vTPM"
            panel.update_instance(plain)
            assert panel.view.headline.title.text() == "Not confidential"
            assert panel.view.headline.text.text() == source.why_not
            assert not panel.ask.isEnabled()
            assert panel.ask.toolTip() == source.why_not

    qasync_run(scenario())


def test_a_failed_question_is_told_and_leaves_the_verdict(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id)]) as (panel, source):
            source.error = GuestFault("The guest does not answer")
            panel.ask.click()
            await until(lambda: panel.view.banners.banner("ask") is not None)
            banner = panel.view.banners.banner("ask")
            assert banner is not None
            assert banner.label.text() == "The guest does not answer"
            assert panel.view.record is not None
            assert panel.ask.isEnabled()

    qasync_run(scenario())


def test_a_mismatch_shows_what_differs_first_then_both_digests(qasync_run: Run) -> None:
    async def scenario() -> None:
        differs = "the guest image is heartbeat instead of records"
        record = make_record(WEB.id, findings=(ROOT_EMULATED, UNCHECKED, MISMATCH), differs=differs)
        async with _panel([record]) as (panel, _):
            assert panel.view.headline.title.text() == "Not trusted"
            assert [card.finding.severity for card in _cards(panel)] == [
                Severity.ERROR,
                Severity.WARNING,
                Severity.INFO,
            ]
            first = panel.view.findings.layout()
            assert first is not None
            item = first.itemAt(0)
            assert item is not None
            top = item.widget()
            assert top is not None
            assert differs in [label.text() for label in top.findChildren(QLabel)]
            compare = _cards(panel)[0].findChild(DigestCompare)
            assert compare is not None
            assert (compare.expected, compare.actual) == (GOOD, BAD)
            pairs = zip(bytes.fromhex(GOOD), bytes.fromhex(BAD), strict=True)
            assert compare.different == [at for at, (one, other) in enumerate(pairs) if one != other]
            assert f"{len(compare.different)} byte" in compare.accessibleName()
            compare.setFocus()
            QTest.keyClick(compare, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
            assert GOOD in QGuiApplication.clipboard().text()
            assert BAD in QGuiApplication.clipboard().text()
            assert "measurement-mismatch (error)" in _cards(panel)[0].text()

    qasync_run(scenario())


def test_the_chain_is_read_and_walked_by_keyboard(qasync_run: Run) -> None:
    async def scenario() -> None:
        forged = Finding("signature-invalid", Severity.ERROR, "a signature by the VCEK", "", "SNP report")
        async with _panel([make_record(WEB.id, findings=(forged,))]) as (panel, _):
            chain = panel.view.chain
            assert [box.link.name for box in chain.boxes] == ["ARK-Genoa", "SEV-Genoa", "SEV-VCEK", "SNP report"]
            interface = QAccessible.queryAccessibleInterface(chain.boxes[3])
            assert interface is not None
            assert interface.role() is QAccessible.Role.ListItem
            assert "Fails" in interface.text(QAccessible.Text.Name)
            assert "emulated" in interface.text(QAccessible.Text.Name)
            assert "broken at SNP report" in chain.canvas.accessibleName()
            panel.activateWindow()
            chain.boxes[0].setFocus()
            QTest.keyClick(chain.boxes[0], Qt.Key.Key_Right)
            await until(lambda: "67d303bd 67d303bd" in chain.detail.text(), "the fingerprint of the second box")
            QTest.keyClick(chain.boxes[1], Qt.Key.Key_Left)
            await until(chain.boxes[0].hasFocus)
            panel.resize(420, 640)
            await until(lambda: chain.boxes[1].y() > chain.boxes[0].y(), "one box below the other")
            assert chain.boxes[3].geometry().right() <= chain.canvas.width()

    qasync_run(scenario())


def test_claims_are_filtered_and_copied(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id, extra=3000)]) as (panel, _):
            claims = panel.view.claims
            assert claims.model.total == 0  # not made before anybody looks
            panel.view.tabs.setCurrentWidget(claims)
            assert claims.model.total == 3007
            claims.filter.setText("policy debug")
            assert claims.model.shown == 1
            claims.table.selectRow(1)
            assert claims.detail.text() == "policy.debug = false"
            claims.copy_rows()
            assert QGuiApplication.clipboard().text() == "policy.debug = false"
            assert "Emulated" in claims.caution.text()

    qasync_run(scenario())


def test_an_earlier_verdict_stays_until_fresh_evidence_comes(qasync_run: Run) -> None:
    async def scenario() -> None:
        kept = [make_record(WEB.id, number=2), make_record(WEB.id, number=1, age=7200, findings=(MISMATCH,))]
        async with _panel(kept) as (panel, source):
            await until(lambda: panel.history.rowCount() == 2)
            panel.history_table.selectRow(1)
            await until(lambda: panel.view.headline.title.text() == "Earlier: Not trusted")
            assert "2 hour" in panel.view.headline.text.text()
            source.next_record = make_record(WEB.id, number=3)
            panel.ask.click()
            await until(lambda: panel.view.headline.title.text() == "Trusted")
            await until(lambda: panel.history.rowCount() == 3)

    qasync_run(scenario())


def test_stale_evidence_is_marked(qasync_run: Run) -> None:
    async def scenario() -> None:
        old = replace(WEB, attested_at=time.time() - 90_000)
        async with _panel([make_record(WEB.id, age=90_000)], old) as (panel, _):
            assert panel.view.headline.stale.isVisible()
            assert "Stale" in panel.view.headline.accessibleName()
            panel.update_instance(replace(WEB, attested_at=time.time()))
            assert panel.view.headline.stale.isVisible()  # the inventory has not changed

    qasync_run(scenario())


def test_the_baseline_is_accepted_compared_and_forgotten(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id)]) as (panel, source):
            view = panel.baseline
            await until(view.accept.isEnabled)
            assert not view.forget.isEnabled()
            view.accept.click()
            await until(view.forget.isEnabled)
            assert "Nothing changed since." in view.summary.text()
            source.drifted = [Drift("measurement", "launch measurement", GOOD, BAD)]
            panel.ask.click()
            await until(lambda: view.model.rowCount() == 2 and view.model.index(0, 0).data() == "changed")
            assert "1 changed" in panel.view.tabs.tabText(3)
            assert view.compare.expected == GOOD
            view.forget.click()
            await until(lambda: not view.forget.isEnabled())

    qasync_run(scenario())


def test_untrusted_evidence_is_no_baseline(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id, findings=(MISMATCH,))]) as (panel, _):
            await asyncio.sleep(0)
            assert not panel.baseline.accept.isEnabled()

    qasync_run(scenario())


def test_the_timeline_of_the_chip(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel() as (panel, source):
            now = time.time()
            source.timeline = [
                TcbPoint(CHIP, now - 200, {"snp": 8, "microcode": 115}, {"snp": 8}, {"snp": 8}),
                TcbPoint(CHIP, now - 100, {"snp": 11, "microcode": 115}, {"snp": 8}, {"snp": 11}),
            ]
            panel.ask.click()
            await until(lambda: panel.tcb.model.rowCount() == 2)
            assert panel.tcb.model.index(0, 1).data() == "8 → 11"
            assert "provisional" in panel.tcb.model.index(0, 3).data()
            assert "snp 8 → 11" in panel.tcb.steps.accessibleName()
            panel.view.tabs.setCurrentWidget(panel.tcb)
            assert not panel.grab().isNull()

    qasync_run(scenario())


def test_the_bundle_is_exported_without_a_modal_dialog(qasync_run: Run, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id)]) as (panel, source):
            panel.export.click()
            dialog = panel.findChild(QFileDialog)
            assert dialog is not None
            assert dialog.selectedFiles()[0].endswith(".zip")
            dialog.fileSelected.emit(str(tmp_path / "web.zip"))
            dialog.close()
            await until(lambda: source.exported != [])
            await until(lambda: panel.view.banners.banner("export") is not None)
            assert source.exported[0][1] == tmp_path / "web.zip"

    qasync_run(scenario())


def test_a_hundred_findings_come_in_turns(qasync_run: Run) -> None:
    async def scenario() -> None:
        many = tuple(Finding("event-invalid", Severity.WARNING, "", f"event {at}", f"PCR {at}") for at in range(100))
        async with _panel([make_record(WEB.id, findings=many)]) as (panel, _):
            assert not panel.view.findings.complete
            await until(lambda: panel.view.findings.complete)
            assert len(_cards(panel)) == 40

    qasync_run(scenario())


def test_a_reading_console_cannot_ask(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id)], readonly_reason="Another console has it open") as (panel, _):
            assert not panel.ask.isEnabled()
            assert panel.ask.toolTip() == "Another console has it open"
            await until(lambda: panel.history.rowCount() == 1)
            assert not panel.baseline.accept.isEnabled()

    qasync_run(scenario())


def test_everything_has_a_name(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with _panel([make_record(WEB.id, findings=(MISMATCH,))]) as (panel, _):
            nameless = [
                widget.objectName() or widget.metaObject().className()
                for widget in panel.findChildren(QWidget)
                if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
                and not isinstance(widget, QLabel)
                and not widget.objectName().startswith("qt_")
                and widget.metaObject().className() not in ("QScrollArea", "QTabBar", "QComboBoxListView")
                and (interface := QAccessible.queryAccessibleInterface(widget)) is not None
                and not interface.text(QAccessible.Text.Name)
            ]
            assert not nameless

    qasync_run(scenario())


def test_the_tab_in_the_real_window_says_why_nothing_can_be_asked(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([WEB]) as opened:
            opened.window.open_instance(WEB.id, "attestation")
            await until(lambda: opened.window.instance_page.panel("attestation") is not None, "the panel")
            panel = opened.window.instance_page.panel("attestation")
            assert isinstance(panel, AttestationPanel)
            await until(lambda: panel.instance_id == WEB.id)
            assert panel.view.headline.title.text() == "Never asked"
            assert panel.ask.isEnabled() is bool(opened.session.attestations.formats(WEB.id))
            await until(lambda: not panel.tasks.is_running("history"))

    qasync_run(scenario())
