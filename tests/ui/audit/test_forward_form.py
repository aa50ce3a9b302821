"""Forwarding through the real window, to a syslog server over TLS that behaves as it is told to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QPushButton

from confvm_gui.domain.roles import Role
from confvm_gui.fleet.audit.forward import Delivered
from confvm_gui.fleet.roles.assignments import Assignments
from confvm_gui.ui.audit.forward_form import ForwardForm
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.stored_window import StoredWindow, stored_window
from tests.unit.fleet.audit.syslog_server import HOST, SyslogServer, make_certificate, syslog_server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path / "server.pem")


def form_of(opened: StoredWindow) -> ForwardForm:
    opened.window.show_page("events")
    opened.find(QPushButton, "events-forward").setChecked(True)
    return opened.find(ForwardForm, "forward-form")


def type_in(form: ForwardForm, port: int | str, certificate: Path | str, host: str = HOST) -> None:
    form.host.setText(host)
    form.port.setText(str(port))
    form.authorities.setText(str(certificate))


def wrap(opened: StoredWindow, number: int) -> None:
    opened.session.events.record("key.wrap", f"Wrapped {number}")


async def confirmed(opened: StoredWindow) -> None:
    """Wait until it is noted that the server has everything."""
    destination = opened.session.forwarding.destination
    assert destination is not None
    delivered = Delivered.of(opened.session.data_dir, destination)
    head = await opened.session.store.audit.head()
    await until(lambda: delivered.read() >= head.sequence)


def wrapped(server: SyslogServer) -> list[int]:
    found = (re.search(rb"Wrapped (\d+)", message) for message in server.messages)
    return [int(each[1]) for each in found if each is not None]


def test_a_server_is_tested_chosen_and_gets_the_log(qasync_run: Run, data_dir: Path, certificate: Path) -> None:
    async def scenario() -> None:
        with syslog_server(certificate) as server:
            async with stored_window(data_dir) as opened:
                form = form_of(opened)
                await until(lambda: form.state.text() == "The log is not forwarded.")
                assert not form.test.isEnabled()
                type_in(form, server.port, certificate)
                form.test.click()
                await until(lambda: form.result.text() == f"{HOST}:{server.port} answers, and has proved who it is.")
                assert server.seen == []
                assert opened.session.forwarding.destination is None
                wrap(opened, 1)
                await until(form.save.isEnabled)
                form.save.click()
                await until(lambda: "is forwarded to" in form.result.text())
                await until(lambda: wrapped(server) == [1])
                await until(lambda: form.state.text().startswith(f"{HOST}:{server.port} has the whole log"))
                form.stop.click()
                await until(lambda: form.state.text() == "The log is not forwarded.")
                assert form.stop.isHidden()

    qasync_run(scenario())


def test_the_queue_stays_on_disk_over_a_restart_while_the_server_is_down(
    qasync_run: Run, data_dir: Path, certificate: Path
) -> None:
    async def scenario() -> None:
        with syslog_server(certificate) as server:
            port = server.port
            async with stored_window(data_dir) as opened:
                form = form_of(opened)
                type_in(form, port, certificate)
                form.save.click()
                await until(lambda: opened.session.forwarding.destination is not None)
                wrap(opened, 1)
                await until(lambda: wrapped(server) == [1])
                # That it has been confirmed is noted a moment later; before that, it would be sent again.
                await confirmed(opened)
        async with stored_window(data_dir) as opened:
            wrap(opened, 2)
            form = form_of(opened)
            assert (form.host.text(), form.port.text(), form.authorities.text()) == (HOST, str(port), str(certificate))
            await until(lambda: f"The syslog server {HOST}:{port} did not take the records" in form.state.text())
            assert re.search(r"[1-9]\d* record.* on disk", form.state.text())
            assert "tried again by itself" in form.state.text()
        with syslog_server(certificate, port=port) as server:
            async with stored_window(data_dir) as opened:
                form = form_of(opened)
                await until(lambda: 2 in wrapped(server))
                await until(lambda: "has the whole log" in form.state.text())
        assert wrapped(server) == [2], "what was confirmed before is not sent again"

    qasync_run(scenario())


def test_a_server_with_a_wrong_certificate_is_refused_in_words(
    qasync_run: Run, data_dir: Path, certificate: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        other = make_certificate(tmp_path / "other.pem")
        with syslog_server(other) as server:
            async with stored_window(data_dir) as opened:
                form = form_of(opened)
                type_in(form, server.port, certificate)
                form.test.click()
                await until(lambda: "cannot prove who it is" in form.result.text())
                await until(form.save.isEnabled)
                form.save.click()
                await until(lambda: "cannot prove who it is" in form.state.text())
                assert server.seen == []

    qasync_run(scenario())


@pytest.mark.parametrize(
    ("host", "port", "ca", "wrong", "words"),
    [
        ("https://log", "", "", "host", "name or the address"),
        (HOST, "70000", "", "port", "from 1 to 65535"),
        (HOST, "", "/nowhere.pem", "ca", "cannot be used"),
    ],
)
def test_what_is_wrong_is_said_below_its_field(
    qasync_run: Run, data_dir: Path, host: str, port: str, ca: str, wrong: str, words: str
) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            form = form_of(opened)
            type_in(form, port, ca, host)
            for button in (form.test, form.save):
                await until(button.isEnabled)
                button.click()
                await until(lambda: words in form.problems[wrong].text())
                assert [name for name, label in form.problems.items() if not label.isHidden()] == [wrong]
                form.host.setText(form.host.text() + "x")
                assert form.problems[wrong].isHidden(), "until something else is typed"
                form.host.setText(host)
            assert opened.session.forwarding.destination is None

    qasync_run(scenario())


def test_a_file_of_authorities_is_chosen_without_a_modal_dialog(
    qasync_run: Run, data_dir: Path, certificate: Path
) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            form = form_of(opened)
            form.browse.click()
            (dialog,) = form.findChildren(QFileDialog)
            dialog.fileSelected.emit(str(certificate))
            dialog.close()
            assert form.authorities.text() == str(certificate)

    qasync_run(scenario())


def test_who_may_not_forward_reads_why(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        async with stored_window(data_dir) as opened:
            access = opened.session.access
            access.assignments = Assignments({access.user: frozenset({Role.OPERATOR})})
            form = form_of(opened)
            form.host.setText("log.example")
            assert not form.save.isEnabled()
            assert not form.test.isEnabled()
            assert "export or forward the audit log" in form.result.text()
        async with stored_window(data_dir, readonly=True) as opened:
            assert "for reading only" in form_of(opened).result.text()

    qasync_run(scenario())
