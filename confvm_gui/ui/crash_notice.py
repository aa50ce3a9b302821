"""Tells at the top of the window that instances crashed, wherever in the window one is looking."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from confvm_gui.domain.instance import InstanceState
from confvm_gui.fleet.inventory import InventoryChange
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.text import count_text

SLOT = "crashed"
"""Where the banner stands in the stack."""


class CrashNotice(QObject):
    """One banner for all that crashed since it was last put away; it leaves when none of them is crashed any more."""

    def __init__(
        self,
        session: FleetSession,
        banners: BannerStack,
        show_fleet: Callable[[], None],
        set_filter: Callable[[str], None],
    ) -> None:
        super().__init__(banners)
        self._banners = banners
        self._show_fleet = show_fleet
        self._set_filter = set_filter
        self._known = {one.id for one in session.inventory.all() if one.state is InstanceState.CRASHED}
        self._told: set[str] = set()
        self._subscriptions = Subscriptions()
        self._subscriptions.add(session.inventory.changes, self._changed)

    def close_subscriptions(self) -> None:
        """Listen to nothing any more."""
        self._subscriptions.clear()

    def _changed(self, change: InventoryChange) -> None:
        crashed = [one for one in change.upserted if one.state is InstanceState.CRASHED]
        fresh = [one for one in crashed if one.id not in self._known]
        over = {one.id for one in change.upserted if one.state is not InstanceState.CRASHED} | set(change.removed)
        self._known = (self._known - over) | {one.id for one in crashed}
        self._told -= over
        if fresh:
            if self._banners.banner(SLOT) is None:
                self._told.clear()
            self._told |= {one.id for one in fresh}
            self._put(fresh[-1].name, fresh[-1].state_reason)
        elif not self._told:
            self._banners.remove(SLOT)

    def _put(self, name: str, reason: str) -> None:
        count = len(self._told)
        reason = reason or self.tr("no reason was given")
        if count == 1:
            text = self.tr("{name} crashed: {reason}").format(name=name, reason=reason)
        else:
            text = self.tr("%n instances crashed. The last one, {name}: {reason}", "", count)
            text = text.replace(str(count), count_text(count)).format(name=name, reason=reason)
        self._banners.put(SLOT, Banner(Tone.ERROR, text, self.tr("Show what crashed"), self._show))

    def _show(self) -> None:
        self._show_fleet()
        self._set_filter("state:crashed")
