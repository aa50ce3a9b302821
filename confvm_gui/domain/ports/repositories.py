"""What the console keeps on disk, one repository per aggregate.

Writes return at once and are committed in order by one writer; `flush` waits until everything written so far is
committed. Reads run beside it. `accept` is the exception: it returns when the intent is committed.
All raise StoreError and its subclasses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from confvm_gui.domain.event import AuditRecord, AuditVerdict, Event
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.metrics import Sample
from confvm_gui.domain.operation import Operation


class InstanceRepository(Protocol):
    """Last observed state of every instance of every provider, so that the fleet shows before providers answer."""

    async def all(self) -> Sequence[Instance]: ...

    def put(self, instances: Sequence[Instance]) -> None:
        """Insert or replace by id."""

    def remove(self, instance_ids: Sequence[str]) -> None: ...


class OperationRepository(Protocol):
    """The job log: intent before action."""

    async def accept(self, operations: Sequence[Operation]) -> None:
        """Commit new operations, all or none, before any of them starts. An id that exists is left as it is."""

    def update(self, operation: Operation) -> None:
        """Replace status, steps, progress, attempts, ended_at and error of an accepted operation."""

    async def unfinished(self) -> Sequence[Operation]:
        """Those not final, in the order of acceptance: what a crash left behind."""

    async def recent(self, limit: int) -> Sequence[Operation]:
        """Newest first."""


class AuditLog(Protocol):
    """Append-only, hash-chained."""

    def append(self, event: Event) -> None: ...

    async def read(
        self, *, limit: int, before: int | None = None, subject: str | None = None, text: str = ""
    ) -> Sequence[AuditRecord]:
        """Newest first; `before` is a sequence (for paging back), `subject` an instance id, `text` is searched in
        message and action."""

    async def verify(self) -> AuditVerdict: ...


class SampleRepository(Protocol):
    def append(self, samples: Sequence[Sample]) -> None: ...

    async def since(self, instance_id: str, at: float, limit: int = 10_000) -> Sequence[Sample]:
        """Oldest first."""

    def prune(self, before: float) -> None: ...


class SettingRepository(Protocol):
    """Saved searches, window layout, preferences. JSON-able values, never a secret."""

    async def load(self) -> Mapping[str, object]: ...

    def put(self, key: str, value: object) -> None: ...


class Store(Protocol):
    """One open data directory."""

    @property
    def readonly(self) -> bool:
        """True when asked for, or when another console has the data directory open."""

    @property
    def readonly_reason(self) -> str: ...

    @property
    def instances(self) -> InstanceRepository: ...

    @property
    def operations(self) -> OperationRepository: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def samples(self) -> SampleRepository: ...

    @property
    def settings(self) -> SettingRepository: ...

    async def flush(self) -> None:
        """Wait until all writes so far are committed; raises the first error that one of them met."""

    async def aclose(self) -> None: ...
