"""Bound secrets and nonces in the database: wrapped, each nonce answered once, by one, in time."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from confvm_gui.domain.attestation import TrustedRoot
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NameTaken, NotFound, ReadOnly, StoreCorrupt
from confvm_gui.domain.release import LONGEST_CHALLENGE, BoundSecret, Challenge, Conditions, SecretKind
from confvm_gui.store import open_store

CONDITIONS = Conditions(
    measurements=(bytes(48), b"\x01" * 48),
    policies=("0x30000",),
    minimum=MappingProxyType({"reported_tcb.snp": 8, "guest_svn": 2}),
    roots=(TrustedRoot("Emulated root", "ab" * 32, emulated=True),),
    instance="embedded/vm-1",
)
SECRET = BoundSecret("database", SecretKind.BOUND, "local:default", b"wrapped" * 9, CONDITIONS, 10.0)
OWNER = BoundSecret("database", SecretKind.OWNER, "local:default", b"keys" * 9, None, 11.0)


async def test_secrets_come_back_by_kind_and_name_also_later(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
        await store.secrets.add(OWNER)
    async with await open_store(data_dir) as store:
        assert await store.secrets.all() == [SECRET, OWNER]
        assert await store.secrets.all(SecretKind.OWNER) == [OWNER]
        assert await store.secrets.all(SecretKind.ASK) == []
        assert await store.secrets.get("database") == SECRET
        assert await store.secrets.get("database", SecretKind.OWNER) == OWNER


async def test_a_name_is_taken_once_of_each_kind_also_after_revocation(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
        await store.secrets.revoke("database", SecretKind.BOUND, 20.0)
        with pytest.raises(NameTaken) as taken:
            await store.secrets.add(replace(SECRET, wrapped=b"other"))
        assert taken.value.field == "name"
        assert (await store.secrets.get("database")).wrapped == SECRET.wrapped


async def test_what_is_revoked_stays_so_and_releases_are_counted(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
        await asyncio.gather(*(store.secrets.count("database") for _ in range(5)))
        await store.secrets.revoke("database", SecretKind.BOUND, 20.0)
        await store.secrets.revoke("database", SecretKind.BOUND, 30.0)
        assert await store.secrets.get("database") == replace(SECRET, revoked_at=20.0, given=5)


async def test_secrets_that_are_not_there_are_told(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
        with pytest.raises(NotFound, match="nothing"):
            await store.secrets.get("nothing")
        with pytest.raises(NotFound):
            await store.secrets.get("database", SecretKind.ASK)
        with pytest.raises(NotFound):
            await store.secrets.revoke("database", SecretKind.OWNER, 1.0)
        with pytest.raises(NotFound):
            await store.secrets.count("nothing")


async def test_a_nonce_is_answered_by_one_of_many_who_try_at_once(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.ask(Challenge(b"n" * 32, "secret:database", 100.0))

        async def attempt() -> bool:
            try:
                await store.secrets.answer(b"n" * 32, "secret:database", 50.0)
            except NotFound:
                return False
            return True

        assert sum(await asyncio.gather(*(attempt() for _ in range(20)))) == 1
        assert await store.secrets.waiting("secret:database") == []


async def test_a_nonce_is_for_one_subject_and_ages(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        challenge = Challenge(b"n" * 32, "secret:database", 100.0)
        await store.secrets.ask(challenge)
        for nonce, subject, since in (
            (b"n" * 32, "secret:other", 50.0),
            (b"m" * 32, "secret:database", 50.0),
            (b"n" * 32, "secret:database", 100.5),
        ):
            with pytest.raises(NotFound, match="ask for another"):
                await store.secrets.answer(nonce, subject, since)
        assert await store.secrets.waiting("secret:database") == [challenge]
        await store.secrets.answer(b"n" * 32, "secret:database", 100.0)


async def test_nonces_that_nobody_answered_do_not_pile_up(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        old, new = (Challenge(bytes([n]) * 32, "secret:a", 100.0 + n * (LONGEST_CHALLENGE + 1)) for n in range(2))
        await store.secrets.ask(old)
        assert await store.secrets.waiting("secret:a") == [old]
        await store.secrets.ask(new)
        assert await store.secrets.waiting("secret:a") == [new]


async def test_what_cannot_be_kept_is_refused(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        with pytest.raises(InvalidInput, match="surrogate"):
            await store.secrets.add(replace(SECRET, name="\ud800"))
        with pytest.raises(InvalidInput, match="finite"):
            await store.secrets.ask(Challenge(b"n" * 32, "secret:a", float("nan")))
        assert await store.secrets.all() == []


async def test_a_console_that_only_reads_writes_none(data_dir: Path) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
    async with await open_store(data_dir, readonly=True) as reader:
        assert await reader.secrets.all() == [SECRET]
        with pytest.raises(ReadOnly):
            await reader.secrets.add(OWNER)
        with pytest.raises(ReadOnly):
            await reader.secrets.answer(b"n" * 32, "secret:database", 0.0)


@pytest.mark.parametrize("change", ["conditions = '{\"measurements\": []}'", "conditions = '[]'", "kind = 'other'"])
async def test_conditions_that_somebody_loosened_by_hand_are_damage(data_dir: Path, change: str) -> None:
    async with await open_store(data_dir) as store:
        await store.secrets.add(SECRET)
    with contextlib.closing(sqlite3.connect(data_dir / "console.db")) as connection:
        connection.execute(f"UPDATE bound_secrets SET {change}")
        connection.commit()
    async with await open_store(data_dir) as store:
        with pytest.raises(StoreCorrupt):
            await store.secrets.all()


async def test_errors_are_the_consoles_own_after_closing(data_dir: Path) -> None:
    store = await open_store(data_dir)
    await store.aclose()
    with pytest.raises(ConfvmError, match="closed"):
        await store.secrets.add(SECRET)
