"""The page Cloud accounts, and a confidential instance in Google Cloud, made through the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton, QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import InstanceState
from confvm_gui.fleet.accounts import AccountEntry
from confvm_gui.ui.accounts.page import AccountsPage
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from confvm_gui.ui.wizard.looks import Note
from tests.support.google_accounts import cloud_session, key_file, public_key
from tests.support.google_compute import PROJECT, FakeCompute, google_compute
from tests.support.patience import until
from tests.support.tls_site import TlsSite
from tests.support.wizard_driver import WizardDriver

W = TypeVar("W", bound=QWidget)


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[TlsSite, FakeCompute]]:
    with google_compute(tmp_path) as (site, fake):
        fake.public_key = public_key()
        yield site, fake
    assert fake.refused == []


def find(page: QWidget, kind: type[W], name: str) -> W:
    found = page.findChild(kind, f"accounts-{name}")
    assert isinstance(found, kind), f"there is no accounts-{name}"
    return found


async def test_an_account_is_tested_added_and_removed_by_hand(
    qtbot: QtBot, google: tuple[TlsSite, FakeCompute], data_dir: Path, tmp_path: Path
) -> None:
    site, fake = google
    fake.put("theirs")
    path = tmp_path / "key.json"
    path.write_text(key_file(site))
    async with cloud_session(data_dir) as cloud:
        page = AccountsPage(cloud.session, cloud.accounts)
        page.show()
        add, result = find(page, QPushButton, "add"), find(page, Note, "result")
        find(page, QLineEdit, "scope").setText("No")
        assert "project id" in find(page, QWidget, "problem").property("text")
        find(page, QLineEdit, "scope").setText(PROJECT)
        find(page, QRadioButton, "key").click()
        assert not add.isEnabled()
        find(page, QLineEdit, "path").setText(str(tmp_path / "none.json"))
        find(page, QPushButton, "test").click()
        await until(lambda: "cannot be read" in result.text())
        find(page, QLineEdit, "path").setText(str(path))
        find(page, QPushButton, "test").click()
        await until(lambda: "compute.instances.delete" in result.text())
        find(page, QCheckBox, "readonly").click()
        add.click()
        await until(lambda: find(page, Note, "state").text() == "Connected")
        assert cloud.accounts.entries() == (AccountEntry(f"gce-{PROJECT}", "gce", PROJECT, True, True),)
        find(page, QPushButton, "switch-readonly").click()
        await until(lambda: not cloud.accounts.entries()[0].readonly)
        find(page, QPushButton, "test-kept").click()
        await until(lambda: "compute.zones.list" in find(page, Note, "result-kept").text())
        find(page, QPushButton, "remove").click()
        await until(lambda: not cloud.accounts.entries())
        await until(lambda: not cloud.shelf.kept)
        await page.aclose()
        page.deleteLater()


async def test_the_wizard_makes_a_confidential_instance_in_google_cloud(
    qtbot: QtBot, google: tuple[TlsSite, FakeCompute], data_dir: Path
) -> None:
    site, fake = google
    async with cloud_session(data_dir) as cloud:
        entry = await cloud.accounts.add("gce", PROJECT, "prod", secret=key_file(site), own_secret=True)
        await cloud.session.inventory.connected(entry.name)
        window = ShellWindow(cloud.session)
        try:
            window.resize(1280, 820)
            window.show()
            window.launch.begin()
            await until(lambda: window.launch.wizard is not None and window.launch.wizard.isVisible())
            assert window.launch.wizard is not None
            wizard = WizardDriver(window.launch.wizard)
            assert wizard.wizard.draft.request.provider == entry.name
            assert "costs money" in wizard.text("providerNote")
            wizard.type_text("name", "ledger")
            for _ in range(3):
                wizard.click("next")
            wizard.click("confidential")
            if wizard.wizard.draft.pending is not None:
                wizard.click("apply")
            wizard.click("next")
            assert "no records" in wizard.text("noDisk")
            wizard.click("next")
            wizard.click("create")
            await until(lambda: fake.names() == ["ledger"])
            await until(lambda: [each.state for each in cloud.session.inventory.all()] == [InstanceState.RUNNING])
            assert cloud.session.inventory.find("ledger", entry.name).technology is Technology.SEV
            (body,) = fake.inserts
            assert body["confidentialInstanceConfig"] == {"confidentialInstanceType": "SEV"}
            await until(lambda: not cloud.session.jobs.active())
        finally:
            window.close_for_good()
            await window.aclose()
            window.deleteLater()
            theme_controller().withdraw()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
