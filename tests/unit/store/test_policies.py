"""Packs, assignments, exceptions and the history of compliance, through a real database."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from confvm_gui.domain.errors import InvalidInput, ReadOnly
from confvm_gui.domain.policy import Assignment, CompliancePoint, Mode, RuleException
from confvm_gui.store import open_store
from confvm_gui.store.policies import MOMENTS_KEPT

ON = (
    Assignment("house", 2, Mode.ENFORCE, MappingProxyType({"env": "prod"}), "embedded"),
    Assignment("hygiene", 1, Mode.WARN),
)


async def test_all_is_there_again(tmp_path: Path) -> None:
    first = RuleException("1", "house", "one", "vm", "fire", "me", 10.0)
    later = RuleException("2", "house", "one", "", "flood", "me", 20.0)
    async with await open_store(tmp_path) as store:
        store.policies.put_pack("house", 2, "two")
        store.policies.put_pack("house", 1, "one")
        store.policies.put_pack("gone", 1, "gone")
        store.policies.remove_pack("gone", 1)
        store.policies.put_pack("house", 2, "two, signed")
        store.policies.put_assignments(ON[:1])
        store.policies.put_assignments(ON)
        store.policies.put_exception(first)
        store.policies.put_exception(later)
    async with await open_store(tmp_path, readonly=True) as store:
        assert list(await store.policies.packs()) == ["one", "two, signed"]
        assert tuple(await store.policies.assignments()) == ON
        assert list(await store.policies.exceptions()) == [later, first]
        with pytest.raises(ReadOnly):
            store.policies.put_assignments(())


async def test_keeps_the_newest_moments(tmp_path: Path) -> None:
    async with await open_store(tmp_path) as store:
        for at in range(MOMENTS_KEPT + 5):
            store.compliance.append(
                [
                    CompliancePoint(float(at), "fleet", "", at, 0, 0, 0),
                    CompliancePoint(float(at), "provider", "embedded", 0, at, 0, 0),
                ]
            )
        await store.flush()
        found = await store.compliance.history("fleet", "", limit=MOMENTS_KEPT * 2)
        assert len(found) == MOMENTS_KEPT
        assert (found[0].at, found[-1].at) == (5.0, float(MOMENTS_KEPT + 4))
        newest = await store.compliance.history("provider", "embedded", limit=2)
        assert [point.warning for point in newest] == [MOMENTS_KEPT + 3, MOMENTS_KEPT + 4]
        assert list(await store.compliance.history("rule", "none")) == []


async def test_refuses_what_cannot_be_stored(tmp_path: Path) -> None:
    async with await open_store(tmp_path) as store:
        with pytest.raises(InvalidInput):
            store.policies.put_pack("\ud800", 1, "")
        with pytest.raises(InvalidInput):
            store.compliance.append([CompliancePoint(float("nan"), "fleet", "", 0, 0, 0, 0)])
