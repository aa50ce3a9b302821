"""The window: fleet, instance page, jobs, and the pages beside them.

Only the fleet is built at once, everything else when it is first looked at. Nothing here waits; what takes time is a
task, and its problem becomes a banner at the top.

Object names for tests and the tour: `fleet-filter`, `fleet-table`, `bulk-bar`, `bulk-start` …, `instance-page`,
`instance-tabs`, `jobs-panel`, `events-panel`, `evidence-page`, `guardrails-page`, `drop-hint`, `settings-panel`,
`help-panel`, `about-panel`, `command-palette`, `navigation`, `tool-new`, `status-jobs`, actions `action-new` ….
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.fleet.inventory import InventoryChange, ProviderStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.actions import KINDS, ShellActions
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.crash_notice import CrashNotice
from confvm_gui.ui.evidence.drop_area import EvidenceDrop
from confvm_gui.ui.failure_notices import FailureNotices
from confvm_gui.ui.fleet_page import FleetPage
from confvm_gui.ui.icons import pixmap
from confvm_gui.ui.instance_requests import InstanceRequests
from confvm_gui.ui.launch_flow import LaunchFlow
from confvm_gui.ui.line_splitter import LineSplitter
from confvm_gui.ui.load_ahead import PAUSE_MS, load_ahead
from confvm_gui.ui.models.fleet_model import FleetModel
from confvm_gui.ui.navigation_rail import NavigationRail
from confvm_gui.ui.on_screen import fitting
from confvm_gui.ui.preferences import GEOMETRY, LANGUAGE, text_setting, theme_setting
from confvm_gui.ui.rights import Rights
from confvm_gui.ui.status_line import StatusLine
from confvm_gui.ui.text import count_text
from confvm_gui.ui.theme import theme_controller
from confvm_gui.ui.translations import use_language
from confvm_gui.ui.window_pages import WindowPage, make_page

if TYPE_CHECKING:
    from confvm_gui.ui.command_palette import CommandPalette
    from confvm_gui.ui.instance_page import InstancePage
    from confvm_gui.ui.panels.jobs import JobsPanel
    from confvm_gui.ui.stall_watchdog import StallReport
    from confvm_gui.ui.wizard.wizard import LaunchWizard

_FLEET_WIDTH = 430
"""Pixels that the fleet keeps beside an instance page, at most; in a narrow window a share of it."""
_FLEET_SHARE = 0.36


class ShellWindow(QMainWindow):
    """The main window over one session. `aclose` ends what it runs; the session is closed by whoever began it."""

    closed = Signal()
    """The window was closed for good."""
    loaded_ahead = Signal()  # all that is made before anybody asks is there

    def __init__(self, session: FleetSession, *, stalls: Callable[[], StallReport | None] = lambda: None) -> None:
        # Before anything is made: words are looked up and fonts resolved as widgets are made.
        use_language(text_setting(session.settings, LANGUAGE, "system"))
        theme_controller().apply(theme_setting(session.settings))
        super().__init__()
        self.session = session
        self._stalls = stalls
        self.setObjectName("shell")
        self.setWindowTitle(self.tr("ConfVM Console"))
        self.setWindowIcon(QIcon(pixmap("confvm", "#000000", 64)))
        self.setMinimumSize(880, 560)
        self.resize(fitting(QSize(1280, 800), self.screen()))
        self.tasks = TaskKeeper("ShellWindow", self.show_error)
        self._subscriptions = Subscriptions()
        self._may_close = False
        self._preloaded = False
        self._expected = ""
        self._palette: CommandPalette | None = None
        self._instance_page: InstancePage | None = None
        self._jobs_panel: JobsPanel | None = None
        self._pages: dict[str, WindowPage] = {}
        self.model = FleetModel(self)
        self.actions_ = ShellActions(self)
        self.banners = BannerStack()
        self.requests = InstanceRequests(session, self.tasks, self.banners, self.show_error)
        self.launch = LaunchFlow(session, self.tasks, self)
        self.rights = Rights(session, self.banners, self.actions_, self._offer_actions)
        self.fleet = FleetPage(self.model, session.settings)
        self.crashes = CrashNotice(session, self.banners, self.actions_.filter.trigger, self.fleet.filter.set_text)
        self.failures = FailureNotices(session, self.banners, lambda: self.show_jobs(True), self.show_record)
        self.status_line = StatusLine(session)
        self.drop = EvidenceDrop(self)
        self._build()
        self._connect()
        # What is loaded ahead competes with the window for the interpreter: only after the fleet is there.
        self.model.loaded.connect(self._plan_preload)
        self.model.load(session.inventory.all())
        self._restore_geometry()
        self._offer_actions()
        self.fleet.view.setFocus(Qt.FocusReason.OtherFocusReason)

    # Building

    def _build(self) -> None:
        self.rail = NavigationRail()
        self.splitter = LineSplitter(Qt.Orientation.Horizontal)
        self.splitter.add(self.fleet)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.splitter)
        self._pages["fleet"] = WindowPage(self.splitter)
        self._drawer = LineSplitter(Qt.Orientation.Vertical)
        self._drawer.add(self.stack)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banners)
        column.addWidget(self._drawer, 1)
        central = QWidget()
        row = QHBoxLayout(central)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(column, 1)
        self.setCentralWidget(central)
        self.setStatusBar(self.status_line)
        self.actions_.fill_menus()
        bar = self.actions_.make_tool_bar()
        self.addToolBar(bar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.rail.show_page("fleet")
        for part in (self.menuBar(), bar, self.rail, self.banners, self.fleet, self.status_line):
            theme_controller().dress(part)
        self.rights.show()

    def _connect(self) -> None:
        actions = self.actions_
        actions.connect_all(
            {
                actions.new: self.new_instance,
                actions.quit: self.close_window,
                actions.palette: self.show_palette,
                actions.filter: self._focus_filter,
                actions.jobs: lambda: self.show_jobs(actions.jobs.isChecked()),
                actions.maximize: self._toggle_maximized,
                actions.close_page: self.close_instance,
                **{action: partial(self.perform, kind) for kind, action in actions.on_instances.items()},
                **{action: partial(self.show_page, key) for key, action in actions.pages.items()},
                **{action: partial(self.show_tab, key) for key, action in actions.tabs.items()},
            }
        )
        self.rail.wanted.connect(self.show_page)
        self.drop.dropped.connect(self.verify_files)
        self.fleet.new_wanted.connect(self.new_instance)
        self.fleet.bulk_wanted.connect(self.perform)
        self.fleet.menu_wanted.connect(self._show_instance_menu)
        self.fleet.view.opened.connect(self.open_instance)
        self.fleet.view.current_changed.connect(self._current_changed)
        self.launch.accepted.connect(self._launch_accepted)
        self.model.marks_changed.connect(self._offer_actions)
        self.status_line.jobs_wanted.connect(lambda: self.show_jobs(not self.jobs_shown))
        self.requests.approvals_wanted.connect(lambda: self.show_page("access"))
        self._subscriptions.add(self.session.access.changes, self.rights.changed)
        self._subscriptions.add(self.session.inventory.changes, self._inventory_changed)
        self._subscriptions.add(self.session.inventory.provider_changes, self._provider_changed)

    # Pages

    def show_page(self, key: str) -> None:
        """Show one of `actions.PAGES`."""
        page = self._page(key)
        if page.refresh is not None:
            page.refresh()
        self.stack.setCurrentWidget(page.widget)
        self.rail.show_page(key)

    def verify_files(self, files: list[Path]) -> None:
        """Show the page for evidence files, and verify these."""
        self.show_page("evidence")
        if (take := self._pages["evidence"].take_files) is not None:
            take(files)

    def show_record(self, instance_id: str, record_id: str) -> None:
        """Show a verdict: on the instance's page, or, where a launch was undone, on the page for evidence files."""
        kept = {one.id for one in self.session.inventory.all() if one.state is not InstanceState.CREATING}
        if instance_id in kept:
            self.open_instance(instance_id, "attestation")
            self.instance_page.show_record(record_id)
            return
        self.show_page("evidence")
        if (show := self._pages["evidence"].show_record) is not None:
            show(record_id)

    def _page(self, key: str) -> WindowPage:
        if key not in self._pages:
            page = self._pages[key] = make_page(key, self.session, self._stalls, self.show_error, self)
            theme_controller().dress(page.widget)
            self.stack.addWidget(page.widget)
        return self._pages[key]

    @property
    def page(self) -> str:  # key of the page in sight
        return next(key for key, page in self._pages.items() if page.widget is self.stack.currentWidget())

    # The instance page

    @property
    def instance_page(self) -> InstancePage:
        """Made at first use."""
        if self._instance_page is None:
            from confvm_gui.ui.instance_page import InstancePage

            page = InstancePage(self.session)
            page.problem.connect(self.show_error)
            page.close_wanted.connect(self.close_instance)
            page.maximize_wanted.connect(self.maximize_page)
            page.hide()
            self.splitter.add(page)
            self.splitter.setStretchFactor(0, 0)
            self.splitter.setStretchFactor(1, 1)
            self._instance_page = page
        return self._instance_page

    @property
    def page_shown(self) -> bool:
        """Whether an instance page is open."""
        return self._instance_page is not None and not self._instance_page.isHidden()

    def open_instance(self, instance_id: str, tab: str = "") -> None:
        """Show the page of an instance, perhaps with a tab of it in front."""
        self.show_page("fleet")
        self.fleet.view.set_current(instance_id)
        page = self.instance_page
        if tab:
            page.show_tab(tab)
        if page.isHidden():
            page.show()
            if not page.maximize.isChecked():
                self._share_width()
        page.set_instance(instance_id)
        self._offer_actions()

    def close_instance(self) -> None:
        """Give the whole window to the fleet."""
        if self._instance_page is not None:
            self._instance_page.maximize.setChecked(False)
            self._instance_page.hide()
            self._instance_page.set_instance("")
            self.fleet.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._offer_actions()

    def show_tab(self, key: str) -> None:
        """Show a tab of the current instance: `overview`, `memory`, `console`, `events`, `metrics` or `attestation`."""
        if self.fleet.view.current_id:
            self.open_instance(self.fleet.view.current_id, key)

    def maximize_page(self, on: bool) -> None:
        """Give the whole window to the instance page, or share it with the fleet."""
        self.fleet.setVisible(not on)
        if self._instance_page is not None:
            self._instance_page.maximize.setChecked(on)
            if not on:
                self._share_width()

    def _share_width(self) -> None:
        fleet = min(_FLEET_WIDTH, round(self.width() * _FLEET_SHARE))
        self.splitter.setSizes([fleet, self.width() - fleet])

    def _toggle_maximized(self) -> None:
        if self._instance_page is not None and self.page_shown:
            self.maximize_page(not self._instance_page.maximize.isChecked())

    def _current_changed(self, instance_id: str) -> None:
        if self.page_shown and instance_id:
            self.instance_page.set_instance(instance_id)
        self._offer_actions()

    # Jobs

    @property
    def jobs_shown(self) -> bool:
        return self._jobs_panel is not None and not self._jobs_panel.isHidden()

    def show_jobs(self, on: bool = True) -> None:
        """Open or close the drawer with the jobs."""
        if self._jobs_panel is None:
            if not on:
                return
            from confvm_gui.ui.panels.jobs import JobsPanel

            self._jobs_panel = JobsPanel(self.session)
            self._jobs_panel.problem.connect(self.show_error)
            self._jobs_panel.closed.connect(lambda: self.show_jobs(False))
            theme_controller().dress(self._jobs_panel)
            self._drawer.add(self._jobs_panel)
            self._drawer.setStretchFactor(0, 1)
            self._drawer.setStretchFactor(1, 0)
            self._drawer.setSizes([10_000, 230])
        self._jobs_panel.setVisible(on)
        self.actions_.jobs.setChecked(on)

    # What can be done

    def targets(self, most: int | None = None) -> list[Instance]:
        """What an action works on: the marked instances (any `most` of them), else the current one."""
        marked = self.model.marked(most)
        if marked:
            return marked
        slot = self.model.table.find(self.fleet.view.current_id)
        return [self.model.table.instance(slot)] if slot is not None else []

    def perform(self, kind: OperationKind) -> None:
        """Do `kind` to the targets; what destroys something is asked about first, inside the window."""
        self.requests.perform(kind, self.targets(), done=self.model.clear_marks)

    def _offer_actions(self) -> None:
        few = self.targets(200)
        possible = {
            kind: not self.rights.reason(kind) and any(self.requests.can(kind, instance) for instance in few)
            for kind in KINDS
        }
        # One of the two is shown. First of all: Qt disables what it hides.
        resume = possible[OperationKind.RESUME] and not possible[OperationKind.PAUSE]
        self.actions_.on_instances[OperationKind.RESUME].setVisible(resume)
        self.actions_.on_instances[OperationKind.PAUSE].setVisible(not resume)
        for kind in KINDS:
            self.actions_.on_instances[kind].setEnabled(possible[kind])
        self.actions_.new.setEnabled(not self.rights.reason(OperationKind.CREATE))
        for action in self.actions_.tabs.values():
            action.setEnabled(bool(self.fleet.view.current_id))
        self.actions_.maximize.setEnabled(self.page_shown)
        self.actions_.close_page.setEnabled(self.page_shown)

    def _show_instance_menu(self, at: QPoint) -> None:
        self.actions_.draw_icons()
        menu = QMenu(self.fleet)
        menu.aboutToHide.connect(menu.deleteLater)
        for action in self.actions_.tabs.values():
            menu.addAction(action)
        menu.addSeparator()
        self.actions_.fill_instance_menu(menu)
        menu.popup(at)

    # The wizard

    def new_instance(self) -> None:
        """Open the wizard; a second call brings the open one to the front."""
        if reason := self.rights.reason(OperationKind.CREATE):
            self.show_error(reason)
        else:
            self.launch.begin()

    @property
    def wizard(self) -> LaunchWizard | None:  # while it is open
        return self.launch.wizard

    def _launch_accepted(self, instance_id: str) -> None:
        self._expected = instance_id
        self._show_expected()

    def _show_expected(self) -> None:
        """Open the page of the instance that the wizard has just asked for, once it is in the fleet."""
        if self._expected and self.model.table.find(self._expected) is not None:
            expected, self._expected = self._expected, ""
            self.open_instance(expected, "overview")

    # What changed

    def _inventory_changed(self, change: InventoryChange) -> None:
        self.model.apply(change.upserted, change.removed)
        if self.fleet.view.current_id in change.removed:
            if self.page_shown:
                self.close_instance()
            self.fleet.view.set_current("")
        self._show_expected()
        self._offer_actions()

    def _provider_changed(self, status: ProviderStatus) -> None:
        slot = f"provider-{status.name}"
        # A console that only reads is connected to no provider, and the banner above has said why.
        if status.connected or not status.message or self.session.readonly:
            self.banners.remove(slot)
        else:
            text = self.tr("{provider} does not answer: {reason}. It is tried again by itself.")
            self.banners.put(
                slot, Banner(Tone.WARNING, text.format(provider=status.title, reason=status.message.rstrip(".")))
            )

    def show_error(self, message: str) -> None:
        """One sentence at the top of the window, until it is dismissed or replaced."""
        self.banners.put("error", Banner(Tone.ERROR, message))

    # The palette

    def show_palette(self) -> None:
        """Open the command palette."""
        if self._palette is None:
            from confvm_gui.ui.command_palette import CommandPalette
            from confvm_gui.ui.shell_commands import ShellCommands

            commands = ShellCommands(self.actions_, self.fleet, self.session.settings, self.open_instance)
            self._palette = CommandPalette(self, commands.all, commands.instances)
            theme_controller().dress(self._palette)
        self._palette.summon()

    def _focus_filter(self) -> None:
        self.show_page("fleet")
        if self._instance_page is not None and self._instance_page.maximize.isChecked():
            self.maximize_page(False)
        self.fleet.filter.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.fleet.filter.edit.selectAll()

    # Beginning and end

    def _plan_preload(self) -> None:
        if not self._preloaded:
            self._preloaded = True
            QTimer.singleShot(PAUSE_MS, self, self._preload)

    def _preload(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # shown without a loop, as in a picture of the bare window
        # What speaks with AMD and Intel takes 50 ms to load, and the first evidence of all would wait for it.
        ahead = load_ahead(lambda: self.instance_page, self._page, lambda: self.session.endorsements)
        self.tasks.start("load ahead", ahead, on_done=lambda _: self.loaded_ahead.emit())

    def _restore_geometry(self) -> None:
        saved = text_setting(self.session.settings, GEOMETRY, "")
        try:
            data = base64.b64decode(saved, validate=True)
        except (binascii.Error, ValueError):
            return
        if data:
            self.restoreGeometry(QByteArray(data))

    def close_window(self) -> None:
        """Close as the close button does."""
        self.close()

    def close_for_good(self) -> None:
        """Close without asking."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        live = [] if self._may_close or self.session.readonly else self._ends_with_the_console()
        if live:
            event.ignore()
            text = self.tr(
                "%n instance(s) run inside this console and are powered off when it closes. "
                "What they hold in memory is lost.",
                "",
                len(live),
            ).replace(str(len(live)), count_text(len(live)))
            banner = Banner(
                Tone.WARNING,
                text,
                self.tr("Close anyway"),
                self.close_for_good,
                dismiss_word=self.tr("Keep open"),
                dangerous=True,
            )
            self.banners.put("close", banner, focus=True)
            return
        if not self.session.readonly:
            geometry = self.saveGeometry().data()
            self.session.settings.put(GEOMETRY, base64.b64encode(geometry).decode())
        event.accept()
        self.closed.emit()

    def _ends_with_the_console(self) -> list[Instance]:
        return [instance for instance in self.session.inventory.all() if instance.emulated and instance.state.is_live]

    async def aclose(self) -> None:
        """End all that the window runs, and await it. The session is left open."""
        await self.tasks.aclose()  # first: what loads ahead makes pages
        self._subscriptions.clear()
        self.crashes.close_subscriptions()
        self.failures.close_subscriptions()
        self.status_line.close_subscriptions()
        await self.launch.aclose()
        if self._instance_page is not None:
            await self._instance_page.aclose()
        if self._jobs_panel is not None:
            await self._jobs_panel.aclose()
        for page in self._pages.values():
            if page.aclose is not None:
                await page.aclose()
