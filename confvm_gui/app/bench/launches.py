"""`launches`: small confidential instances, from the owner's first key to the vCPU.

Measured: for each instance all that its launch is on an SEV host: the guest owner's session for the platform's PDH,
LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA over the heartbeat guest, LAUNCH_MEASURE, the owner's check of the
measurement, LAUNCH_SECRET, LAUNCH_FINISH, and that its vCPU worker has taken it. Reference: only the arithmetic that no
such launch can do without, bare and in one thread: a fresh P-384 key, the key agreement on both sides, and SHA-256 of
the guest's image on both sides.

The memory told beside it is what console and workers have grown by in private memory, plus page states, when all
instances run: what an instance costs beyond its RAM.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, throughput
from confvm_gui.app.bench.private_memory import private_bytes
from confvm_gui.domain.errors import GuestFault, Transient, Unsupported
from confvm_gui.engine.guest_host.host import GuestHooks
from confvm_gui.engine.guests.boot_info import BootInfo
from confvm_gui.engine.guests.image import HEARTBEAT, GuestImage
from confvm_gui.engine.guests.secret_table import MAILBOX_KEY_BYTES, guest_secret
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.engine.memory_controller.dram import ALLOCATION_UNIT, Dram
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_owner import GuestOwner

INSTANCES: Final = 1000
ROUNDS: Final = 3
WORKERS: Final = 2
LANES: Final = 4
"""Launches under way at a time."""
RUNNING_TIMEOUT: Final = 120.0
"""Seconds until every guest must have said something on its console."""
TARGET: Final = Target(Judged.MEASURED, 100.0, at_least=True)
_POLICY: Final = 0b011
_WARM_UP: Final = 4


@dataclass(slots=True)
class _Round:
    seconds: float
    running_seconds: float
    """Until the last guest had said something on its console."""
    bytes_each: float | None
    ram_each: float
    """Bytes of RAM that a guest has touched."""


def measure(instances: int = INSTANCES, rounds: int = ROUNDS, workers: int = WORKERS) -> Figure:
    """`instances`: at most the processor's ASIDs. Must be called where no event loop runs.

    Raises CapacityExceeded, WorkerLost, FirmwareError; Transient if a guest does not run.
    """
    image = GuestImage.load(HEARTBEAT)
    ours: list[_Round] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(asyncio.run(_launch_all(image, instances, workers)))
        theirs.append(_agree_all(image.data, instances))
    first = ours[0]
    detail = {
        "seconds until the last instance had written on its console": first.running_seconds,
        "RAM touched by an instance, KiB": first.ram_each / 1024,
    }
    if first.bytes_each is not None:
        detail["memory of an instance beyond its RAM, KiB"] = first.bytes_each / 1024
    return throughput(
        "launches",
        f"{instances:,} confidential instances of {image.minimum_ram >> 20} MiB launched, {LANES} at a time",
        "P-384 key, agreement on both sides and SHA-256 of the image on both sides, bare",
        Rounds(tuple(one.seconds for one in ours), tuple(theirs)),
        work=instances,
        unit="launches/s",
        target=TARGET,
        detail=detail,
    )


def _agree_all(image: bytes, count: int) -> float:
    curve = ec.SECP384R1()
    platform = ec.generate_private_key(curve)
    began = time.perf_counter()
    for _ in range(count):
        owner = ec.generate_private_key(curve)
        owner.exchange(ec.ECDH(), platform.public_key())
        platform.exchange(ec.ECDH(), owner.public_key())
        hashlib.sha256(image).digest()
        hashlib.sha256(image).digest()
    return time.perf_counter() - began


async def _launch_all(image: GuestImage, count: int, workers: int) -> _Round:
    # All ASIDs are for SEV guests here.
    machine = Machine(
        workers=workers, es_asids=0, dram=Dram((count + _WARM_UP + 1) * max(image.minimum_ram, ALLOCATION_UNIT))
    )
    machine.power_on()
    try:
        await machine.vcpus.start()
        launcher = _Launcher(machine, image)
        # The first launches import and allocate what all share.
        for guest in [await launcher.launch(-1 - number) for number in range(_WARM_UP)]:
            await machine.release(guest)
        return await _launch_and_look(machine, launcher, count, workers)
    finally:
        await machine.aclose()


async def _launch_and_look(machine: Machine, launcher: _Launcher, count: int, workers: int) -> _Round:
    pids = (os.getpid(), *machine.vcpus.worker_pids)
    before, states, ram = (
        _private(pids),
        _allocated(machine.dram.state_descriptor),
        _allocated(machine.dram.memory_descriptor),
    )
    numbers = iter(range(count))
    guests: list[MachineGuest] = []

    async def lane() -> None:
        guests.extend([await launcher.launch(number) for number in numbers])

    began = time.perf_counter()
    async with asyncio.TaskGroup() as lanes:
        for _ in range(LANES):
            lanes.create_task(lane())
    # A worker takes its commands in order, and guests go to workers in turns: who has paused its last has taken all.
    for guest in sorted(guests, key=lambda guest: guest.vcpu)[-workers:]:
        await machine.vcpus.pause(guest.vcpu)
        machine.vcpus.resume(guest.vcpu)
    seconds = time.perf_counter() - began
    running = await launcher.all_heard(count, began)
    after = _private(pids)
    grown = None
    if before is not None and after is not None:
        grown = (after - before + _allocated(machine.dram.state_descriptor) - states) / count
    return _Round(seconds, running, grown, (_allocated(machine.dram.memory_descriptor) - ram) / count)


class _Launcher:
    """Launches instances as the embedded provider does, without its disk, jobs and store."""

    def __init__(self, machine: Machine, image: GuestImage) -> None:
        self._machine = machine
        self._image = image
        self._digest = hashlib.sha256(image.data).digest()
        self._heard: set[int] = set()
        self._last_heard = 0.0
        self._more = asyncio.Event()
        self._faults: list[str] = []

    async def launch(self, number: int) -> MachineGuest:
        machine, image, version = self._machine, self._image, self._machine.model.version
        boot_info = BootInfo(image.minimum_ram, 0, f"name=bench-{number}").encode()
        owner = await asyncio.to_thread(GuestOwner.for_platform, machine.pdh, _POLICY)
        try:
            plan = LaunchPlan(
                mode=LaunchMode.SEV,
                image=image.data,
                ram_bytes=image.minimum_ram,
                boot_info=boot_info,
                policy=_POLICY,
                dh_cert=owner.dh_cert,
                session=owner.session,
            )
            guest = await machine.launch(plan)
            owner.check_measurement(
                guest.measurement,
                api_major=version.api_major,
                api_minor=version.api_minor,
                build=version.build,
                launch_digest=self._digest,
            )
            secret = guest_secret(mailbox_key=os.urandom(MAILBOX_KEY_BYTES))
            header, payload = owner.secret_packet(secret, guest.measurement)
        finally:
            owner.forget()
        await machine.inject_secret(guest, header, payload)
        await machine.run(guest, self._hooks(number))
        return guest

    async def all_heard(self, count: int, since: float) -> float:
        """Wait until guests 0 to `count` have written on their consoles; seconds from `since` until the last did."""
        try:
            async with asyncio.timeout(RUNNING_TIMEOUT):
                while len(self._heard) < count:
                    if self._faults:
                        raise GuestFault(f"A guest ended while it was measured: {self._faults[0]}")
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError as error:
            raise Transient(
                f"{count - len(self._heard)} of {count} guests did not run within {RUNNING_TIMEOUT:.0f} seconds; "
                "the computer may be overloaded"
            ) from error
        return max(self._last_heard - since, 0.0)

    def _hooks(self, number: int) -> GuestHooks:
        def console(_: bytes) -> None:
            if number >= 0 and number not in self._heard:
                self._heard.add(number)
                self._last_heard = time.perf_counter()
                self._more.set()

        def exited(crashed: bool, reason: str) -> None:
            self._faults.append(reason)
            self._more.set()

        return GuestHooks(console, exited, lambda _: None)


def _private(pids: Sequence[int]) -> int | None:
    try:
        return private_bytes(pids)
    except Unsupported:
        return None


def _allocated(descriptor: int) -> int:
    """Bytes of a sparse shared memory that exist."""
    return getattr(os.fstat(descriptor), "st_blocks", 0) * 512
