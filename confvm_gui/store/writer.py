"""The one thread that writes.

Whoever writes puts a Write in the queue and goes on. The thread takes all that waits and commits it as one
transaction: a commit costs several times what an insert does, so the busier the console, the cheaper each write. If one
write of such a group fails, the group is rolled back and each is tried alone: a failure takes nobody else along.

A Write is a function and a payload. Neighbours of the same function are handed to it together, because few statements
for many rows are much cheaper (see `multi_row`). The function runs on the writer's thread within a transaction. It may
run twice for the same payload (in the group, then alone), so it must depend on nothing but the database. One that
returns True is called again in a later transaction, until it returns something else: long work leaves room for others
in between.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from confvm_gui.domain.errors import BugError, ConfvmError, StoreError
from confvm_gui.store.database import Database

_GROUP = 4096
"""Writes in one transaction, at most: bounds the time that a write waits for those before it."""

P = TypeVar("P")
Apply = Callable[[sqlite3.Connection, Sequence[P]], bool | None]
"""Writes the payloads, in order."""


@dataclass(slots=True, eq=False)
class Write:
    """One write in the queue; `done`, if there is one, is settled when it is committed or has failed."""

    apply: Apply[Any]
    payload: object
    done: asyncio.Future[None] | None = None
    barrier: bool = False
    """Settled only when nothing that was queued before is left to do."""


class Writer:
    """Runs Writes in order on a thread of its own, from construction until `stop`.

    Belongs to the event loop on which it is made: futures are settled there and `on_error` is called there, once for
    each group of writes that had a failure which no future could carry.
    """

    def __init__(
        self, database: Database, on_rollback: Callable[[], None], on_error: Callable[[StoreError], None] | None
    ) -> None:
        self._database = database
        self._connection = database.writer
        self._on_rollback = on_rollback
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Write | None] = SimpleQueue()
        self._unfinished: list[Write] = []
        self._first_error: StoreError | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, apply: Apply[P], payload: P) -> None:
        """Queue a write that nobody waits for. Raises StoreError after `stop`."""
        self._require_open()
        self._queue.put(Write(apply, payload))

    def put_and_wait(self, apply: Apply[P], payload: P) -> asyncio.Future[None]:
        """Queue a write; the future is settled when it is committed, or raises why it is not. Raises StoreError after
        `stop`."""
        self._require_open()
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Write(apply, payload, done))
        return done

    def settled(self) -> asyncio.Future[None]:
        """A future that is settled when all writes so far are committed or have failed."""
        self._require_open()
        done: asyncio.Future[None] = self._loop.create_future()
        self._queue.put(Write(_nothing, None, done, barrier=True))
        return done

    def take_error(self) -> StoreError | None:
        """The first failure since the last call, of a write that nobody waited for."""
        error, self._first_error = self._first_error, None
        return error

    def stop(self) -> None:
        """Finish what is queued, then end the thread. Blocks; call it off the event loop."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
        self._thread.join()

    def _require_open(self) -> None:
        if self._stopped:
            raise StoreError(f"The store in {self._database.directory} is closed")

    def _run(self) -> None:
        group: list[Write] = []
        stopping = False
        try:
            while not stopping or self._unfinished:
                group, self._unfinished = self._unfinished, []
                if not group and not stopping:
                    write = self._queue.get()
                    if write is None:
                        break
                    group.append(write)
                stopping = self._take_waiting(group) or stopping
                self._settle(self._commit(group))
        except BaseException:
            # Only a mistake of ours comes here. Those who wait must not wait for ever; threading.excepthook reports it.
            self._stopped = True
            while not self._queue.empty():
                self._take_waiting(group)
            bug = BugError("The thread that writes the database died of a mistake in the console; please report this")
            self._settle([(write, bug) for write in group])
            raise

    def _take_waiting(self, group: list[Write]) -> bool:
        """Move what waits in the queue to `group`, up to its limit; True if the end of the queue was met."""
        try:
            for _ in range(_GROUP):
                write = self._queue.get_nowait()
                if write is None:
                    return True
                group.append(write)
        except Empty:
            pass
        return False

    def _commit(self, group: Sequence[Write]) -> list[tuple[Write, ConfvmError | None]]:
        """Commit `group`, or what of it can be; the outcome of each write that is finished."""
        try:
            return self._transact(group)
        except ConfvmError as error:
            if len(group) == 1:
                return [(group[0], error)]
        outcomes: list[tuple[Write, ConfvmError | None]] = []
        for write in group:
            try:
                outcomes += self._transact([write])
            except ConfvmError as error:
                outcomes.append((write, error))
        return outcomes

    def _transact(self, group: Sequence[Write]) -> list[tuple[Write, ConfvmError | None]]:
        connection = self._connection
        unfinished: list[Write] = []
        finished: list[tuple[Write, ConfvmError | None]] = []
        try:
            with self._database.faults():
                connection.execute("BEGIN IMMEDIATE")
                for (apply, barrier), neighbours in groupby(group, lambda write: (write.apply, write.barrier)):
                    writes = list(neighbours)
                    waits = barrier and (self._unfinished or unfinished)
                    if waits or apply(connection, [write.payload for write in writes]):
                        unfinished += writes
                    else:
                        finished += [(write, None) for write in writes]
                connection.execute("COMMIT")
        except BaseException:  # whatever it was, the transaction does not stay open
            self._on_rollback()
            if connection.in_transaction:
                with self._database.faults():
                    connection.rollback()
            raise
        self._unfinished += unfinished
        return finished

    def _settle(self, outcomes: Sequence[tuple[Write, ConfvmError | None]]) -> None:
        """Tell those who wait, all at once: waking the event loop is dear."""
        waited = [(write.done, error) for write, error in outcomes if write.done is not None]
        lost = next((error for write, error in outcomes if error is not None and write.done is None), None)
        if not waited and lost is None:
            return
        if lost is not None and not isinstance(lost, StoreError):
            lost = StoreError(f"Something could not be saved: {lost.message}")

        def tell() -> None:
            for done, error in waited:
                if done.done():
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)
            if lost is not None and self._on_error is not None:
                self._on_error(lost)

        if lost is not None and self._first_error is None:
            self._first_error = lost
        try:
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
            return


def _nothing(_connection: sqlite3.Connection, _payloads: Sequence[None]) -> None:
    return None
