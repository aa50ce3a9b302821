"""A data directory's store with its log, roles and approvals, for commands that need no providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
from confvm_gui.domain.errors import ReadOnly

if TYPE_CHECKING:
    from confvm_gui.domain.ports.repositories import Store
    from confvm_gui.fleet.approvals.service import Approvals
    from confvm_gui.fleet.events import EventFeed
    from confvm_gui.fleet.roles.access import Access


@dataclass(frozen=True, slots=True)
class GuardedStore:
    """What such a command works with."""

    data_dir: Path
    store: Store
    events: EventFeed
    access: Access
    approvals: Approvals

    def require_writable(self) -> None:
        """Raises ReadOnly."""
        if self.store.readonly:
            raise ReadOnly(self.store.readonly_reason)


@asynccontextmanager
async def guarded_store(data_dir: Path | None, *, readonly: bool) -> AsyncIterator[GuardedStore]:
    """Open it; at the end what was recorded is signed. Without `readonly` it reads only where another console is.

    Raises InvalidInput("data-dir"), InvalidInput("roles"), StoreError.
    """
    from confvm_gui.fleet.approvals.service import Approvals
    from confvm_gui.fleet.audit.anchor import AnchorFile
    from confvm_gui.fleet.audit.checkpoints import Checkpointer
    from confvm_gui.fleet.events import EventFeed
    from confvm_gui.fleet.roles.access import Access
    from confvm_gui.keys.local.signer import LocalSigner
    from confvm_gui.store import open_store

    folder = check_data_dir(data_dir or default_data_dir())
    store = await open_store(folder, readonly=readonly)
    try:
        events = EventFeed(store.audit, readonly=store.readonly)
        access = Access.of_directory(folder, events)
        approvals = Approvals(store.approvals, access, events, folder, readonly_reason=store.readonly_reason)
        if store.readonly:
            yield GuardedStore(folder, store, events, access, approvals)
            return
        checkpoints = Checkpointer(store.audit, LocalSigner(folder), AnchorFile(folder), events)
        try:
            yield GuardedStore(folder, store, events, access, approvals)
        finally:
            await checkpoints.aclose()
    finally:
        await store.aclose()
