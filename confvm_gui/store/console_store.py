"""The Store of one data directory, and `open_store`, which opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Self

from confvm_gui.domain.errors import ReadOnly, StoreError
from confvm_gui.store.approvals import SqliteApprovals
from confvm_gui.store.audit import SqliteAuditLog
from confvm_gui.store.baselines import SqliteBaselines
from confvm_gui.store.database import Database
from confvm_gui.store.evidence import SqliteEvidence
from confvm_gui.store.instances import SqliteInstances
from confvm_gui.store.operations import SqliteOperations
from confvm_gui.store.policies import SqliteCompliance, SqlitePolicies
from confvm_gui.store.readers import Readers
from confvm_gui.store.samples import SqliteSamples
from confvm_gui.store.secrets import SqliteSecrets
from confvm_gui.store.settings import SqliteSettings
from confvm_gui.store.writer import Writer


class ConsoleStore:
    """domain.ports.repositories.Store on SQLite; made by `open_store`, used from the event loop it was made on.

    Writes raise ReadOnly at once in a console that only reads, StoreError once the store is closed.
    """

    def __init__(
        self, database: Database, pool: ThreadPoolExecutor, on_error: Callable[[StoreError], None] | None = None
    ) -> None:
        self._database = database
        self._readers = Readers(pool, database)
        path = database.path
        self._instances = SqliteInstances(path, self._readers, self._require_writer)
        self._operations = SqliteOperations(path, self._readers, self._require_writer)
        self._audit = SqliteAuditLog(path, self._readers, self._require_writer)
        self._approvals = SqliteApprovals(path, self._readers, self._require_writer)
        self._samples = SqliteSamples(self._readers, self._require_writer)
        self._evidence = SqliteEvidence(path, self._readers, self._require_writer)
        self._baselines = SqliteBaselines(path, self._readers, self._require_writer)
        self._policies = SqlitePolicies(path, self._readers, self._require_writer)
        self._compliance = SqliteCompliance(self._readers, self._require_writer)
        self._secrets = SqliteSecrets(path, self._readers, self._require_writer)
        self._settings = SqliteSettings(path, self._readers, self._require_writer)
        self._writer: Writer | None = None
        if not database.readonly_reason:
            self._writer = Writer(database, self._audit.rolled_back, on_error)
        self._closing: asyncio.Future[None] | None = None

    @property
    def readonly(self) -> bool:
        return self._writer is None

    @property
    def readonly_reason(self) -> str:
        return self._database.readonly_reason

    @property
    def instances(self) -> SqliteInstances:
        return self._instances

    @property
    def operations(self) -> SqliteOperations:
        return self._operations

    @property
    def audit(self) -> SqliteAuditLog:
        return self._audit

    @property
    def approvals(self) -> SqliteApprovals:
        return self._approvals

    @property
    def samples(self) -> SqliteSamples:
        return self._samples

    @property
    def evidence(self) -> SqliteEvidence:
        return self._evidence

    @property
    def baselines(self) -> SqliteBaselines:
        return self._baselines

    @property
    def policies(self) -> SqlitePolicies:
        return self._policies

    @property
    def compliance(self) -> SqliteCompliance:
        return self._compliance

    @property
    def secrets(self) -> SqliteSecrets:
        return self._secrets

    @property
    def settings(self) -> SqliteSettings:
        return self._settings

    async def flush(self) -> None:
        """As the port says: raises the first StoreError since the last flush, whether `on_error` was told or not."""
        if self._writer is None:
            return
        await self._writer.settled()
        error = self._writer.take_error()
        if error is not None:
            raise error

    async def aclose(self) -> None:
        """Commit what is written, close all, let another console write. Raises what `flush` would raise, after closing.

        Does nothing the second time.
        """
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        # To the end even if cancelled: the lock must not stay behind.
        await asyncio.shield(self._closing)
        error = self._writer.take_error() if self._writer is not None else None
        if error is not None:
            raise error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _close(self) -> None:
        def close() -> None:
            if self._writer is not None:
                self._writer.stop()
            self._readers.close()
            self._database.close()

        with ThreadPoolExecutor(1, thread_name_prefix="store-closer") as pool:
            await asyncio.wrap_future(pool.submit(close))

    def _require_writer(self) -> Writer:
        if self._writer is None:
            raise ReadOnly(self.readonly_reason)
        return self._writer


async def open_store(
    data_dir: Path,
    *,
    readonly: bool = False,
    on_error: Callable[[StoreError], None] | None = None,
    max_pages: int | None = None,
) -> ConsoleStore:
    """Open the data directory, making it and its database if they are not there.

    If another console has it open, or `readonly` is asked for, the store only reads and says why in `readonly_reason`;
    reading a directory in which nothing was ever written shows empty tables and makes nothing.
    `on_error` is called on the event loop for writes that failed with nobody waiting for them.
    `max_pages` bounds the database (4096-byte pages); beyond it, writes fail as on a full disk.

    Raises StoreTooNew, StoreCorrupt (both leave the file as it was), StoreFull, StoreError.
    """
    pool = Readers.make_pool()
    opening = pool.submit(partial(Database, data_dir, readonly=readonly, max_pages=max_pages))
    try:
        database = await asyncio.wrap_future(opening)
    except BaseException:  # cancelled too: what is being opened is closed once it is open
        opening.add_done_callback(_abandon)
        pool.shutdown(wait=False)
        raise
    return ConsoleStore(database, pool, on_error)


def _abandon(opening: Future[Database]) -> None:
    """Close what was opened for someone who no longer waits."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
