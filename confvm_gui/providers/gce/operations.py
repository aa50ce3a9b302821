"""Compute Engine's own operations: a change is asked for, and looked at until it is done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from confvm_gui.domain.errors import Transient
from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.connection import Clients, GceConnection

_MOST_SECONDS: Final = 1800.0
"""After which an operation is given up. A large machine that encrypts its memory needs minutes."""

Report = Callable[[int], None]
"""Told of each look: per cent done, as the service says."""


def request_id(operation_id: str, act: str = "") -> str:
    """The id by which the service does a request once, of the operation's id; `act` tells several requests apart."""
    base = uuid.UUID(operation_id)
    return str(uuid.uuid5(base, act) if act else base)


async def to_the_end(
    connection: GceConnection,
    zone: str,
    ask: Callable[[Clients], Any],
    *,
    report: Report = lambda _percent: None,
    elsewhere: Sequence[str] = (),
) -> None:
    """Ask for a change, and wait until the service has done it. Raises what it ended with.

    `ask` is tried again with the same request id if its answer is lost: the service then tells of the same operation.
    What `report` raises passes; the operation goes on.
    """
    operation = await connection.call(ask)
    name = str(operation.name)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _MOST_SECONDS
    while str(operation.status.name) != "DONE":
        report(int(operation.progress))
        if loop.time() > deadline:
            raise Transient(f"{errors.SERVICE} has not ended the operation {name} in half an hour; look again later")
        await asyncio.sleep(connection.patience.operation)
        operation = await connection.call(lambda clients: look(clients, connection, zone, name))
    complaints = errors.complaints_of(operation)
    status = int(operation.http_error_status_code)
    if complaints or status >= 400:
        raise errors.of_operation(complaints, zone, elsewhere, status)


def look(clients: Clients, connection: GceConnection, zone: str, name: str) -> Any:
    """The operation as it is now."""
    return clients.zone_operations.get(
        project=connection.project, zone=zone, operation=name, timeout=connection.patience.answer, retry=None
    )
