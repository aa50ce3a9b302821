"""Changing who may do what: by administrators, and told by an event."""

from __future__ import annotations

import asyncio
from pathlib import Path

from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.roles.access import Access
from confvm_gui.fleet.roles.assignments import Assignments, save_assignments, to_mapping


async def change_roles(access: Access, events: EventFeed, data_dir: Path, changed: Assignments, message: str) -> None:
    """Keep `changed`; it holds in this session at once. Raises Forbidden, StoreError."""
    access.require(Permission.MANAGE_ROLES)
    before = access.assignments
    await asyncio.to_thread(save_assignments, data_dir, changed)
    access.assignments = changed
    events.record("role.changed", message, before=to_mapping(before), after=to_mapping(changed))
