"""What the console and its vCPU workers say to each other.

Two pipes a worker: commands and reports, which nobody waits for but where a reply is named; and the memory port, on
which the worker waits for the memory controller (`MemoryRequest`, answered with True or with an error's text).
Messages are pickled by `multiprocessing.connection` between processes of one program, one user.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuestConfig:
    """A guest, ready to run: its memory is loaded and measured."""

    guest: int
    """Number, unique while the host runs."""
    spa: int
    ram_bytes: int
    entry: int
    """GPA of the first instruction."""
    sev: bool
    """Whether accesses without paging, and those with the C-bit, are private."""
    c_bit: int
    asids: int
    minimum_asid: int
    """CPUID Fn8000_001F, ECX and EDX, as the host's processor has them."""
    disk_path: str
    """Raw image, or ""."""


# Commands, console to worker -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddGuest:
    config: GuestConfig


@dataclass(frozen=True, slots=True)
class RemoveGuest:
    """Answered by `GuestRemoved`, after which the worker touches the guest's memory no more."""

    guest: int


@dataclass(frozen=True, slots=True)
class PauseGuest:
    """Answered by `GuestPaused` once it does not run any more."""

    guest: int


@dataclass(frozen=True, slots=True)
class ResumeGuest:
    guest: int


@dataclass(frozen=True, slots=True)
class Doorbell:
    """Something waits in the mailbox: wake the guest."""

    guest: int


@dataclass(frozen=True, slots=True)
class ConsoleInput:
    guest: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DropTranslations:
    """Code in memory was changed from outside: forget what was translated from it."""


@dataclass(frozen=True, slots=True)
class Quit:
    pass


Command = AddGuest | RemoveGuest | PauseGuest | ResumeGuest | Doorbell | ConsoleInput | DropTranslations | Quit

# Reports, worker to console ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """The worker has mapped DRAM and takes commands."""


@dataclass(frozen=True, slots=True)
class ConsoleOutput:
    guest: int
    data: bytes


@dataclass(frozen=True, slots=True)
class GuestExited:
    """It runs no more: switched itself off, or crashed."""

    guest: int
    crashed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class GuestRemoved:
    guest: int


@dataclass(frozen=True, slots=True)
class GuestPaused:
    guest: int


@dataclass(frozen=True, slots=True)
class GuestUsage:
    """Since the guest was added."""

    guest: int
    cpu_seconds: float
    disk_read_bytes: int
    console_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Once a second, of the guests that ran since the last."""

    guests: tuple[GuestUsage, ...]


Report = WorkerReady | ConsoleOutput | GuestExited | GuestRemoved | GuestPaused | Usage

# The memory port, worker to controller -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConvertPages:
    guest: int
    page: int
    """Number of the guest's page: GPA // 4096."""
    count: int
    private: bool


@dataclass(frozen=True, slots=True)
class DeviceWrite:
    """DMA of a device into memory that the guest uses privately: it lands in DRAM as it is."""

    guest: int
    gpa: int
    data: bytes


MemoryRequest = ConvertPages | DeviceWrite
