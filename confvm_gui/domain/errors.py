"""Everything that the console raises on purpose, under one root.

    ConfvmError                 one sentence that a person can act on
    ├── InvalidInput            what was typed or given is wrong; carries the field
    │   └── NameTaken           another instance has this name
    ├── NotFound                no such instance, image, region, operation …
    ├── Unsupported             the provider cannot do this; carries the reason
    ├── ReadOnly                the console was opened for reading only
    ├── Forbidden               the user's role does not allow this
    │   └── NeedsApproval       a second person has to approve it first; the request was stored
    ├── PolicyDenied            the guardrails do not allow this launch; carries all findings
    ├── WrongState              the instance is not in a state that allows this
    ├── CapacityExceeded        the host has no room (RAM, ASIDs); trying later may work
    ├── Transient               failed now, may work when tried again
    │   └── WorkerLost          the process that ran the guest died
    ├── OperationCancelled      the user cancelled; what was done was rolled back
    ├── GuestFault              the guest crashed or answered nonsense
    ├── MeasurementMismatch     the launch is not what was expected; no secret was released
    ├── EvidenceRefused         what a launch says of itself is not trusted; no secret was released
    ├── FirmwareError           the secure processor refused; carries command and status
    ├── KeyUnavailable          a key that is needed cannot be used
    ├── StoreError              the data directory cannot be used
    │   ├── StoreCorrupt        the database is damaged
    │   ├── StoreTooNew         written by a newer console
    │   └── StoreFull           no space left on the disk
    └── BugError                an assumption of ours did not hold; please report

A message is one sentence without a trailing full stop's worth of jargon: what is wrong and what to do.
The four that `sev`, the lowest layer, raises itself are defined there.
`asyncio.CancelledError` is not part of this tree and is never wrapped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confvm_gui.sev.errors import BugError, ConfvmError, InvalidInput, MeasurementMismatch

if TYPE_CHECKING:
    from confvm_gui.domain.policy import ComplianceRecord


__all__ = [
    "BugError",
    "CapacityExceeded",
    "ConfvmError",
    "EvidenceRefused",
    "FirmwareError",
    "Forbidden",
    "GuestFault",
    "InvalidInput",
    "KeyUnavailable",
    "MeasurementMismatch",
    "NameTaken",
    "NeedsApproval",
    "NotFound",
    "OperationCancelled",
    "PolicyDenied",
    "ReadOnly",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreTooNew",
    "Transient",
    "Unsupported",
    "WorkerLost",
    "WrongState",
]


class NameTaken(InvalidInput):
    """Another instance of the same provider has this name."""


class NotFound(ConfvmError):
    """No such thing."""


class Unsupported(ConfvmError):
    """The provider cannot do this; the message is the reason."""


class ReadOnly(ConfvmError):
    """The console was opened for reading only."""


class Forbidden(ConfvmError):
    """The user's role in this data directory does not allow this."""


class NeedsApproval(Forbidden):
    """A second person has to approve it first. `approval_id` is the request that was stored."""

    def __init__(self, message: str, *, approval_id: str) -> None:
        super().__init__(message)
        self.approval_id = approval_id


class PolicyDenied(ConfvmError):
    """Guardrails deny this launch. `record` has every finding; `field` is the request's that the first is about."""

    def __init__(self, message: str, *, field: str, record: ComplianceRecord) -> None:
        super().__init__(message)
        self.field = field
        self.record = record


class WrongState(ConfvmError):
    """The instance is not in a state that allows this."""


class CapacityExceeded(ConfvmError):
    """The host has no room: RAM or ASIDs."""


class Transient(ConfvmError):
    """Failed now, may work when tried again."""


class WorkerLost(Transient):
    """The process that ran the guest died."""


class OperationCancelled(ConfvmError):
    """The user cancelled; what had been done was rolled back."""


class GuestFault(ConfvmError):
    """The guest crashed, or answered what it must not."""


class EvidenceRefused(ConfvmError):
    """What a launch says of itself is not trusted; no secret was released.

    `record_id` is the AttestationRecord that holds every finding, "" if none was kept. `expected` and `actual` are
    the measurements in hex where these differ, and `differs` says which input does, where it could be told.
    """

    def __init__(
        self, message: str, *, record_id: str = "", expected: str = "", actual: str = "", differs: str = ""
    ) -> None:
        super().__init__(message)
        self.record_id = record_id
        self.expected = expected
        self.actual = actual
        self.differs = differs


class FirmwareError(ConfvmError):
    """The secure processor refused a command.

    `command` is the published name (`LAUNCH_START`), `status` the firmware's code, `status_name` its name in the
    specification's words.
    """

    def __init__(self, command: str, status: int, status_name: str, message: str) -> None:
        super().__init__(message)
        self.command = command
        self.status = status
        self.status_name = status_name

    def __reduce__(self) -> tuple[type[FirmwareError], tuple[str, int, str, str]]:
        return type(self), (self.command, self.status, self.status_name, str(self))


class KeyUnavailable(ConfvmError):
    """A key that is needed cannot be used."""


class StoreError(ConfvmError):
    """The data directory cannot be used."""


class StoreCorrupt(StoreError):
    """The database is damaged."""


class StoreTooNew(StoreError):
    """The database was written by a newer console."""


class StoreFull(StoreError):
    """There is no space left on the disk."""
