"""The part of the tour about who vouches: fresh evidence, a migration, a bundle that is verified again.

Only the file dialog is left out: it is the operating system's on some, and no widget of this window.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QPushButton

from confvm_gui.app.tour.camera import Camera
from confvm_gui.app.tour.hands import TourFailed, click, find, pause, until
from confvm_gui.app.tour.record import Attested, Bundle, Migration, Record, Search
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.attestation_record import AttestationRecord
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.evidence.page import EvidencePage
from confvm_gui.ui.panels.attestation.panel import AttestationPanel
from confvm_gui.ui.shell import ShellWindow

BUNDLE = "evidence-bundle.zip"
REFERENCE = "reference.json"


class Vouching:
    """Does it in one window, and records what is seen."""

    def __init__(self, window: ShellWindow, session: FleetSession, camera: Camera, record: Record) -> None:
        self._window = window
        self._session = session
        self._camera = camera
        self._record = record

    async def ask(self, instance: Instance, form: EvidenceFormat, picture: str) -> None:
        """Ask for fresh evidence on the Attestation tab."""
        panel = await self._panel(instance)
        before = panel.view.record.id if panel.view.record is not None else ""
        forms = panel.findChild(QComboBox, "attestation-format")
        if forms is None or forms.findData(form) < 0:
            raise TourFailed(f"{instance.name} cannot be asked for {form.value}")
        forms.setCurrentIndex(forms.findData(form))
        await click(await find(panel, QPushButton, "attestation-ask"))

        def fresh() -> AttestationRecord | None:
            shown = panel.view.record
            return shown if shown is not None and shown.id != before and shown.verdict.format is form else None

        await until(fresh, f"{instance.name} gave fresh evidence", 20)
        shown = fresh()
        if shown is None:
            raise TourFailed(f"The evidence of {instance.name} went away again")
        verdict = shown.verdict
        severities = [finding.severity for finding in verdict.findings]
        self._record.attestations.append(
            Attested(
                name=instance.name,
                host=self._session.inventory.get(instance.id).host,
                by=shown.by,
                format=verdict.format.value,
                trusted=verdict.trusted,
                emulated=verdict.emulated,
                claims=len(verdict.claims),
                errors=severities.count(Severity.ERROR),
                warnings=severities.count(Severity.WARNING),
            )
        )
        await pause(0.5)
        await self._camera.take(picture)

    async def _panel(self, instance: Instance) -> AttestationPanel:
        self._window.open_instance(instance.id, "attestation")
        page = self._window.instance_page
        await until(lambda: isinstance(page.panel("attestation"), AttestationPanel), "the Attestation tab is there")
        panel = page.panel("attestation")
        if not isinstance(panel, AttestationPanel):
            raise TourFailed("The Attestation tab is not there")
        await until(lambda: panel.instance_id == instance.id and panel.ask.isEnabled(), "evidence can be asked for")
        return panel

    async def migrate(self, instance: Instance, count: Callable[[], Awaitable[Search]]) -> None:
        """Move a running instance to the other host, and look for the text again."""
        self._window.open_instance(instance.id, "overview")
        source = self._session.inventory.get(instance.id).host
        action = self._window.findChild(QAction, "action-migrate")
        if action is None:
            raise TourFailed("There is no action to migrate an instance")
        await until(action.isEnabled, f"{instance.name} can be migrated")
        action.trigger()
        banner = self._window.banners.banner("confirm")
        if banner is None or banner.action_button is None:
            refused = self._window.banners.banner("error")
            raise TourFailed(refused.label.text() if refused is not None else "Nobody asked whether to migrate")
        await pause(0.3)
        await self._camera.take("migration-asks-first")
        began = time.monotonic()
        await click(banner.action_button)
        await until(lambda: self._session.inventory.get(instance.id).host not in ("", source), "it moved", 30)
        seconds = round(time.monotonic() - began, 3)
        target = self._session.inventory.get(instance.id).host
        self._record.migration = Migration(instance.name, source, target, seconds, await count())
        await until(lambda: not self._session.jobs.active(), "the migration is done")
        await pause(0.4)
        await self._camera.take("overview-migrated")

    async def verify_again(self, instance: Instance, folder: Path) -> None:
        """Export the bundle of the evidence in sight into `folder`, and verify it on the page for files."""
        panel = await self._panel(instance)
        await until(lambda: panel.view.record is not None, "the evidence is in sight")
        shown = panel.view.record
        if shown is None:
            raise TourFailed(f"There is no evidence of {instance.name}")
        bundle, reference = folder / BUNDLE, folder / REFERENCE
        panel.write_bundle(bundle)
        await until(bundle.exists, "the bundle was written")
        # Nobody but this computer knows its emulated root: whoever verifies the bundle has to be told of it.
        root = shown.verdict.links[0]
        told = {"name": root.name, "certificate_sha256": root.fingerprint, "emulated": root.emulated}
        await asyncio.to_thread(reference.write_text, json.dumps({"trusted_roots": [told]}), encoding="utf-8")
        self._window.verify_files([bundle, reference])
        page = await find(self._window, EvidencePage, "evidence-page")

        def verified() -> AttestationRecord | None:
            record = page.view.record
            return record if record is not None and record.by == bundle.name else None

        await until(verified, "the bundle is verified")
        record = verified()
        if record is None:
            raise TourFailed("The verdict on the bundle went away again")
        size = (await asyncio.to_thread(bundle.stat)).st_size
        verdict = record.verdict
        self._record.bundle = Bundle(bundle.name, size, verdict.format.value, verdict.trusted, verdict.emulated)
        await pause(0.5)
        await self._camera.take("page-evidence")
