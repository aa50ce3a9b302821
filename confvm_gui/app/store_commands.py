"""`confvm list` and `show`: what is on disk, read without disturbing a console."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import TextIO

from confvm_gui.app.bootstrap import check_data_dir, default_data_dir
from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.ports.repositories import Store

_COLUMNS = ("name", "state", "technology", "provider", "region", "machine type", "image", "trust")


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


async def list_instances(
    data_dir: Path | None, as_json: bool, out: TextIO, *, connect: Sequence[str] = (), as_csv: bool = False
) -> int:
    """All instances as last observed, by name; those of the hosts of `connect` as they are now.

    Raises InvalidInput("csv") for two forms at once.
    """
    if as_json and as_csv:
        raise InvalidInput("csv", "Choose one of --json and --csv")
    instances = await _instances(data_dir, connect)
    if as_csv:
        from confvm_gui.fleet.export.fleet_table import write_fleet

        write_fleet(instances, out)
    elif as_json:
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
