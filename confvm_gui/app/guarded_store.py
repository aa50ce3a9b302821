"""A data directory's store with its log, roles and approvals, for commands that need no providers."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
from confvm_gui.domain.errors import ReadOnly

if TYPE_CHECKING:
    from confvm_gui.domain.event import Event
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
async def guarded_store(data_dir: Path | None, *, readonly: bool | None) -> AsyncIterator[GuardedStore]:
    """Open it; at the end what was recorded is signed. Without `readonly` it reads only where another console is.

    None: for what changes nothing but is recorded where that can be: it writes to a log that is there and may be
    written, and makes none.

    Raises InvalidInput("data-dir"), InvalidInput("roles"), StoreError.
    """
    from confvm_gui.fleet.approvals.service import Approvals
    from confvm_gui.fleet.audit.anchor import AnchorFile
    from confvm_gui.fleet.audit.checkpoints import Checkpointer
    from confvm_gui.fleet.events import EventFeed
    from confvm_gui.fleet.roles.access import Access
    from confvm_gui.keys.local.signer import LocalSigner
    from confvm_gui.store import open_store
    from confvm_gui.store.database import DATABASE_NAME

    folder = check_data_dir(data_dir or default_data_dir())
    if readonly is None:
        readonly = not os.access(folder / DATABASE_NAME, os.W_OK)
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


@asynccontextmanager
async def recorded_at_the_end(data_dir: Path | None) -> AsyncIterator[GuardedStore]:
    """For what takes long: the directory is only read meanwhile, so that a console can be opened, and what is recorded
    is written at the end, whatever that was.

    Where a console has the directory open by then, that is told on standard error.
    """
    kept: list[Event] = []
    try:
        async with guarded_store(data_dir, readonly=True) as opened:
            opened.events.changes.subscribe(kept.append)
            yield opened
    finally:
        if kept:
            async with guarded_store(data_dir, readonly=False) as opened:
                for event in kept:
                    opened.events.take(event)
                if opened.store.readonly:
                    sys.stderr.write(f"confvm: this is not in the audit log: {opened.store.readonly_reason}\n")
