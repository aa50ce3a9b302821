"""`confvm list`, `show`, `audit verify` and `audit export`: what is on disk, read without disturbing a console."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TextIO

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
from confvm_gui.domain.errors import InvalidInput, NotFound, StoreError
from confvm_gui.domain.event import AuditRecord
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.repositories import Store

_COLUMNS = ("name", "state", "technology", "provider", "region", "machine type", "image", "trust")
_PAGE = 1000


@asynccontextmanager
async def _opened(data_dir: Path | None) -> AsyncIterator[Store]:
    from confvm_gui.store import open_store

    store = await open_store(check_data_dir(data_dir or default_data_dir()), readonly=True)
    try:
        yield store
    finally:
        await store.aclose()


def instance_to_mapping(instance: Instance) -> dict[str, object]:
    """JSON-able."""
    values: dict[str, object] = {}
    for key in Instance.__slots__:
        value = getattr(instance, key)
        values[key] = value.value if isinstance(value, Enum) else dict(value) if key == "labels" else value
    values["confidential"] = instance.confidential
    return values


def record_to_mapping(record: AuditRecord) -> dict[str, object]:
    """JSON-able, in the order in which people read it."""
    event = record.event
    return {
        "sequence": record.sequence,
        "at": datetime.fromtimestamp(event.at, UTC).isoformat(),
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "message": event.message,
        "severity": event.severity.value,
        "detail": dict(event.detail),
        "previous_hash": record.previous_hash,
        "hash": record.hash,
    }


async def list_instances(data_dir: Path | None, as_json: bool, out: TextIO, *, connect: Sequence[str] = ()) -> int:
    """All instances as last observed, by name; those of the hosts of `connect` as they are now."""
    instances = await _instances(data_dir, connect)
    if as_json:
        json.dump([instance_to_mapping(instance) for instance in instances], out, ensure_ascii=False)
        out.write("\n")
    elif instances:
        print_table(_COLUMNS, [_row(instance) for instance in instances], out)
    else:
        out.write("There are no instances.\n")
    return 0


async def _instances(data_dir: Path | None, connect: Sequence[str]) -> Sequence[Instance]:
    """Raises InvalidInput("connect"), StoreError, and what a connection fails of."""
    live: Sequence[Instance] = ()
    asked: frozenset[str] = frozenset()
    if connect:
        from confvm_gui.app.hosts_commands import connected_hosts, live_instances

        async with connected_hosts(data_dir, connect) as providers:
            live, asked = await live_instances(providers), frozenset(providers)
        if not _has_data(data_dir):
            return live  # whoever names hosts need not have a data directory
    async with _opened(data_dir) as store:
        stored = [instance for instance in await store.instances.all() if instance.provider not in asked]
    return sorted([*live, *stored], key=lambda instance: (instance.name, instance.provider))


def _has_data(data_dir: Path | None) -> bool:
    folder = check_data_dir(data_dir or default_data_dir())
    return folder.is_dir() and any(folder.iterdir())


async def show_instance(
    data_dir: Path | None, name: str, as_json: bool, out: TextIO, *, connect: Sequence[str] = ()
) -> int:
    """One instance. Raises NotFound."""
    found = [instance for instance in await _instances(data_dir, connect) if instance.name == name]
    if not found:
        raise NotFound(f"There is no instance named {name!r}")
    for instance in found:
        values = instance_to_mapping(instance)
        if as_json:
            out.write(json.dumps(values, ensure_ascii=False) + "\n")
        else:
            width = max(map(len, values))
            out.writelines(f"{key.replace('_', ' '):<{width}}  {value}\n" for key, value in values.items())
    return 0


async def verify_audit(data_dir: Path | None, as_json: bool, out: TextIO) -> int:
    """0 if the chain of events is whole, 1 if not."""
    async with _opened(data_dir) as store:
        verdict = await store.audit.verify()
    if as_json:
        out.write(json.dumps(asdict(verdict), ensure_ascii=False) + "\n")
    elif verdict.intact:
        out.write(f"The log is whole: {verdict.records} events, head {verdict.head}\n")
    else:
        out.write(f"The log does not hold from event {verdict.first_bad} on: {verdict.reason}\n")
    return 0 if verdict.intact else 1


async def export_audit(data_dir: Path | None, output: Path | None, out: TextIO) -> int:
    """All events as JSON Lines, oldest first."""
    async with _opened(data_dir) as store:
        pages: list[Sequence[AuditRecord]] = []
        before: int | None = None
        while page := await store.audit.read(limit=_PAGE, before=before):
            pages.append(page)
            before = page[-1].sequence
    lines = (
        json.dumps(record_to_mapping(r), ensure_ascii=False) + "\n" for page in reversed(pages) for r in page[::-1]
    )
    if output is None:
        out.writelines(lines)
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:
            file.writelines(lines)
    except FileExistsError:
        raise InvalidInput("output", f"{output} exists already; give another name") from None
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror}") from error
    return 0


def _row(instance: Instance) -> tuple[str, ...]:
    return (
        instance.name,
        instance.state.value,
        instance.technology.title,
        instance.provider + (" (emulated)" if instance.emulated else ""),
        instance.region,
        instance.machine_type,
        instance.image,
        instance.trust.value,
    )


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], out: TextIO) -> None:
    """In columns as wide as their widest cell."""
    widths = [max(len(row[at]) for row in (header, *rows)) for at in range(len(header))]
    for row in (header, *rows):
        out.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
