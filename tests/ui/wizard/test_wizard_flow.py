"""The whole way through the wizard, on real widgets by events."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QWidget,
)

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.fleet.records import SAMPLE_RECORDS
from confvm_gui.ui.wizard.draft import Step
from confvm_gui.ui.wizard.forced_list import ForcedList
from confvm_gui.ui.wizard.region_map import RegionMap
from tests.support.runners import Run
from tests.support.wizard_driver import LEFT, NO_KEY, WizardDriver, opened
from tests.support.wizard_session import StandInInventory, StandInProvider, StandInSession


def test_from_the_name_to_a_confidential_request(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.type_text("name", "genomics-7")
            driver.choose("region", "europe-west4")
            driver.click("next")
            driver.choose("machineType", "n2d-standard-8")
            driver.click("next")
            driver.choose("image", "windows-2022")
            assert "Plain only" in driver.text("imageError")
            driver.click("next")
            assert driver.text("technologyError") == ""
            driver.click("confidential")
            changes = driver.find(ForcedList, "forcedList")
            assert [item.field for item in changes.settings()] == ["min_cpu_platform", "image", "nic_type"]
            assert driver.wizard.draft.request.image == "windows-2022"  # nothing is changed yet
            assert not driver.enabled("next")
            assert "Apply the listed changes" in driver.reason()
            driver.click("apply")
            assert driver.wizard.draft.request.image == "ubuntu-2404-lts-amd64"
            driver.click("secureBoot")
            driver.click("next")
            await driver.until(lambda: driver.enabled("next"), "the sample to be checked")
            driver.click("next")
            driver.type_text("labels", "team=genomics, env=test")
            assert "genomics-7 will be a confidential VM with AMD SEV" in driver.text("headline")
            command = driver.find(QPlainTextEdit, "export.gcloud").toPlainText()
            assert "--confidential-compute-type=SEV" in command
            assert "--labels=env=test,team=genomics" in command
            driver.click("create")
            (request,) = driver.submitted
            assert (request.name, request.region, request.zone) == ("genomics-7", "europe-west4", "europe-west4-a")
            assert (request.machine_type, request.image) == ("n2d-standard-8", "ubuntu-2404-lts-amd64")
            assert (request.technology, request.min_cpu_platform) == (Technology.SEV, "AMD Milan")
            assert request.host_maintenance is HostMaintenance.MIGRATE
            assert (request.secure_boot, request.nic_type) == (True, "GVNIC")
            assert dict(request.labels) == {"team": "genomics", "env": "test"}
            assert request.records is not None
            assert request.records.path == SAMPLE_RECORDS
            assert not driver.enabled("create")
            driver.wizard.accepted_request()
            assert not driver.wizard.isVisible()
            assert driver.cancelled == 0

    qasync_run(scenario())


def test_keeping_it_plain_changes_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            before = driver.wizard.draft.request
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            assert driver.find(QCheckBox, "confidential").isChecked()
            driver.click("keepPlain")
            assert not driver.find(QCheckBox, "confidential").isChecked()
            assert driver.wizard.draft.request == before
            assert driver.enabled("next")

    qasync_run(scenario())


def test_unticking_takes_back_what_only_the_checkbox_needed(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            driver.click("apply")
            assert driver.wizard.draft.request.min_cpu_platform == "AMD Milan"
            driver.click("confidential")
            assert not driver.wizard.draft.request.confidential
            assert driver.wizard.draft.request.min_cpu_platform == ""

    qasync_run(scenario())


def test_another_technology_lists_its_own_changes_first(qasync_run: Run) -> None:
    async def scenario() -> None:
        technologies = frozenset({Technology.SEV, Technology.SEV_SNP})
        session = StandInSession(providers={"embedded": StandInProvider(technologies)})
        async with opened(session) as driver:
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            driver.click("apply")
            driver.click("technology.sev-snp")
            fields = [item.field for item in driver.find(ForcedList, "forcedList").settings()]
            assert fields == ["host_maintenance"]
            assert "Keep AMD SEV" in driver.find(QPushButton, "keepPlain").text().replace("&", "")
            driver.click("keepPlain")
            assert driver.find(QRadioButton, "technology.sev").isChecked()
            driver.click("technology.sev-snp")
            driver.click("apply")
            assert driver.wizard.draft.request.technology is Technology.SEV_SNP

    qasync_run(scenario())


def test_technologies_that_the_provider_lacks_are_there_with_the_reason(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(3):
                driver.click("next")
            radio = driver.find(QRadioButton, "technology.tdx")
            assert not radio.isEnabled()
            assert "does not emulate Intel TDX" in radio.accessibleDescription()
            assert "in place of a firmware" in driver.text("shieldedNote")
            assert driver.find(QRadioButton, "technology.sev").isEnabled()
            assert not driver.find(QCheckBox, "attest").isVisible(), "a plain VM has nothing to attest"

    qasync_run(scenario())


def test_attestation_before_keys_is_asked_for_and_can_be_left_out(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            draft = driver.wizard.draft
            if draft.pending is not None:
                driver.click("apply")
            assert driver.find(QCheckBox, "attest").isVisible()
            assert driver.find(QCheckBox, "attest").isChecked()
            assert "before the disk's key leaves" in driver.text("attestNote")
            driver.click("attest")
            assert not draft.request.attest
            assert "without a look at it" in driver.text("attestNote")
            assert any("without attestation" in note for note in draft.plan.notes)

    qasync_run(scenario())


def test_a_taken_name_is_told_while_it_is_typed(qasync_run: Run) -> None:
    async def scenario() -> None:
        session = StandInSession(StandInInventory(["confidential-1", "web"]))
        async with opened(session) as driver:
            assert driver.find(QLineEdit, "name").text() == "confidential-2"
            driver.type_text("name", "web")
            assert "exists already" in driver.text("nameError")
            assert not driver.enabled("next")
            assert "exists already" in driver.reason()
            driver.click("useSuggestion")
            assert driver.find(QLineEdit, "name").text() == "web-2"
            assert driver.enabled("next")
            session.inventory.add("web-2")  # another console was faster
            assert "exists already" in driver.text("nameError")
            assert not driver.enabled("next")
            driver.type_text("name", "Web 3")
            assert "lower-case" in driver.text("nameError")
            driver.type_text("name", "")
            assert "Give the instance a name" in driver.text("nameError")

    qasync_run(scenario())


def test_list_map_and_search_show_the_same_region(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            world = driver.find(RegionMap, "map")
            driver.choose("region", "asia-southeast1")
            assert world.selected() == "asia-southeast1"
            world.set_zoom(3)
            world.select("")
            world.select("asia-southeast1")
            QTest.mouseClick(world, LEFT, NO_KEY, world.position_of("us-central1"))
            draft = driver.wizard.draft
            await driver.until(lambda: draft.request.region in ("us-central1", "asia-southeast1"))
            world.set_zoom(1)
            QTest.mouseClick(world, LEFT, NO_KEY, world.position_of("australia-southeast1"))
            assert draft.request.region == "australia-southeast1"
            view = driver.find(QAbstractItemView, "region")
            assert view.currentIndex().data() == "australia-southeast1"
            assert driver.find(QComboBox, "zone").currentData() == draft.request.zone
            driver.type_text("regionSearch", "netherlands")
            await driver.until(lambda: view.model().rowCount() == 1)
            assert draft.request.region == "australia-southeast1"  # searching chooses nothing
            driver.choose("region", "europe-west4")
            assert world.selected() == "europe-west4"
            QTest.mouseClick(world, LEFT, NO_KEY, world.position_of("us-west1"))
            assert view.currentIndex().data() == draft.request.region

    qasync_run(scenario())


def test_another_zone_can_be_chosen_with_the_keyboard(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            zone = driver.find(QComboBox, "zone")
            zone.setFocus()
            QTest.keyClick(zone, Qt.Key.Key_Down)
            assert driver.wizard.draft.request.zone == "us-central1-b"

    qasync_run(scenario())


def test_what_does_not_fit_once_it_is_confidential_stops_next_with_the_reason(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            driver.click("apply")
            driver.click("back")
            driver.choose("image", "windows-2022")
            assert not driver.enabled("next")
            assert "SEV_CAPABLE" in driver.reason()
            assert "SEV_CAPABLE" in driver.text("imageError")
            driver.choose("image", "ubuntu-2004-lts")
            assert driver.enabled("next")
            driver.click("back")
            driver.choose("machineType", "c3-standard-4")
            assert "not AMD SEV" in driver.reason()

    qasync_run(scenario())


def test_pending_changes_follow_choices_made_on_other_pages(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            for _ in range(3):
                driver.click("next")
            driver.click("confidential")
            driver.click("back")
            driver.choose("image", "windows-2022")
            driver.click("next")
            fields = [item.field for item in driver.find(ForcedList, "forcedList").settings()]
            assert "image" in fields

    qasync_run(scenario())


def test_going_back_and_forth_loses_nothing(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.type_text("name", "kept")
            driver.choose("region", "europe-west4")
            await driver.to_data()
            driver.type_text("diskKey", "local:team")
            before = driver.wizard.draft.request
            for _ in range(4):
                driver.click("back")
            assert driver.find(QLineEdit, "name").text() == "kept"
            assert not driver.enabled("back")
            for _ in range(4):
                driver.click("next")
            assert driver.wizard.draft.request == before
            assert driver.find(QLineEdit, "diskKey").text() == "local:team"

    qasync_run(scenario())


def test_another_cloud_and_back_keeps_both_choices(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            driver.choose("region", "europe-west4")
            cloud = driver.find(QComboBox, "cloud")
            cloud.setFocus()
            QTest.keyClick(cloud, Qt.Key.Key_Down)
            draft = driver.wizard.draft
            assert draft.request.cloud == "azure"
            driver.choose("region", "eastus")
            QTest.keyClick(cloud, Qt.Key.Key_Up)
            assert draft.request.region == "europe-west4"
            QTest.keyClick(cloud, Qt.Key.Key_Down)
            assert draft.request.region == "eastus"
            await driver.to_data()
            driver.click("next")
            assert not driver.find(QPlainTextEdit, "export.gcloud").isVisible()
            assert any("is not there yet" in text for text in label_texts(driver))

    qasync_run(scenario())


def label_texts(driver: WizardDriver) -> list[str]:
    return [label.text() for label in driver.wizard.findChildren(QLabel) if label.isVisible()]


def test_keyboard_alone_is_enough(qasync_run: Run) -> None:
    async def scenario() -> None:
        async with opened() as driver:
            wizard = driver.wizard

            def focused() -> QWidget:
                widget = wizard.focusWidget()
                assert widget is not None
                return widget

            def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
                QTest.keyClick(focused(), key, modifiers)

            assert focused() is driver.find(QLineEdit, "name")
            press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClicks(focused(), "by-keys")
            press(Qt.Key.Key_Return)
            assert wizard.current_step() is Step.MACHINE
            before = wizard.draft.request.machine_type
            press(Qt.Key.Key_Down)
            assert wizard.draft.request.machine_type != before
            press(Qt.Key.Key_Return)
            assert wizard.current_step() is Step.IMAGE
            press(Qt.Key.Key_Up)
            press(Qt.Key.Key_Return)
            assert wizard.current_step() is Step.CONFIDENTIAL
            press(Qt.Key.Key_Space)
            assert wizard.draft.pending is not None
            assert focused() is driver.find(QPushButton, "apply")
            press(Qt.Key.Key_Space)
            assert wizard.draft.request.confidential
            press(Qt.Key.Key_Return)
            assert wizard.current_step() is Step.DATA
            await driver.until(lambda: driver.enabled("next"), "the sample to be checked")
            press(Qt.Key.Key_Return)
            assert wizard.current_step() is Step.REVIEW
            press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            await driver.until(lambda: bool(driver.submitted))
            assert driver.submitted[0].name == "by-keys"

    qasync_run(scenario())
