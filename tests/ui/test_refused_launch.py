"""A launch that is not what its owner meant, as the window tells of it: what differs, both digests, the evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.domain.operation import OperationKind, OperationStatus
from confvm_gui.engine.guests.image import HEARTBEAT, GuestImage
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.providers.embedded.owner import expected_launch
from confvm_gui.ui.failure_notices import RefusalBanner, refusal_slot
from confvm_gui.ui.panels.attestation.digest_compare import DigestCompare
from confvm_gui.ui.panels.attestation.panel import AttestationPanel
from tests.support.embedded_rig import Hosts, write_records
from tests.support.embedded_window import EmbeddedWindow, embedded_window, window_request
from tests.support.runners import Run
from tests.support.shell_driver import until

GUEST_DIFFERS = "the guest image: heartbeat was launched instead of records"


class OtherGuest(Machine):
    """Launches another of the built-in guests, as long as it is told to."""

    cheats = True

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        return await super().launch(replace(plan, image=GuestImage.load(HEARTBEAT).data) if self.cheats else plan)


class OtherImage(Machine):
    """Changes one bit of the guest's image, which is none of the launches that the owner has an explanation for."""

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        return await super().launch(replace(plan, image=plan.image[:-1] + bytes([plan.image[-1] ^ 1])))


def _click(button: QWidget | None) -> None:
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


async def _refused(opened: EmbeddedWindow, instance_id: str) -> RefusalBanner:
    await until(lambda: opened.window.banners.banner(refusal_slot(instance_id)), "the refusal is told", 20)
    banner = opened.window.banners.banner(refusal_slot(instance_id))
    assert isinstance(banner, RefusalBanner)
    return banner


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP])
def test_another_guest_is_told_with_both_digests_and_its_evidence(
    qasync_run: Run, data_dir: Path, tmp_path: Path, technology: Technology
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir, make_site=Hosts(OtherGuest)) as opened:
            window = opened.window
            records = write_records(tmp_path)
            instance_id = await opened.ask_for(window_request(technology, records))
            banner = await _refused(opened, instance_id)
            assert GUEST_DIFFERS in banner.label.text()
            assert "probe" in banner.label.text()
            await until(lambda: not opened.session.jobs.active(), "the job ended")
            await until(lambda: not opened.session.inventory.all(), "nothing is left of it")
            assert opened.session.jobs.recent()[0].status is OperationStatus.FAILED
            assert window.banners.banner("jobs") is None, "told once"
            assert banner.details is None
            _click(banner.opener)
            (compare,) = banner.findChildren(DigestCompare)
            expected = expected_launch(technology, HostMaintenance.TERMINATE, "records", 0xA10F11)
            other = next(item.digest for item in expected.candidates if item.differs == GUEST_DIFFERS)
            assert (compare.expected, compare.actual) == (expected.digest.hex(), other.hex())
            assert compare.isVisible()
            _click(banner.opener)
            assert not compare.isVisible()
            opened.session.inventory.changes.emit(InventoryChange((), (instance_id,)))  # told of once more
            _click(banner.evidence)
            assert window.page == "evidence"
            page = window._pages["evidence"].widget
            await until(lambda: "differs" in [w.objectName() for w in page.findChildren(QWidget)], "the evidence")
            assert window.banners.banner(refusal_slot(instance_id)) is banner, "it stays until it is put away"
            banner.dismissed.emit()
            assert window.banners.banner(refusal_slot(instance_id)) is None

    qasync_run(scenario(), timeout=50)


def test_an_unexplained_sev_launch_is_known_by_its_keyed_measurement_only(
    qasync_run: Run, data_dir: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir, make_site=Hosts(OtherImage)) as opened:
            instance_id = await opened.ask_for(window_request(Technology.SEV, write_records(tmp_path)))
            banner = await _refused(opened, instance_id)
            assert "no key was released" in banner.label.text()
            _click(banner.opener)
            assert banner.details is not None
            words = [label.text() for label in banner.details.findChildren(type(banner.label))]
            assert any("keyed measurement" in text for text in words)
            await until(lambda: not opened.session.jobs.active(), "the job ended")

    qasync_run(scenario(), timeout=50)


def test_a_refused_start_leads_to_the_instances_own_page(qasync_run: Run, data_dir: Path, tmp_path: Path) -> None:
    async def scenario() -> None:
        hosts = Hosts(OtherGuest)
        async with embedded_window(data_dir, make_site=hosts) as opened:
            window, session = opened.window, opened.session
            OtherGuest.cheats = False
            try:
                request = window_request(Technology.SEV_SNP, write_records(tmp_path))
                made = await opened.launch(request)
                (operation,) = await session.jobs.act(OperationKind.STOP, [made.id])
                await session.jobs.wait(operation.id)
                OtherGuest.cheats = True
                (operation,) = await session.jobs.act(OperationKind.START, [made.id])
                await session.jobs.wait(operation.id)
                banner = await _refused(opened, made.id)
                _click(banner.evidence)
                assert (window.page, window.instance_page.tab) == ("fleet", "attestation")
                await until(lambda: window.instance_page.panel("attestation"), "the panel")
                panel = window.instance_page.panel("attestation")
                assert isinstance(panel, AttestationPanel)
                await until(lambda: panel.view.record and panel.view.record.differs == GUEST_DIFFERS, "the record")
                OtherGuest.cheats = False
                (operation,) = await session.jobs.act(OperationKind.START, [made.id])
                await session.jobs.wait(operation.id)
                await until(lambda: window.banners.banner(refusal_slot(made.id)) is None, "a trusted launch ends it")
            finally:
                OtherGuest.cheats = True

    qasync_run(scenario(), timeout=50)
