"""The panels of the instance page, driven through their widgets."""

from __future__ import annotations

import time
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.event import Event
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.query import QueryVerb
from confvm_gui.ui.panels.events import PAGE, EventsPanel
from confvm_gui.ui.panels.metrics import MetricsPanel
from confvm_gui.ui.panels.overview.panel import OverviewPanel
from confvm_gui.ui.panels.overview.three_states import Known, protections
from tests.support.fake_provider import make_instance
from tests.support.runners import Run
from tests.support.shell_driver import Opened, open_shell, until

_ONE = make_instance("risk-model")


def _overview(opened: Opened, instance: Instance = _ONE) -> OverviewPanel:
    opened.window.open_instance(instance.id, "overview")
    panel = opened.window.instance_page.panel("overview")
    assert isinstance(panel, OverviewPanel)
    return panel


def _texts(panel: OverviewPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel))


def test_overview_says_what_really_runs_and_that_it_is_emulated(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            text = _texts(_overview(opened))
            assert "the built-in records guest runs in place of" in text
            assert "emulated" in text
            assert "In use" in text

    qasync_run(scenario())


def test_a_plain_vm_is_never_called_encrypted_in_use() -> None:
    plain = make_instance("plain", technology=Technology.NONE, trust=Trust.NOT_APPLICABLE)
    keyed = Known(asked=True, key_ref="local:default", key_state=KeyState.ENABLED)
    assert [one.verdict for one in protections(plain, keyed)] == ["Encrypted", "Seen by the host", "Not encrypted"]
    assert [one.verdict for one in protections(_ONE, keyed)] == ["Encrypted", "Sealed to the guest", "Encrypted"]
    assert protections(_ONE)[0].verdict == "Not known yet"
    assert protections(_ONE, Known(asked=True))[0].verdict == "No disk"
    destroyed = protections(_ONE, replace(keyed, key_state=KeyState.DESTROYED))[0]
    assert (destroyed.verdict, destroyed.role) == ("Unreadable", "danger")
    assert "local:default" in destroyed.detail.replace("\u200b", "")
    assert protections(replace(_ONE, state=InstanceState.CRASHED))[2].verdict == "Not running"
    assert protections(replace(plain, state=InstanceState.STOPPED))[2].verdict == "Not running"
    assert "emulated" in protections(_ONE)[2].detail
    assert "emulated" not in protections(replace(_ONE, emulated=False))[2].detail


def test_of_a_real_host_nothing_is_claimed_that_the_console_does_not_do() -> None:
    there = replace(_ONE, emulated=False, cloud="libvirt")
    assert [one.verdict for one in protections(there, Known(asked=True))][:2] == [
        "By no key of yours",
        "No key is sent",
    ]
    keyed = protections(there, Known(asked=True, key_ref="pkcs11:object=k"))
    assert [one.verdict for one in keyed][:2] == ["Encrypted", "Seen by the host"]
    assert "None of its evidence has been verified" in keyed[1].detail


def test_a_crash_is_told_on_the_overview(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            panel = _overview(opened)
            opened.provider.change(
                replace(_ONE, state=InstanceState.CRASHED, state_reason="The guest faulted at 0x100812")
            )
            await until(lambda: not panel.query.ask.isEnabled())
            assert "0x100812" in _texts(panel)

    qasync_run(scenario())


def test_a_question_and_its_answer(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            box = _overview(opened).query
            await until(lambda: box.column.count() == 5, "the columns")
            box.verb.setCurrentIndex(box.verb.findData(QueryVerb.FIND))
            box.column.setCurrentText("name")
            QTest.keyClicks(box.value, "patient-7")
            QTest.keyClick(box.value, Qt.Key.Key_Return)
            await until(lambda: not box.table.isHidden())
            assert "hash index" in box.message.text()
            model = box.table.model()
            assert model.index(0, 4).data() == "s3cret-7"
            box.column.setCurrentText("no-such")
            box.ask.click()
            await until(lambda: "no column named" in box.message.text())
            assert box.ask.isEnabled()

    qasync_run(scenario())


def test_fields_of_a_question_follow_its_verb(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            box = _overview(opened).query
            seen = {}
            for verb in QueryVerb:
                box.verb.setCurrentIndex(box.verb.findData(verb))
                seen[verb] = (box.column.isHidden(), box.value.isHidden(), box.upper.isHidden())
            assert seen[QueryVerb.RANGE] == (False, False, False)
            assert seen[QueryVerb.STATUS] == (True, True, True)
            assert seen[QueryVerb.PREDICT] == (True, False, True)

    qasync_run(scenario())


def test_events_page_search_and_verify(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            audit = opened.store.audit
            for at in range(PAGE + 50):
                audit.append(Event(time.time(), "root", "instance.test", _ONE.id, f"happening {at}"))
            opened.window.open_instance(_ONE.id, "events")
            panel = opened.window.instance_page.panel("events")
            assert isinstance(panel, EventsPanel)
            await until(lambda: panel.model.rowCount() == PAGE)
            bar = panel.table.verticalScrollBar()

            def scrolled_to_the_end() -> bool:
                bar.setValue(bar.maximum())  # which the table works out when it comes to it
                return panel.model.rowCount() == PAGE + 50

            await until(scrolled_to_the_end)
            opened.session.events.record("instance.test", "one more", subject=_ONE.id)
            await until(lambda: panel.model.record(0).event.message == "one more")
            panel.search.setText("happening 17")
            await until(lambda: 0 < panel.model.rowCount() < 20)
            panel.search.setText("never happened")
            await until(lambda: panel.model.rowCount() == 0)
            panel.verify.click()
            await until(lambda: panel.verdict.banner("verdict") is not None)
            banner = panel.verdict.banner("verdict")
            assert banner is not None
            assert "intact" in banner.label.text()
            audit.broken_at = 12
            panel.verify.click()
            await until(lambda: "from record 12" in _verdict(panel))

    qasync_run(scenario())


def _verdict(panel: EventsPanel) -> str:
    banner = panel.verdict.banner("verdict")
    return banner.label.text() if banner is not None else ""


def test_metrics_have_history_and_follow(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            now = time.time()
            opened.store.samples.append(
                [Sample(_ONE.id, now - 60 + at, 0.25, 64 << 20, 0, at * 100, at) for at in range(60)]
            )
            opened.window.open_instance(_ONE.id, "metrics")
            panel = opened.window.instance_page.panel("metrics")
            assert isinstance(panel, MetricsPanel)
            await until(lambda: len(panel._plots) == 6 and panel._plots[0].figure.text() == "25%", seconds=30)
            opened.session.metrics.changes.emit([Sample(_ONE.id, time.time() + 1, 0.5, 65 << 20, 0, 9999, 70)])
            await until(lambda: [plot.figure.text() for plot in (panel._plots[0], panel._plots[5])] == ["50%", "70"])
            shown = [not plot.card.isHidden() for plot in panel._plots]
            assert shown == [True, True, False, False, True, True]
            assert panel.absent.text().endswith(": Disk, Network")
            later = time.time() + 2
            opened.session.metrics.changes.emit(
                [
                    Sample(_ONE.id, later, 0.5, 65 << 20, 4096, 9999, 70, 0, 1024, 0),
                    Sample(_ONE.id, later + 1, 0.5, 65 << 20, 8192, 9999, 70, 2048, 2048, 512),
                ]
            )
            await until(lambda: panel._plots[2].figure.text() == "read 4.0 KiB/s · written 2.0 KiB/s")
            await until(lambda: panel._plots[3].figure.text() == "received 1.0 KiB/s · sent 512 B/s")
            assert panel.absent.text() == ""

    qasync_run(scenario())


def test_the_memory_tab_is_filled_when_it_is_looked_at(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with open_shell([_ONE]) as opened:
            opened.window.open_instance(_ONE.id, "memory")
            page = opened.window.instance_page
            await until(lambda: page.panel("memory") is not None, seconds=30)
            opened.window.show_tab("overview")
            assert page.tab == "overview"

    qasync_run(scenario())
