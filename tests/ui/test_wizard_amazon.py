"""A confidential instance in AWS, made through the real window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import InstanceState
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.theme import theme_controller
from tests.support.amazon_ec2 import FakeEc2, amazon_ec2
from tests.support.amazon_rig import UNHURRIED
from tests.support.google_accounts import cloud_session
from tests.support.patience import until
from tests.support.wizard_driver import WizardDriver


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FakeEc2]:
    with amazon_ec2(tmp_path) as (_site, fake):
        yield fake


@pytest.mark.timeout(120)
async def test_the_wizard_makes_an_snp_instance(qtbot: QtBot, service: FakeEc2, data_dir: Path) -> None:
    async with cloud_session(data_dir, patience=UNHURRIED) as cloud:
        entry = await cloud.accounts.add("aws", "default", "prod")
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
            wizard.wizard.draft.choose_image("al2023-ami-kernel-6.1-x86_64")  # of those that moto has in each region
            for _ in range(3):
                wizard.click("next")
            wizard.click("confidential")
            if wizard.wizard.draft.pending is not None:
                wizard.click("apply")
            wizard.click("next")
            wizard.click("next")
            command = wizard.find(QPlainTextEdit, "export.aws").toPlainText()
            assert command.startswith("aws ec2 run-instances")
            assert "AmdSevSnp=enabled" in command
            assert 'resource "aws_instance" "ledger"' in wizard.find(QPlainTextEdit, "export.terraform").toPlainText()
            wizard.click("create")
            await until(lambda: len(service.launches) == 1)
            await until(lambda: [each.state for each in cloud.session.inventory.all()] == [InstanceState.RUNNING])
            assert cloud.session.inventory.find("ledger", entry.name).technology is Technology.SEV_SNP
            assert service.launches[0]["CpuOptions.AmdSevSnp"] == "enabled"
            await until(lambda: not cloud.session.jobs.active())
        finally:
            window.close_for_good()
            await window.aclose()
            window.deleteLater()
            theme_controller().withdraw()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
