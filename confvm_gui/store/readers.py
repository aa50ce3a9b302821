"""Threads that read, each with a connection of its own: no read waits for a write or holds up the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confvm_gui.domain.errors import StoreError
from confvm_gui.store.database import Database

T = TypeVar("T")

_THREADS = 2
"""One for the window's small reads while another is busy with a long one."""


class Readers:
    """Runs reads off the event loop. Threads and connections are made when first needed."""

    def __init__(self, pool: ThreadPoolExecutor, database: Database) -> None:
        self._pool = pool
        self._database = database
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False

    @staticmethod
    def make_pool() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="store-reader")

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """`query`'s result. Raises StoreError; sqlite3's errors and values that no console wrote become that."""
        if self._closed:
            raise StoreError(f"The store in {self._database.directory} is closed")
        return await asyncio.wrap_future(self._pool.submit(self._run, query))

    def close(self) -> None:
        """Finish the reads under way, then end the threads. Blocks; call it off the event loop."""
        self._closed = True
        self._pool.shutdown(wait=True)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._database.connect_reader()
            self._local.connection = connection
            self._connections.append(connection)
        with self._database.faults():
            return query(connection)
