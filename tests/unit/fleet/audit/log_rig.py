"""A signed log on disk, and people who tamper with it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from confvm_gui.domain.event import AuditVerdict
from confvm_gui.fleet.audit.anchor import AnchorFile
from confvm_gui.fleet.audit.checkpoints import Checkpointer
from confvm_gui.fleet.audit.verification import verify_log
from confvm_gui.fleet.events import EventFeed
from confvm_gui.keys.local.signer import LocalSigner
from confvm_gui.store import open_store
from confvm_gui.store.audit_chain import Content, digest
from tests.support.patience import until

EVERY = 10

Row = dict[str, Any]


class SignedLog:
    """The log of `data_dir`, its anchor in a folder beside."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.database = data_dir / "console.db"
        self.anchor = AnchorFile(data_dir, data_dir.parent / "anchors")

    async def grow(self, records: int) -> None:
        """One session that records as many events, ten to a checkpoint."""
        store = await open_store(self.data_dir)
        events = EventFeed(store.audit, readonly=False)
        checkpoints = Checkpointer(store.audit, LocalSigner(self.data_dir), self.anchor, events, every=EVERY)
        signed: list[str] = []
        events.changes.subscribe(
            lambda event: signed.append(event.action) if event.action == "audit.checkpoint" else None
        )
        checkpoints.start()
        for number in range(1, records + 1):
            events.record("key.wrap", f"Wrapped {number}", subject=f"vm-{number}")
            if number % EVERY == 0:
                await until(partial(reached, signed, number // EVERY))
        await checkpoints.aclose()
        await store.aclose()

    async def verify(self, *, key: bytes | None = None, anchored: bool = True) -> AuditVerdict:
        signer = LocalSigner(self.data_dir, make=False)
        store = await open_store(self.data_dir, readonly=True)
        try:
            key = key or (await signer.public_key() if await signer.exists() else None)
            return await verify_log(store.audit, key, self.anchor if anchored else None)
        finally:
            await store.aclose()

    def rows(self) -> list[Row]:
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM audit ORDER BY sequence")]

    def checkpoints(self) -> list[int]:
        return [int(str(row["sequence"])) for row in self.rows() if row["action"] == "audit.checkpoint"]

    def rewrite(self, change: Callable[[list[Row]], list[Row]], *, recompute: bool) -> None:
        """Put other rows in place of those that are there, with the guards out of the way; with `recompute`, number and
        hash them anew as a console would, so that the chain is whole."""
        rows = change(self.rows())
        if recompute:
            rehash(rows)
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute("DELETE FROM audit")
            for row in rows:
                names = ", ".join(row)
                connection.execute(f"INSERT INTO audit ({names}) VALUES ({', '.join('?' * len(row))})", [*row.values()])
            if recompute:
                last = (rows[-1]["sequence"], rows[-1]["hash"]) if rows else (0, "0" * 64)
                connection.execute("UPDATE audit_head SET sequence = ?, hash = ?", last)
            connection.commit()


def reached(signed: list[str], count: int) -> bool:
    return len(signed) >= count


def rehash(rows: list[Row]) -> None:
    previous = "0" * 64
    for sequence, row in enumerate(rows, start=1):
        row["sequence"], row["previous_hash"] = sequence, previous
        content: Content = (
            *(row["at"], row["actor"], row["action"], row["subject"], row["message"], row["severity"], row["detail"]),
            *(row["outcome"], row["origin"], row["before"], row["after"]),
        )
        row["hash"] = previous = digest(sequence, *content, previous)


def edited(sequence: int, **values: object) -> Callable[[list[Row]], list[Row]]:
    def change(rows: list[Row]) -> list[Row]:
        rows[sequence - 1].update(values)
        return rows

    return change


def with_detail(row: Row, **values: object) -> Row:
    """A row whose JSON detail has other values, written as the console writes it."""
    detail = json.loads(str(row["detail"])) | values
    return {**row, "detail": json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)}
