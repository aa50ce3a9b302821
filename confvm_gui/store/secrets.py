"""BoundSecretRepository on SQLite: secrets as their keys wrap them, and nonces that wait for an answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput, NameTaken, NotFound
from confvm_gui.domain.release import LONGEST_CHALLENGE, BoundSecret, Challenge, Conditions, SecretKind, StrictFields
from confvm_gui.store.encoding import canonical_json, check_finite, check_text, json_object
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

_SELECT: Final = (
    "SELECT kind, name, key_ref, wrapped, conditions, made_at, revoked_at, given FROM bound_secrets "
    "WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR name = ?2) ORDER BY kind, name"
)

_Row = tuple[str, str, str, bytes, str, float, float | None, int]
_Revocation = tuple[float, str, str]
_Key = tuple[str, str]
_Answer = tuple[bytes, str, float]


class SqliteSecrets:
    """Writes raise InvalidInput for text that is no valid Unicode and for times that are none."""

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def all(self, kind: SecretKind | None = None) -> Sequence[BoundSecret]:
        return await self._select(kind.value if kind is not None else None, None)

    async def get(self, name: str, kind: SecretKind = SecretKind.BOUND) -> BoundSecret:
        check_text("secret", name)
        for found in await self._select(kind.value, name):
            return found
        raise NotFound(f"There is no secret {name!r}")

    async def add(self, secret: BoundSecret) -> None:
        check_text("secret", secret.name, secret.key_ref)
        check_finite("secret", secret.made_at, secret.revoked_at or 0.0)
        conditions = secret.conditions.to_mapping() if secret.conditions is not None else {}
        row: _Row = (
            secret.kind.value,
            secret.name,
            secret.key_ref,
            secret.wrapped,
            canonical_json(conditions, "conditions"),
            secret.made_at,
            secret.revoked_at,
            secret.given,
        )
        await self._writer().put_and_wait(_add, row)

    async def revoke(self, name: str, kind: SecretKind, at: float) -> None:
        check_text("secret", name)
        check_finite("secret", at)
        await self._writer().put_and_wait(_revoke, (at, kind.value, name))

    async def count(self, name: str, kind: SecretKind = SecretKind.BOUND) -> None:
        check_text("secret", name)
        await self._writer().put_and_wait(_count, (kind.value, name))

    async def ask(self, challenge: Challenge) -> None:
        check_text("challenge", challenge.subject)
        check_finite("challenge", challenge.made_at)
        await self._writer().put_and_wait(_ask, (challenge.nonce, challenge.subject, challenge.made_at))

    async def waiting(self, subject: str) -> Sequence[Challenge]:
        check_text("challenge", subject)

        def query(connection: sqlite3.Connection) -> list[Challenge]:
            rows = connection.execute(
                "SELECT nonce, subject, made_at FROM challenges WHERE subject = ? ORDER BY made_at DESC, nonce",
                (subject,),
            ).fetchall()
            return [Challenge(*row) for row in rows]

        return await self._readers.read(query)

    async def answer(self, nonce: bytes, subject: str, made_since: float) -> None:
        check_text("challenge", subject)
        check_finite("challenge", made_since)
        await self._writer().put_and_wait(_answer, (nonce, subject, made_since))

    async def _select(self, kind: str | None, name: str | None) -> Sequence[BoundSecret]:
        def query(connection: sqlite3.Connection) -> list[BoundSecret]:
            rows = connection.execute(_SELECT, (kind, name)).fetchall()
            try:
                return [_secret(row) for row in rows]
            except (ValueError, TypeError, InvalidInput) as error:
                raise corrupt(self._path, "holds a secret that no console wrote") from error

        return await self._readers.read(query)


def _add(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    for row in rows:
        added = connection.execute(
            "INSERT OR IGNORE INTO bound_secrets "
            "(kind, name, key_ref, wrapped, conditions, made_at, revoked_at, given) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        if not added.rowcount:
            raise NameTaken("name", f"There is a secret {row[1]!r} already; choose another name")


def _revoke(connection: sqlite3.Connection, rows: Sequence[_Revocation]) -> None:
    for row in rows:
        # What was revoked before keeps its time.
        changed = connection.execute(
            "UPDATE bound_secrets SET revoked_at = coalesce(revoked_at, ?) WHERE kind = ? AND name = ?", row
        )
        _require(changed, row[2])


def _count(connection: sqlite3.Connection, keys: Sequence[_Key]) -> None:
    for key in keys:
        changed = connection.execute("UPDATE bound_secrets SET given = given + 1 WHERE kind = ? AND name = ?", key)
        _require(changed, key[1])


def _ask(connection: sqlite3.Connection, rows: Sequence[tuple[bytes, str, float]]) -> None:
    connection.executemany("INSERT INTO challenges (nonce, subject, made_at) VALUES (?, ?, ?)", rows)
    newest = max(made_at for _, _, made_at in rows)
    connection.execute("DELETE FROM challenges WHERE made_at < ?", (newest - LONGEST_CHALLENGE,))


def _answer(connection: sqlite3.Connection, answers: Sequence[_Answer]) -> None:
    for answer in answers:
        taken = connection.execute(
            "DELETE FROM challenges WHERE nonce = ? AND subject = ? AND made_at >= ?", answer
        ).rowcount
        if not taken:
            raise NotFound("This nonce was not given out for this, is too old, or was answered before; ask for another")


def _require(changed: sqlite3.Cursor, name: str) -> None:
    if not changed.rowcount:
        raise NotFound(f"There is no secret {name!r}")


def _secret(row: _Row) -> BoundSecret:
    kind, name, key_ref, wrapped, text, made_at, revoked_at, given = row
    mapping = json_object(text)
    conditions = Conditions.from_fields(StrictFields(mapping, _malformed)) if mapping else None
    return BoundSecret(name, SecretKind(kind), key_ref, wrapped, conditions, made_at, revoked_at, given)


def _malformed(problem: str) -> InvalidInput:
    return InvalidInput("conditions", f"A stored secret {problem}")
