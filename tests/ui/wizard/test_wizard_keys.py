"""The wizard's choice of the key that wraps the disk's: those there are, those that cannot be used, and a new one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton

from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.keys import Keys
from confvm_gui.keys.local import LocalKeyStore
from confvm_gui.keys.router import KeyRouter
from confvm_gui.ui.wizard.looks import Note
from tests.support.fake_session import MemoryAudit
from tests.support.runners import Run
from tests.support.shell_driver import until
from tests.support.wizard_driver import opened
from tests.support.wizard_session import StandInSession


def keys_in(data_dir: Path) -> Keys:
    local = LocalKeyStore(data_dir)
    return Keys(KeyRouter({"local": lambda: local}), {}, EventFeed(MemoryAudit(), readonly=False))


def test_a_key_is_chosen_and_one_that_cannot_be_used_says_why(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        keys = keys_in(data_dir)
        await keys.create("local:team")
        await keys.create("local:off")
        await keys.disable("local:off")
        session = StandInSession()
        session.keys = keys
        async with opened(session) as driver:
            await driver.to_data()
            choices = driver.find(QComboBox, "diskKeys")
            await until(lambda: choices.count() == 2, "the keys of this computer")
            unusable = driver.find(Note, "keyUnusable")
            for ref, why in (("local:off", "It cannot be used: Disabled"), ("local:team", "")):
                choices.setCurrentIndex(choices.findText(ref))
                choices.activated.emit(choices.currentIndex())
                assert driver.wizard.draft.request.disk_key == ref
                assert unusable.text().startswith(why)
                assert unusable.isVisible() is bool(why)

    qasync_run(scenario())


def test_a_key_is_made_in_the_wizard_and_chosen(qasync_run: Run, data_dir: Path) -> None:
    async def scenario() -> None:
        session = StandInSession()
        session.keys = keys_in(data_dir)
        async with opened(session) as driver:
            await driver.to_data()
            driver.click("newKey")
            name = driver.wizard.findChild(QLineEdit, "keys-name")
            make = driver.wizard.findChild(QPushButton, "keys-make")
            assert name is not None
            assert make is not None
            QTest.keyClicks(name, "mine")
            QTest.mouseClick(make, Qt.MouseButton.LeftButton)
            await until(lambda: driver.wizard.draft.request.disk_key == "local:mine", "the new key is chosen")
            await until(lambda: "file" in driver.find(QLabel, "keyProtection").text(), "where it is kept")
            assert not name.isVisible()
            assert driver.find(QLineEdit, "diskKey").text() == "local:mine"

    qasync_run(scenario())
