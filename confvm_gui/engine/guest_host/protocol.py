"""What the console and its vCPU workers say to each other.

Two pipes a worker: commands and reports, which nobody waits for but where a reply is named; and the memory port, on
which the worker waits for the memory controller and the firmware (`MemoryRequest`, answered by `MemoryAnswer`).
Messages are pickled by `multiprocessing.connection` between processes of one program, one user.
"""

from __future__ import annotations

from dataclasses import dataclass, field


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
    es: bool = False
    snp: bool = False
    vmsa_spa: int = 0
    """SPA of the page that holds the registers while the guest does not run (SEV-ES, SEV-SNP); 0: the host has them."""

    @property
    def registers_encrypted(self) -> bool:
        return (self.es or self.snp) and self.vmsa_spa != 0


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The machine around a vCPU that stands still."""

    elapsed: float
    """Seconds on the guest's clock."""
    pending_input: bytes
    registers: tuple[tuple[int, int], ...]
    """(port, value) of the ports that keep what was written to them."""
    console_bytes: int
    disk_read_bytes: int


@dataclass(frozen=True, slots=True)
class VcpuState:
    """A vCPU that stands still, and its devices: with the guest's memory, all that it needs to go on elsewhere."""

    registers: bytes = field(repr=False)
    """4096 bytes, laid out as a VMSA; b"" where the guest's own VMSA page has them."""
    devices: DeviceState
    cpu_seconds: float


# Commands, console to worker -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddGuest:
    config: GuestConfig
    state: VcpuState | None = None
    """Where it goes on; None: a start at the entry, or with the registers of its VMSA page."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class RemoveGuest:
    """Answered by `GuestRemoved`, after which the worker touches the guest's memory no more."""

    guest: int


@dataclass(frozen=True, slots=True)
class PauseGuest:
    """Answered by `GuestPaused` once it does not run any more."""

    guest: int


@dataclass(frozen=True, slots=True)
class SaveGuest:
    """Answered by `GuestSaved`. The guest is paused."""

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


Command = (
    AddGuest | RemoveGuest | PauseGuest | SaveGuest | ResumeGuest | Doorbell | ConsoleInput | DropTranslations | Quit
)

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
class GuestSaved:
    guest: int
    state: VcpuState | None
    problem: str = ""
    """Why there is no state."""


@dataclass(frozen=True, slots=True)
class GuestAnswered:
    """The guest wrote to port 0x544: the answer of this number is in its attestation page."""

    guest: int
    sequence: int


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


Report = WorkerReady | ConsoleOutput | GuestExited | GuestRemoved | GuestPaused | GuestSaved | GuestAnswered | Usage

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


@dataclass(frozen=True, slots=True)
class GuestRequest:
    """SNP_GUEST_REQUEST."""

    guest: int


@dataclass(frozen=True, slots=True)
class ChangeState:
    """A page state change of SEV-SNP."""

    guest: int
    page: int
    count: int
    private: bool


@dataclass(frozen=True, slots=True)
class Pvalidate:
    guest: int
    page: int
    count: int
    validate: bool


MemoryRequest = ConvertPages | DeviceWrite | GuestRequest | ChangeState | Pvalidate

MemoryAnswer = int | tuple[int, bool] | str
"""True for what has no result, the firmware's answer for the rest, or an error's text, for which the guest ends."""
