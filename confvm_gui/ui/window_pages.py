"""The pages beside the fleet, each made when it is first looked at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from confvm_gui.fleet.session import FleetSession

if TYPE_CHECKING:
    from confvm_gui.ui.shell import ShellWindow
    from confvm_gui.ui.stall_watchdog import StallReport


@dataclass(frozen=True)
class WindowPage:
    """A page with what it wants done."""

    widget: QWidget
    refresh: Callable[[], None] | None = None
    """Called whenever the page comes into sight."""
    aclose: Callable[[], Coroutine[object, object, None]] | None = None
    """Ends what the page runs."""
    take_files: Callable[[Sequence[Path]], None] | None = None
    """Does something with files that were dropped on the window."""
    show_record: Callable[[str], None] | None = None
    """Shows an attestation record by its id."""


def make_page(
    key: str,
    session: FleetSession,
    stalls: Callable[[], StallReport | None],
    on_problem: Callable[[str], None],
    window: ShellWindow,
) -> WindowPage:
    """The page `events`, `evidence`, `hosts`, `guardrails`, `keys`, `access`, `settings`, `help` or `about`."""
    if key == "events":
        from confvm_gui.ui.audit.page import AuditPage

        events = AuditPage(session)
        events.problem.connect(on_problem)
        return WindowPage(events, refresh=events.refresh, aclose=events.aclose)
    if key == "evidence":
        from confvm_gui.ui.evidence.page import EvidencePage

        evidence = EvidencePage(session, session.attestations, lambda: session.endorsements)
        evidence.problem.connect(on_problem)
        return WindowPage(evidence, aclose=evidence.aclose, take_files=evidence.take, show_record=evidence.show_kept)
    if key == "hosts":
        return _make_hosts(session, on_problem)
    if key == "guardrails":
        from confvm_gui.ui.guardrails.page import GuardrailsPage

        def show_fleet(text: str) -> None:
            window.show_page("fleet")
            window.fleet.filter.set_text(text)

        guardrails = GuardrailsPage(session)
        guardrails.problem.connect(on_problem)
        guardrails.instance_wanted.connect(window.open_instance)
        guardrails.fleet_wanted.connect(show_fleet)
        return WindowPage(guardrails, refresh=guardrails.look, aclose=guardrails.aclose)
    if key == "keys":
        return _make_keys(session, on_problem)
    if key == "access":
        from confvm_gui.ui.access.page import AccessPage

        access = AccessPage(session)
        access.problem.connect(on_problem)
        access.waiting_changed.connect(partial(window.rail.set_badge, "access"))
        window.requests.approvals_wanted.connect(access.show_requests)
        return WindowPage(access, refresh=access.refresh, aclose=access.aclose)
    if key == "settings":
        from confvm_gui.ui.panels.settings import SettingsPanel

        settings = SettingsPanel(session, stalls)
        return WindowPage(settings, refresh=settings.refresh_diagnostics)
    if key == "help":
        from confvm_gui.ui.panels.help import HelpPanel

        return WindowPage(HelpPanel())
    from confvm_gui.ui.panels.about import AboutPanel

    return WindowPage(AboutPanel())


def _make_keys(session: FleetSession, on_problem: Callable[[str], None]) -> WindowPage:
    if session.keys is None:
        from confvm_gui.ui.empty_state import EmptyState
        from confvm_gui.ui.text import translate

        words = (translate("KeysPage", "No keys here"), translate("KeysPage", "This session has no store of keys."))
        return WindowPage(EmptyState("key", *words))
    from confvm_gui.ui.keys.page import KeysPage

    keys = KeysPage(session, session.keys)
    keys.problem.connect(on_problem)
    if session.broker is None:
        return WindowPage(keys, refresh=keys.refresh, aclose=keys.aclose)
    from PySide6.QtWidgets import QTabWidget

    from confvm_gui.ui.release.view import SecretsView
    from confvm_gui.ui.text import translate

    secrets = SecretsView(session, session.broker)
    secrets.problem.connect(on_problem)
    tabs = QTabWidget()
    tabs.setObjectName("keys-tabs")
    tabs.setDocumentMode(True)
    tabs.addTab(keys, translate("KeysPage", "Keys"))
    tabs.addTab(secrets, translate("SecretsView", "Secrets for guests"))
    shared = None
    if session.sharing is not None:
        from confvm_gui.ui.release.agreement_view import AgreementView

        shared = AgreementView(session, session.sharing)
        tabs.addTab(shared, translate("AgreementView", "Shared data"))

    def refresh() -> None:
        keys.refresh()
        secrets.refresh()

    async def aclose() -> None:
        await keys.aclose()
        await secrets.aclose()
        if shared is not None:
            await shared.aclose()

    return WindowPage(tabs, refresh=refresh, aclose=aclose)


def _make_hosts(session: FleetSession, on_problem: Callable[[str], None]) -> WindowPage:
    if session.hosts is None:
        from confvm_gui.ui.empty_state import EmptyState
        from confvm_gui.ui.text import translate

        words = (translate("HostsPage", "No hosts here"), translate("HostsPage", "This session connects to no hosts."))
        return WindowPage(EmptyState("hosts", *words))
    from confvm_gui.ui.hosts.page import HostsPage

    hosts = HostsPage(session, session.hosts)
    hosts.problem.connect(on_problem)
    if session.accounts is None:
        return WindowPage(hosts, refresh=hosts.refresh, aclose=hosts.aclose)
    from PySide6.QtWidgets import QTabWidget

    from confvm_gui.ui.accounts.page import AccountsPage
    from confvm_gui.ui.text import translate

    accounts = AccountsPage(session, session.accounts)
    accounts.problem.connect(on_problem)
    tabs = QTabWidget()
    tabs.setObjectName("hosts-tabs")
    tabs.setDocumentMode(True)
    tabs.addTab(hosts, translate("HostsPage", "Hosts"))
    tabs.addTab(accounts, translate("AccountsPage", "Cloud accounts"))

    def refresh() -> None:
        hosts.refresh()
        accounts.refresh()

    async def aclose() -> None:
        await hosts.aclose()
        await accounts.aclose()

    return WindowPage(tabs, refresh=refresh, aclose=aclose)
