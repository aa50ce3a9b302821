"""The page Hosts: a host is added, tried again and removed by hand, and says how it is."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from confvm_gui.domain.errors import Transient
from confvm_gui.ui.hosts.page import HostsPage
from confvm_gui.ui.wizard.looks import Note
from tests.support.fake_hosts import FakeOpener, with_hosts
from tests.support.fake_session import fake_session
from tests.support.patience import until


def _button(page: HostsPage, name: str) -> QPushButton:
    button = page.findChild(QPushButton, name)
    assert isinstance(button, QPushButton)
    return button


def _type(page: HostsPage, text: str) -> None:
    field = page.findChild(QLineEdit, "hosts-uri")
    assert isinstance(field, QLineEdit)
    field.setText(text)


def _says(page: HostsPage) -> str:
    return page.detail.findChildren(type(page.form.result), "hosts-state")[0].text()


async def test_a_host_is_checked_tested_added_tried_again_and_removed(qtbot: QtBot) -> None:
    session = await fake_session()
    hosts, opener = with_hosts(session)
    page = HostsPage(session, hosts)
    page.show()
    add = _button(page, "hosts-add")
    assert not add.isEnabled()
    _type(page, "http://db1")
    assert "QEMU" in page.form.problem.text()
    assert not add.isEnabled()
    _type(page, "qemu:///system")
    _button(page, "hosts-test").click()
    await until(lambda: "AMD SEV" in page.form.result.text())
    opener.troubles = [Transient("There is no host named db1")]
    await until(add.isEnabled)
    add.click()
    await until(lambda: bool(hosts.entries()) and "no host named db1" in _says(page))
    assert page.form.address.text() == ""
    _button(page, "hosts-retry").click()
    await until(lambda: _says(page) == "Connected")
    assert session.inventory.find("on-libvirt-system")
    facts = [note.text() for note in page.detail.findChildren(Note) if note.objectName().startswith("hosts-fact-")]
    assert facts == ["AMD SEV: 14 ASIDs are left for such guests", "Intel TDX, Intel SGX: no Intel Xeon", "KVM"]
    _button(page, "hosts-remove").click()
    await until(lambda: not hosts.entries())
    assert page.model.rowCount() == 0
    await page.aclose()
    page.deleteLater()
    await session.aclose()


async def test_without_libvirt_the_page_says_how_to_install_it(qtbot: QtBot) -> None:
    session = await fake_session()
    hosts, opener = with_hosts(session)
    assert isinstance(opener, FakeOpener)
    opener.missing_reason = "pip install 'confvm-console[libvirt]'"
    page = HostsPage(session, hosts)
    page.show()
    _type(page, "qemu:///system")
    assert not _button(page, "hosts-add").isEnabled()
    assert any("pip install" in label.text() for label in [page._missing_text])
    await page.aclose()
    page.deleteLater()
    await session.aclose()
