"""An in-memory machine whose RAM can be looked at from both sides, and the least of a session around it.

Its encryption has the shape of the real one (AES per 16-byte block, tweaked by the address, one key per machine):
equal plaintext at two addresses differs, at one address repeats, and one changed byte changes its whole block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NotFound, WrongState
from confvm_gui.domain.event import Severity
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.memory import PAGE_SIZE, MemoryChunk, MemoryRegion, PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource

_UNTOUCHED, _PRIVATE, _SHARED = 0, 1, 2


class FakeMachine:
    """RAM of `regions`; pages are untouched until the guest writes them."""

    def __init__(self, regions: Sequence[MemoryRegion], *, confidential: bool = True, seed: int = 1) -> None:
        self.regions = tuple(regions)
        self.confidential = confidential
        self.live = True
        self.reads: list[tuple[Viewer, int, int]] = []
        """Viewer, GPA and length of every read so far."""
        self.unreadable: set[int] = set()
        """Page numbers (GPA // PAGE_SIZE) that cannot be read."""
        self.random = np.random.default_rng(seed)
        self._pages: dict[int, NDArray[np.uint8]] = {}
        self._states: dict[int, int] = {}
        key = sha256(f"fake machine {seed}".encode()).digest()[:16]
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # a block cipher to build on, as the real one
        self._key = int.from_bytes(key, "little")

    def write(self, gpa: int, data: bytes, *, shared: bool = False) -> None:
        """As the guest: private unless `shared`."""
        done = 0
        while done < len(data):
            page, inside = divmod(gpa + done, PAGE_SIZE)
            content = self._pages.setdefault(page, np.zeros(PAGE_SIZE, dtype=np.uint8))
            part = data[done : done + PAGE_SIZE - inside]
            content[inside : inside + len(part)] = np.frombuffer(part, dtype=np.uint8)
            self._states[page] = _SHARED if shared else _PRIVATE
            done += len(part)

    def source(self, viewer: Viewer, *, sparse: bool = True, granularity: int = PAGE_SIZE) -> MemorySource:
        """Its RAM as `viewer` sees it."""
        kind = FakeMemory if sparse else DenseFakeMemory
        return kind(self, viewer, granularity)

    def reset(self) -> None:
        """Forget everything written."""
        self._pages.clear()
        self._states.clear()

    def touched(self) -> list[int]:
        return sorted(self._pages)

    def page(self, number: int, viewer: Viewer) -> tuple[bytes, PageKind]:
        """Bytes and kind of page `number` for `viewer`."""
        if number in self.unreadable:
            return bytes(PAGE_SIZE), PageKind.UNREADABLE
        state = self._states.get(number, _UNTOUCHED)
        if state == _UNTOUCHED:
            garbled = viewer is Viewer.GUEST and self.confidential
            return (self._crypt(number, bytes(PAGE_SIZE)) if garbled else bytes(PAGE_SIZE)), PageKind.UNTOUCHED
        data = self._pages[number].tobytes()
        if state == _SHARED:
            return data, PageKind.SHARED if self.confidential else PageKind.PLAINTEXT
        if viewer is Viewer.GUEST or not self.confidential:
            return data, PageKind.PLAINTEXT
        return self._crypt(number, data), PageKind.CIPHERTEXT

    def _crypt(self, number: int, data: bytes) -> bytes:
        blocks = np.arange(PAGE_SIZE // 16, dtype=np.uint64) + np.uint64(number * (PAGE_SIZE // 16))
        low = blocks * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(self._key % 2**64)
        high = blocks * np.uint64(0xC2B2AE3D27D4EB4F) ^ np.uint64(self._key >> 64)
        tweak = np.stack([low, high], axis=1).view(np.uint8).reshape(-1)
        mixed = np.frombuffer(data, dtype=np.uint8) ^ tweak
        encryptor = self._cipher.encryptor()
        return (np.frombuffer(encryptor.update(mixed.tobytes()), dtype=np.uint8) ^ tweak).tobytes()


class DenseFakeMemory:
    """A source that cannot say what was written."""

    best_length = 1 << 18

    def __init__(self, machine: FakeMachine, viewer: Viewer, granularity: int = PAGE_SIZE) -> None:
        self._machine = machine
        self.viewer = viewer
        self.granularity = granularity

    def regions(self) -> Sequence[MemoryRegion]:
        return self._machine.regions

    async def read(self, gpa: int, length: int) -> MemoryChunk:
        machine = self._machine
        if not machine.live:
            raise WrongState("The instance has stopped; its memory is gone")
        if gpa % self.granularity or length % self.granularity or length <= 0:
            raise InvalidInput("gpa", "Reads are made of whole granules")
        if not any(each.gpa <= gpa and gpa + length <= each.gpa + each.length for each in machine.regions):
            raise InvalidInput("gpa", f"There is no RAM at 0x{gpa:x}")
        machine.reads.append((self.viewer, gpa, length))
        first = gpa // PAGE_SIZE
        pages = [machine.page(first + index, self.viewer) for index in range(length // PAGE_SIZE)]
        return MemoryChunk(gpa, b"".join(data for data, _ in pages), bytes(kind for _, kind in pages), self.viewer)


class FakeMemory(DenseFakeMemory):
    """A source that knows what was written."""

    def populated(self) -> Sequence[MemoryRegion]:
        return [MemoryRegion(page * PAGE_SIZE, PAGE_SIZE) for page in self._machine.touched()]


def fake_instance(
    name: str = "probe",
    *,
    technology: Technology = Technology.SEV,
    state: InstanceState = InstanceState.RUNNING,
    emulated: bool = True,
) -> Instance:
    """An embedded instance, running and confidential unless told otherwise."""
    return Instance(
        id=sha256(name.encode()).hexdigest()[:32],
        name=name,
        provider="embedded",
        cloud="gce",
        region="europe-west1",
        zone="europe-west1-b",
        machine_type="n2d-standard-2",
        image="ubuntu-2004-lts",
        technology=technology,
        state=state,
        vcpus=2,
        memory_mib=64,
        created_at=0.0,
        emulated=emulated,
    )


@dataclass(frozen=True)
class FakeChange:
    upserted: tuple[Instance, ...] = ()
    removed: tuple[str, ...] = ()


class FakeInventory:
    """Instances, and who listens to their changes."""

    def __init__(self) -> None:
        self.instances: dict[str, Instance] = {}
        self.listeners: list[Callable[[FakeChange], None]] = []

    @property
    def changes(self) -> FakeInventory:
        return self

    def subscribe(self, callback: Callable[[FakeChange], None], /) -> Callable[[], None]:
        self.listeners.append(callback)

        def end() -> None:
            if callback in self.listeners:
                self.listeners.remove(callback)

        return end

    def get(self, instance_id: str, /) -> Instance:
        if instance_id not in self.instances:
            raise NotFound("There is no such instance")
        return self.instances[instance_id]

    def put(self, instance: Instance) -> None:
        self.instances[instance.id] = instance
        for listener in list(self.listeners):
            listener(FakeChange(upserted=(instance,)))

    def remove(self, instance_id: str) -> None:
        del self.instances[instance_id]
        for listener in list(self.listeners):
            listener(FakeChange(removed=(instance_id,)))


@dataclass
class FakeSettings:
    values: dict[str, object] = field(default_factory=dict)

    def get(self, key: str, default: object) -> object:
        return self.values.get(key, default)

    def put(self, key: str, value: object) -> None:
        self.values[key] = value


@dataclass
class FakeEvents:
    recorded: list[tuple[str, str]] = field(default_factory=list)
    """Action and subject of each."""

    def record(
        self,
        action: str,
        message: str,
        *,
        subject: str = "",
        severity: Severity = Severity.INFO,
        actor: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        self.recorded.append((action, subject))


class FakeMemorySession:
    """What the memory panel needs of a session."""

    def __init__(self) -> None:
        self.inventory = FakeInventory()
        self.settings = FakeSettings()
        self.events = FakeEvents()
        self.machines: dict[str, FakeMachine] = {}
        self.refusals: dict[tuple[str, Viewer], ConfvmError] = {}

    def add(self, instance: Instance, machine: FakeMachine) -> str:
        """Returns the instance's id."""
        self.machines[instance.id] = machine
        self.inventory.put(instance)
        return instance.id

    def memory(self, instance_id: str, viewer: Viewer) -> MemorySource:
        refusal = self.refusals.get((instance_id, viewer))
        if refusal is not None:
            raise refusal
        if not self.inventory.get(instance_id).state.is_live:
            raise WrongState("The instance is stopped: it has no memory until it is started")
        return self.machines[instance_id].source(viewer)


def busy_machine(
    *, confidential: bool = True, mebibytes: int = 64, touched: int = 700, secret: bytes = b"Nadia Lindqvist"
) -> FakeMachine:
    """A machine with code, records, heap and a shared mailbox, such as the records guest has."""
    machine = FakeMachine([MemoryRegion(0, mebibytes << 20)], confidential=confidential)
    machine.write(0x8000, b"IBVC" + bytes(60) + b"console=ttyS0", shared=True)
    machine.write(0x10000, bytes(2 * PAGE_SIZE), shared=True)
    machine.write(0x40000, machine.random.bytes(96) + bytes(400))
    code = machine.random.integers(0, 256, 24 * PAGE_SIZE, dtype=np.uint8)
    code[machine.random.random(code.size) < 0.45] = 0
    machine.write(0x100000, code.tobytes())
    rows = "".join(
        f"{1000 + row},Patient {row:05d},{20 + row % 70},0.{row * 7919 % 100000:05d}\n" for row in range(9000)
    )
    machine.write(0x120000, secret + b"\n" + rows.encode())
    heap = np.linspace(-1, 1, (touched - 120) * PAGE_SIZE // 8).view(np.uint8)
    machine.write(0x200000, heap.tobytes())
    return machine


def work(machine: FakeMachine, step: int) -> None:
    """One round of a busy guest: counters, weights and a log line change."""
    machine.write(0x120200, step.to_bytes(8, "little"))
    machine.write(0x120240, f"epoch {step:06d} loss {1 / (1 + step):.6f}".encode())
    weights = machine.random.normal(size=24)
    machine.write(0x120300, weights.tobytes())
    machine.write(0x200000 + step % 90 * PAGE_SIZE, machine.random.bytes(64))
    machine.write(0x10000, step.to_bytes(4, "little"), shared=True)
