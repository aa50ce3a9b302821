"""A chosen part of the log as lines of text, oldest first: JSON Lines, CEF or OCSF."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import AuditFilter, AuditRecord
from confvm_gui.domain.ports.repositories import AuditLog
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.audit.cef import cef_line
from confvm_gui.fleet.audit.ocsf import ocsf_line
from confvm_gui.fleet.audit.records import json_line
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.roles.access import Access

_PAGE: Final = 1000


class ExportForm(Enum):
    JSONL = "jsonl"
    CEF = "cef"
    OCSF = "ocsf"


_LINES: Final[Mapping[ExportForm, Callable[[AuditRecord], str]]] = MappingProxyType(
    {ExportForm.JSONL: json_line, ExportForm.CEF: cef_line, ExportForm.OCSF: ocsf_line}
)


async def export_pages(log: AuditLog, form: ExportForm, wanted: AuditFilter) -> AsyncIterator[str]:
    """Some lines at a time, each ended. Raises StoreError."""
    line, after = _LINES[form], 0
    while page := await log.search(wanted, limit=_PAGE, after=after):
        yield "".join(line(record) + "\n" for record in page)
        after = page[-1].sequence


async def export_file(
    log: AuditLog, form: ExportForm, wanted: AuditFilter, path: Path, access: Access, events: EventFeed
) -> None:
    """Write a new file; that this was done is an event, which is not in the file.

    Raises Forbidden, InvalidInput("output") where the file exists or cannot be written, StoreError.
    """
    access.require(Permission.EXPORT_AUDIT)
    try:
        with await asyncio.to_thread(path.open, "x", encoding="utf-8") as file:
            async for text in export_pages(log, form, wanted):
                await asyncio.to_thread(file.write, text)
    except FileExistsError:
        raise InvalidInput("output", f"{path} exists already; give another name") from None
    except OSError as error:
        raise InvalidInput("output", f"{path} cannot be written: {error.strerror or error}") from error
    record_export(events, form, str(path))


def record_export(events: EventFeed, form: ExportForm, where: str) -> None:
    """Tell the log that it was read out, to a file or elsewhere."""
    events.record("audit.export", f"The log was written to {where}", detail={"form": form.value, "path": where})
