"""Changing who may do what: by administrators, and told by an event."""

from __future__ import annotations

import asyncio
from pathlib import Path

from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.roles import Permission, Role
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import somebody_is
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments, save_assignments, to_mapping


async def change_roles(access: Access, events: EventFeed, data_dir: Path, changed: Assignments, message: str) -> None:
    """Keep `changed`; it holds in this session at once.

    Raises Forbidden, StoreError, WrongState where nobody that this system knows would be administrator any more.
    """
    access.require(Permission.MANAGE_ROLES)
    before = access.assignments
    rulers = _administrators(changed)
    if _administrators(before) - rulers and not await asyncio.to_thread(_is_anybody, rulers):
        raise WrongState(
            "Nobody whom this computer knows would be administrator any more: give the role to a user, or to a group "
            "with somebody in it, first"
        )
    await asyncio.to_thread(save_assignments, data_dir, changed)
    access.assignments = changed
    events.record("role.changed", message, before=to_mapping(before), after=to_mapping(changed))


def _administrators(assignments: Assignments) -> set[tuple[str, bool]]:
    """Name, and whether it is a group's."""
    tables = ((assignments.users, False), (assignments.groups, True))
    return {(name, group) for table, group in tables for name, roles in table.items() if Role.ADMINISTRATOR in roles}


def _is_anybody(rulers: set[tuple[str, bool]]) -> bool:
    return any(somebody_is(name, group=group) for name, group in rulers)
