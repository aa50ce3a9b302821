"""Last observed state of every instance."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput, StoreError
from confvm_gui.domain.instance import Instance, InstanceState, Trust
from confvm_gui.store.encoding import canonical_json, check_finite, check_text, json_object
from confvm_gui.store.multi_row import MultiRowInsert
from confvm_gui.store.readers import Readers
from confvm_gui.store.sqlite_faults import corrupt
from confvm_gui.store.writer import Writer

_ALL = """
SELECT id, name, provider, cloud, region, zone, machine_type, image, technology, state, vcpus, memory_mib, created_at,
    state_reason, trust, trust_at, trust_by, compliance, load, emulated, runs, labels, secure_boot, vtpm,
    integrity_monitoring, host, attested_at
FROM instances ORDER BY created_at, id
"""
_PUT = MultiRowInsert(
    "instances",
    (
        "id", "name", "provider", "cloud", "region", "zone", "machine_type", "image", "technology", "state", "vcpus",
        "memory_mib", "created_at", "state_reason", "trust", "trust_at", "trust_by", "compliance", "load", "emulated",
        "runs", "labels", "secure_boot", "vtpm", "integrity_monitoring", "host", "attested_at",
    ),
    conflict="OR REPLACE",
)  # fmt: skip

_Row = tuple[
    str, str, str, str, str, str, str, str, str, str, int, int, float,
    str, str, float | None, str, str, float, int, str, str, int, int, int, str, float | None,
]  # fmt: skip


class SqliteInstances:
    """InstanceRepository on SQLite.

    `put` takes whole fleets, so its values are looked at on the writer's thread: what cannot be stored is told as the
    StoreError of a failed write, and nothing of that call is stored.
    """

    def __init__(self, path: Path, readers: Readers, writer: Callable[[], Writer]) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer

    async def all(self) -> Sequence[Instance]:
        def query(connection: sqlite3.Connection) -> list[Instance]:
            rows = connection.execute(_ALL).fetchall()
            try:
                return [_instance(row) for row in rows]
            except (ValueError, TypeError) as error:
                raise corrupt(self._path, "holds an instance that no console wrote") from error

        return await self._readers.read(query)

    def put(self, instances: Sequence[Instance]) -> None:
        self._writer().put(_put, tuple(instances))

    def remove(self, instance_ids: Sequence[str]) -> None:
        check_text("instance id", *instance_ids)
        self._writer().put(_remove, tuple(instance_ids))


def _put(connection: sqlite3.Connection, batches: Sequence[tuple[Instance, ...]]) -> None:
    # Of an instance that was put several times, the last is what counts.
    instances = {instance.id: instance for batch in batches for instance in batch}
    try:
        rows = [_row(instance) for instance in instances.values()]
    except InvalidInput as error:
        raise StoreError(f"The state of an instance was not saved: {error.message}") from error
    _PUT.run(connection, rows)


def _remove(connection: sqlite3.Connection, batches: Sequence[tuple[str, ...]]) -> None:
    rows = [(instance_id,) for batch in batches for instance_id in batch]
    connection.executemany("DELETE FROM instances WHERE id = ?", rows)


def _row(instance: Instance) -> _Row:
    check_finite("instance", instance.created_at, instance.load, instance.trust_at or 0.0, instance.attested_at or 0.0)
    row = (
        instance.id,
        instance.name,
        instance.provider,
        instance.cloud,
        instance.region,
        instance.zone,
        instance.machine_type,
        instance.image,
        instance.technology.value,
        instance.state.value,
        instance.vcpus,
        instance.memory_mib,
        instance.created_at,
        instance.state_reason,
        instance.trust.value,
        instance.trust_at,
        instance.trust_by,
        instance.compliance,
        instance.load,
        int(instance.emulated),
        instance.runs,
        canonical_json(instance.labels, "labels") if instance.labels else "{}",
        int(instance.secure_boot),
        int(instance.vtpm),
        int(instance.integrity_monitoring),
        instance.host,
        instance.attested_at,
    )
    texts = (instance.state_reason, instance.trust_by, instance.compliance, instance.runs, instance.host)
    check_text("instance", *row[:10], *texts)
    return row


def _instance(row: _Row) -> Instance:
    labels = json_object(row[21])
    return Instance(
        id=row[0],
        name=row[1],
        provider=row[2],
        cloud=row[3],
        region=row[4],
        zone=row[5],
        machine_type=row[6],
        image=row[7],
        technology=Technology(row[8]),
        state=InstanceState(row[9]),
        vcpus=row[10],
        memory_mib=row[11],
        created_at=row[12],
        state_reason=row[13],
        trust=Trust(row[14]),
        trust_at=row[15],
        trust_by=row[16],
        compliance=row[17],
        load=row[18],
        emulated=bool(row[19]),
        runs=row[20],
        labels={key: str(value) for key, value in labels.items()},
        secure_boot=bool(row[22]),
        vtpm=bool(row[23]),
        integrity_monitoring=bool(row[24]),
        host=row[25],
        attested_at=row[26],
    )
