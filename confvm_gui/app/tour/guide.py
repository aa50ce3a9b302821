"""The way through the window: launch, watch, ask, search, look at everything, remove.

A confidential instance, one whose memory has integrity as well, and a plain twin on the same records, so that the
difference can be seen; everything through the widgets that a person would use.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QWidget,
)

from confvm_gui.app.bootstrap import check_data_dir, open_session
from confvm_gui.app.tour.camera import Camera
from confvm_gui.app.tour.hands import TourFailed, choose, click, click_tab, find, pause, press, type_into, until
from confvm_gui.app.tour.record import Record, Search, StateRecorder
from confvm_gui.app.tour.vouching import Vouching
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.query import QueryVerb
from confvm_gui.domain.records import RecordsTable, parse_records
from confvm_gui.domain.records_file import read_records_file
from confvm_gui.fleet.guest_ready import guest_ready
from confvm_gui.fleet.memory.needle import text_patterns
from confvm_gui.fleet.memory.search import search
from confvm_gui.fleet.records import SAMPLE_RECORDS
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.panels.memory.panel import MemoryPanel
from confvm_gui.ui.shell import ShellWindow
from confvm_gui.ui.stall_watchdog import THRESHOLD_MS, StallWatchdog
from confvm_gui.ui.theme import ThemeChoice, theme_controller
from confvm_gui.ui.wizard.choices import ChoiceModel
from confvm_gui.ui.wizard.machine_table import MachineTable

if TYPE_CHECKING:
    from confvm_gui.ui.wizard.wizard import LaunchWizard

WIDTH: Final = 1440
HEIGHT: Final = 900
CONFIDENTIAL: Final = "ledger-confidential"
PLAIN: Final = "ledger-plain-twin"
_REGION: Final = "europe-west4"
INTEGRITY: Final = "ledger-snp"
_IMAGE_WORDS: Final = "ubuntu 22.04"
_UNFIT_MACHINE: Final = "c3-standard-4"
"""Offers Intel TDX only: ticking the box must change it, and says so first."""


async def take_tour(application: QApplication, folder: Path, records: Path | None, data_dir: Path | None) -> int:
    """Do it and write the pictures and `tour.json` into `folder`; 0 if all went well.

    Raises InvalidInput for records or folders that cannot be used, TourFailed when the window does not do its part.
    """
    table = parse_records(await asyncio.to_thread(read_records_file, records or SAMPLE_RECORDS))
    _make_folder(folder)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        lasting = data_dir is not None
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confvm-tour-")))
        session = await open_session(check_data_dir(data_dir), lasting=lasting)
        stack.push_async_callback(session.aclose)
        if session.readonly:
            raise InvalidInput("data-dir", session.readonly_reason)
        for name in (CONFIDENTIAL, PLAIN, INTEGRITY):
            _require_free(session, name)
        watchdog = StallWatchdog()
        window = ShellWindow(session, stalls=watchdog.report)
        stack.push_async_callback(_close, window)
        window.loaded_ahead.connect(gc.freeze)
        window.resize(WIDTH, HEIGHT)
        guide = _Guide(application, window, session, folder, records or SAMPLE_RECORDS, table)
        window.show()
        await session.connect()
        watchdog.start()
        try:
            # As in a start without a tour.
            await asyncio.to_thread(session.catalog.load)
            gc.freeze()
            gc.enable()
            await guide.walk()
        finally:
            watchdog.stop()
            report = watchdog.report()
            record = guide.record
            record.seconds = round(time.monotonic() - began, 2)
            record.longest_stall_ms = round(report.longest_own_ms, 1)
            record.stalls_over_50_ms = sum(s.milliseconds - s.starved_ms > THRESHOLD_MS for s in report.stalls)
            record.longest_delay_ms = round(report.longest_ms, 1)
            record.stalls = [
                {"ms": round(s.milliseconds, 1), "without_cpu_ms": round(s.starved_ms, 1), "stack": s.stack}
                for s in report.stalls
            ]
            guide.finish()
            record.write(folder / "tour.json")
    return 0


class _Guide:
    """Knows the way."""

    def __init__(
        self,
        application: QApplication,
        window: ShellWindow,
        session: FleetSession,
        folder: Path,
        records: Path,
        table: RecordsTable,
    ) -> None:
        self._application = application
        self._window = window
        self._session = session
        self._records = records
        self._table = table
        self._camera = Camera(folder, window)
        self._states = StateRecorder()
        session.events.changes.subscribe(self._states.on_event)
        self.record = Record()
        self._vouching = Vouching(window, session, self._camera, self.record)
        self._folder = folder

    async def walk(self) -> None:
        """From an empty fleet back to an empty fleet."""
        await self._session.inventory.connected("embedded")
        await until(self._window.isVisible, "the window is open")
        await pause(0.4)
        await self._camera.take("fleet-empty")
        confidential = await self._launch(CONFIDENTIAL, Technology.SEV, pictured=True)
        plain = await self._launch(PLAIN, Technology.NONE)
        for instance in (confidential, plain):
            await guest_ready(self._session, instance.id)
        await self._ask(confidential)
        await self._look_at_memory(plain, "memory-plain-twin")
        await self._look_at_memory(confidential, "memory-confidential")
        await self._count_text(confidential)
        await self._count_text(plain)
        await self._look_at_panels(confidential)
        await self._look_at_pages()
        await self._in_the_dark(confidential)
        await self._who_vouches(confidential)
        await self._remove()

    async def _who_vouches(self, confidential: Instance) -> None:
        """Fresh evidence of SEV and of SEV-SNP, a migration, and a bundle that stands for itself."""
        await self._vouching.ask(confidential, EvidenceFormat.SEV_REPORT, "attestation-sev")
        integrity = await self._launch(INTEGRITY, Technology.SEV_SNP)
        await guest_ready(self._session, integrity.id)
        await self._count_text(integrity)
        await self._vouching.ask(integrity, EvidenceFormat.SNP_REPORT, "attestation-snp")
        await self._vouching.migrate(confidential, partial(self._count, confidential))
        await self._vouching.verify_again(integrity, self._folder)
        self._window.show_page("fleet")
        self._window.close_instance()
        await pause(0.3)
        await self._camera.take("fleet-trust")

    def finish(self) -> None:
        """Complete the record with what was gathered on the way."""
        self.record.screenshots = self._camera.pictures
        for instance_id, seen in self.record.instances.items():
            seen.states = self._states.states(instance_id)

    # Launching ------------------------------------------------------------------------------------------------------

    async def _launch(self, name: str, technology: Technology, *, pictured: bool = False) -> Instance:
        await click(await find(self._window, QToolButton, "tool-new"))
        await until(lambda: self._window.wizard is not None and self._window.wizard.isVisible(), "the wizard is open")
        wizard = self._window.wizard
        if wizard is None:
            raise TourFailed("The wizard went away again")
        await self._fill_where(wizard, name, pictured=pictured)
        await self._fill_machine_and_image(wizard, pictured=pictured)
        await self._fill_confidential(wizard, technology, pictured=pictured)
        await self._fill_data(wizard, pictured=pictured)
        if pictured:
            await pause(0.3)
            await self._camera.take("wizard-review", wizard)
            exports = await find(wizard, QTabWidget, "wizard.exports")
            for area in wizard.findChildren(QScrollArea):
                if area.isAncestorOf(exports):
                    area.ensureWidgetVisible(exports)
            await pause(0.2)
            await self._camera.take("wizard-review-commands", wizard)
        began = time.monotonic()
        await click(await find(wizard, QPushButton, "wizard.create"))
        instance = await self._until_running(name)
        if pictured:
            self.record.seconds_to_running = round(time.monotonic() - began, 3)
        return instance

    async def _fill_where(self, wizard: LaunchWizard, name: str, *, pictured: bool) -> None:
        await type_into(await find(wizard, QLineEdit, "wizard.name"), name)
        regions = await find(wizard, QAbstractItemView, "wizard.region")
        await choose(regions, _index_of(regions, _REGION))
        if pictured:
            await pause(0.3)
            await self._camera.take("wizard-where", wizard)
        await self._next(wizard)

    async def _fill_machine_and_image(self, wizard: LaunchWizard, *, pictured: bool) -> None:
        machines = await find(wizard, QAbstractItemView, "wizard.machineType")
        if pictured:
            await choose(machines, _index_of(machines, _UNFIT_MACHINE))
            await pause(0.3)
            await self._camera.take("wizard-machine", wizard)
        await self._next(wizard)
        await find(wizard, QAbstractItemView, "wizard.image")
        if pictured:
            await type_into(await find(wizard, QLineEdit, "wizard.imageSearch"), _IMAGE_WORDS)
            images = await find(wizard, QAbstractItemView, "wizard.image")
            await choose(images, images.model().index(0, 0))
            await type_into(await find(wizard, QLineEdit, "wizard.imageSearch"), "")
            await pause(0.3)
            await self._camera.take("wizard-image", wizard)
        await self._next(wizard)

    async def _fill_confidential(self, wizard: LaunchWizard, technology: Technology, *, pictured: bool) -> None:
        box = await find(wizard, QCheckBox, "wizard.confidential")
        if box.isChecked() != (technology is not Technology.NONE):
            await click(box)
        if technology is not Technology.NONE:
            await click(await find(wizard, QRadioButton, f"wizard.technology.{technology.value}"))
            await pause(0.3)
            if pictured:
                await self._camera.take("wizard-confidential-changes", wizard)
            for button in wizard.findChildren(QPushButton, "wizard.apply"):
                if button.isVisible():
                    await click(button)
            await pause(0.3)
            await self._camera.take(f"wizard-confidential-{technology.value}", wizard)
        await self._next(wizard)

    async def _fill_data(self, wizard: LaunchWizard, *, pictured: bool) -> None:
        await click(await find(wizard, QRadioButton, "wizard.useFile"))
        await type_into(await find(wizard, QLineEdit, "wizard.records"), str(self._records.absolute()))
        forward = await find(wizard, QPushButton, "wizard.next")
        await until(forward.isEnabled, "the records are accepted")
        if pictured:
            await pause(0.3)
            await self._camera.take("wizard-data", wizard)
        await self._next(wizard)

    async def _next(self, wizard: LaunchWizard) -> None:
        await click(await find(wizard, QPushButton, "wizard.next"))

    async def _until_running(self, name: str) -> Instance:
        def running() -> Instance | None:
            try:
                instance = self._session.inventory.find(name)
            except NotFound:
                return None
            return instance if instance.state is InstanceState.RUNNING else None

        await until(running, f"{name} runs")
        instance = self._session.inventory.find(name)
        await until(
            lambda: self._window.page_shown and self._window.instance_page.instance_id == instance.id,
            f"the page of {name} is open",
        )
        self.record.add(instance)
        return instance

    # Looking --------------------------------------------------------------------------------------------------------

    async def _ask(self, instance: Instance) -> None:
        """Ask for the first record by its key, as a person would."""
        self._window.open_instance(instance.id, "overview")
        verb = await find(self._window, QComboBox, "query-verb")
        await until(verb.isEnabled, "the guest can be asked")
        verb.setCurrentIndex(verb.findData(QueryVerb.FIND))
        column = await find(self._window, QComboBox, "query-column")
        column.setEditText(self._table.index_column)
        key = self._table.columns.index(self._table.index_column)
        await type_into(await find(self._window, QLineEdit, "query-value"), self._table.rows[0][key])
        await click(await find(self._window, QPushButton, "query-ask"))
        await find(self._window, QAbstractItemView, "query-answer")
        await pause(0.4)
        await self._camera.take("overview-and-query")

    async def _look_at_memory(self, instance: Instance, picture: str) -> None:
        self._window.open_instance(instance.id, "memory")
        self._window.maximize_page(True)
        panel = await self._memory_panel()
        await click_tab(panel.tabs, panel.search)
        field = await find(self._window, QLineEdit, "memory-search-text")
        await pause(0.6)
        await type_into(field, self._table.rows[0][-1])
        await click(await find(self._window, QPushButton, "memory-search-run"))
        await until(lambda: all(panel.search.result(viewer) for viewer in Viewer), "the search is done", 20)
        if self._jump(panel):
            await pause(0.8)
        await self._camera.take(f"{picture}-search")
        await click_tab(panel.tabs, panel.maps)
        await pause(1.2)
        await self._camera.take(f"{picture}-maps")

    async def _memory_panel(self) -> MemoryPanel:
        def panel() -> QWidget | None:
            return self._window.instance_page.panel("memory")

        await until(panel, "the memory panel is there", 20)
        found = panel()
        if not isinstance(found, MemoryPanel):
            raise TourFailed("The memory panel is not there")
        await until(lambda: not found.is_empty, "the memory panel shows memory")
        return found

    @staticmethod
    def _jump(panel: MemoryPanel) -> bool:
        """Go to the place where the guest has the text, so that both sides of it are in the picture."""
        result = panel.search.result(Viewer.GUEST)
        if result is None or not result.hits:
            return False
        panel.search.jump.emit(Viewer.GUEST, result.hits[0].gpa, len(result.hits[0].pattern.data))
        return True

    async def _count_text(self, instance: Instance) -> None:
        self.record.add(instance).search = await self._count(instance)

    async def _count(self, instance: Instance) -> Search:
        text = self._table.rows[0][-1]
        patterns = text_patterns(text)
        counts = {
            viewer: (await search(self._session.memory(instance.id, viewer), patterns)).count for viewer in Viewer
        }
        return Search(text, counts[Viewer.GUEST], counts[Viewer.HYPERVISOR])

    async def _look_at_panels(self, instance: Instance) -> None:
        for tab, seconds in (("console", 0.4), ("events", 0.5), ("metrics", 1.5)):
            self._window.open_instance(instance.id, tab)
            await pause(seconds)
            await self._camera.take(tab)
        self._window.maximize_page(False)

    async def _look_at_pages(self) -> None:
        for page in ("events", "hosts", "guardrails", "keys", "access", "settings", "help", "about"):
            self._window.show_page(page)
            await pause(0.4)
            await self._camera.take(f"page-{page}")
        self._window.close_instance()
        self._window.show_page("fleet")
        self._window.show_jobs(True)
        await pause(0.4)
        await self._camera.take("fleet-and-jobs")
        self._window.show_jobs(False)

    async def _in_the_dark(self, instance: Instance) -> None:
        theme_controller().apply(ThemeChoice.DARK)
        self._window.open_instance(instance.id, "memory")
        self._window.maximize_page(True)
        await pause(0.8)
        await self._camera.take("memory-confidential-dark")
        self._window.maximize_page(False)
        self._window.show_tab("overview")
        await pause(0.4)
        await self._camera.take("overview-dark")
        theme_controller().apply(ThemeChoice.LIGHT)
        self._window.close_instance()

    # Removing -------------------------------------------------------------------------------------------------------

    async def _remove(self) -> None:
        """Stop, then delete all from the bulk bar."""
        for kind in ("stop", "delete"):
            self._window.fleet.view.setFocus()
            await press(self._window.fleet.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            await pause(0.1)
            await self._bulk(kind)
        await until(lambda: not self._session.inventory.all(), "all instances are gone")
        await pause(0.3)

    async def _bulk(self, kind: str) -> None:
        await click(await find(self._window, QToolButton, f"bulk-{kind}"))
        banner = self._window.banners.banner("confirm")
        if banner is None or banner.action_button is None:
            raise TourFailed(f"Nobody asked whether to {kind}")
        if kind == "delete":
            await pause(0.3)
            await self._camera.take("delete-asks-first")
        await click(banner.action_button)
        if kind == "stop":
            await until(
                lambda: all(i.state is InstanceState.STOPPED for i in self._session.inventory.all()), "all are stopped"
            )


def _index_of(view: QAbstractItemView, key: str) -> QModelIndex:
    model = view.model()
    if not isinstance(model, ChoiceModel | MachineTable):
        raise TourFailed(f"{view.objectName()} does not show choices")
    return model.index_of(key)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput("tour", f"The folder {folder} cannot be made: {error.strerror}") from error


def _require_free(session: FleetSession, name: str) -> None:
    try:
        session.inventory.find(name)
    except NotFound:
        return
    raise InvalidInput("data-dir", f"There is already an instance named {name!r}; give another data directory")


async def _close(window: ShellWindow) -> None:
    await window.aclose()
    window.close_for_good()
    window.deleteLater()
