"""Waiting for a records guest that has just been launched: it unlocks its disk, reads and indexes, then it is ready."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import GuestFault
from confvm_gui.domain.query import Query, QueryVerb

if TYPE_CHECKING:
    from confvm_gui.fleet.session import FleetSession

READY_SECONDS: Final = 30.0
"""What a guest takes for the largest records on a busy computer, and more."""
_ASK_AGAIN_SECONDS: Final = 0.05
_READY: Final = ("state", "ready")


async def guest_ready(session: FleetSession, instance_id: str, *, seconds: float = READY_SECONDS) -> None:
    """Wait until the guest says that it is ready, at most `seconds`.

    Raises GuestFault if it takes longer, and what a query raises where asking again cannot help: NotFound, WrongState,
    Unsupported.
    """
    try:
        async with asyncio.timeout(seconds):
            ready = False
            while not ready:
                ready = await _is_ready(session, instance_id)
                await asyncio.sleep(0 if ready else _ASK_AGAIN_SECONDS)
    except TimeoutError:
        raise GuestFault(f"The guest did not index its records within {seconds:.0f} seconds") from None


async def _is_ready(session: FleetSession, instance_id: str) -> bool:
    try:
        return _READY in (await session.query(instance_id, Query(QueryVerb.STATUS))).rows
    except GuestFault:
        return False  # it does not listen yet
