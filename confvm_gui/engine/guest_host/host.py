"""The console's side of the vCPU workers: starts them, spreads guests over them, hears what they report.

Everything public is called on the event loop. Each worker has two threads here: one receives its reports and hands
them to the loop, one serves its memory port by calling the memory controller, without the loop, so that a busy
window never holds up a guest's page walk.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import BugError, WorkerLost, WrongState
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guest_host import protocol as p
from confvm_gui.engine.guest_host.memory_service import answer

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from confvm_gui.engine.guest_host.firmware_port import GuestFirmware
    from confvm_gui.engine.memory_controller.controller import GuestRange, MemoryController
    from confvm_gui.engine.memory_controller.dram import Dram

START_TIMEOUT: Final = 30.0
"""Seconds until a worker must have reported; a loaded machine takes long to start a process."""
REPLY_TIMEOUT: Final = 10.0


def ignore(_: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class GuestHooks:
    """Whom to tell about one guest. Called on the event loop."""

    console: Callable[[bytes], None]
    exited: Callable[[bool, str], None]
    """(crashed, reason)."""
    usage: Callable[[p.GuestUsage], None]
    answered: Callable[[int], None] = ignore
    """(number): the guest's attestation page holds this answer."""
    firmware: GuestFirmware | None = None
    """The host's side of an SEV-SNP guest; called on a thread of its own."""


@dataclass(slots=True)
class _Guest:
    worker: _WorkerProcess
    memory: GuestRange
    hooks: GuestHooks
    controller: MemoryController
    config: p.GuestConfig
    removed: asyncio.Future[None] | None = None
    paused: asyncio.Future[None] | None = None
    saved: asyncio.Future[p.GuestSaved] | None = None


@dataclass(slots=True, eq=False)
class _WorkerProcess:
    process: BaseProcess
    commands: Connection
    memory_port: Connection
    ready: asyncio.Future[None]
    guests: set[int] = field(default_factory=set)
    lost: bool = False
    threads: list[threading.Thread] = field(default_factory=list)


class GuestHost:
    """The vCPUs of one emulated host, or of several that share one DRAM."""

    def __init__(self, dram: Dram, controller: MemoryController | None = None, workers: int = 2) -> None:
        """`controller`: that of the guests that are added without one of their own."""
        self._dram = dram
        self._controller = controller
        self._count = max(workers, 1)
        self._workers: list[_WorkerProcess] = []
        self._guests: dict[int, _Guest] = {}
        self._next_guest = 1
        self._starting: asyncio.Lock = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(worker.process.pid or 0 for worker in self._workers if not worker.lost)

    @property
    def guests(self) -> tuple[int, ...]:
        """Numbers of the guests that have a vCPU."""
        return tuple(self._guests)

    async def start(self) -> None:
        """Start the workers that do not run yet. Raises WorkerLost if one does not come up."""
        async with self._starting:
            self._loop = asyncio.get_running_loop()
            self._workers = [worker for worker in self._workers if not worker.lost]
            missing = self._count - len(self._workers)
            if missing <= 0 or self._closing:
                return
            loop, before = self._loop, len(self._workers)

            def spawn() -> None:
                # Known from the moment it exists, so that it is ended even if nobody waits for it any more.
                self._workers.append(self._spawn(loop))

            try:
                # Spawning takes tens of milliseconds: not on the loop.
                for _ in range(missing):
                    await finish(spawn)
            except OSError as error:
                raise WorkerLost(f"This computer could not start a vCPU worker: {error.strerror}; try again") from error
            try:
                async with asyncio.timeout(START_TIMEOUT):
                    for worker in self._workers[before:]:
                        await asyncio.shield(worker.ready)
            except TimeoutError as error:
                raise WorkerLost(
                    f"A vCPU worker did not start within {START_TIMEOUT:.0f} seconds; the computer may be overloaded"
                ) from error

    async def add(
        self,
        make_config: Callable[[int], p.GuestConfig],
        memory: GuestRange,
        hooks: GuestHooks,
        controller: MemoryController | None = None,
        *,
        state: p.VcpuState | None = None,
        paused: bool = False,
    ) -> int:
        """Let a guest run on the worker with the fewest guests; return its number.

        `make_config` gets the number. `controller` is that of the host the guest is on. With `state` the guest goes on
        from there, with `paused` not before `resume`. Raises WorkerLost.
        """
        await self.start()
        alive = [worker for worker in self._workers if not worker.lost]
        if not alive:
            raise WorkerLost("No vCPU worker could be started; try again")
        worker = min(alive, key=lambda candidate: len(candidate.guests))
        guest = self._next_guest
        self._next_guest += 1
        config = make_config(guest)
        controller = controller or self._controller
        if controller is None:
            raise BugError("A guest needs the memory controller of its host")
        self._guests[guest] = _Guest(worker, memory, hooks, controller, config)
        worker.guests.add(guest)
        self._send(worker, p.AddGuest(config, state, paused))
        return guest

    def config(self, guest: int) -> p.GuestConfig:
        """What the guest was added with."""
        return self._entry(guest).config

    def hooks(self, guest: int) -> GuestHooks:
        """Whom the guest's reports go to."""
        return self._entry(guest).hooks

    async def remove(self, guest: int) -> None:
        """Take the guest off its core for good. When this returns, nobody touches its memory any more."""
        entry = self._guests.get(guest)
        if entry is None:
            return
        if not entry.worker.lost:
            entry.removed = asyncio.get_running_loop().create_future()
            self._send(entry.worker, p.RemoveGuest(guest))
            try:
                await asyncio.wait_for(entry.removed, REPLY_TIMEOUT)
            except TimeoutError:
                # It does not answer: only its end makes sure that the memory is free.
                self._kill(entry.worker)
        entry.worker.guests.discard(guest)
        self._guests.pop(guest, None)

    async def pause(self, guest: int) -> None:
        """Stop running the guest; its memory and registers stay. Returns once it stands still."""
        entry = self._entry(guest)
        if entry.worker.lost:
            raise WorkerLost("The vCPU worker that ran the guest died")
        entry.paused = asyncio.get_running_loop().create_future()
        self._send(entry.worker, p.PauseGuest(guest))
        try:
            await asyncio.wait_for(entry.paused, REPLY_TIMEOUT)
        except TimeoutError as error:
            raise WorkerLost("The vCPU worker does not answer") from error

    async def save(self, guest: int) -> p.VcpuState:
        """What a paused guest needs besides its memory to go on elsewhere (`add`). It stays here, paused.

        With SEV-ES and SEV-SNP the registers are in the guest's VMSA page and not in the result.
        Raises WrongState if the guest has ended or is not paused, WorkerLost.
        """
        entry = self._entry(guest)
        if entry.worker.lost:
            raise WorkerLost("The vCPU worker that ran the guest died")
        entry.saved = asyncio.get_running_loop().create_future()
        self._send(entry.worker, p.SaveGuest(guest))
        try:
            saved = await asyncio.wait_for(entry.saved, REPLY_TIMEOUT)
        except TimeoutError as error:
            raise WorkerLost("The vCPU worker does not answer") from error
        if saved.state is None:
            raise WrongState(f"The registers of the guest cannot be had: {saved.problem}")
        return saved.state

    def resume(self, guest: int) -> None:
        self._send(self._entry(guest).worker, p.ResumeGuest(guest))

    def ring(self, guest: int) -> None:
        """Tell the guest that something waits in its mailbox."""
        self._send(self._entry(guest).worker, p.Doorbell(guest))

    def type_into_console(self, guest: int, data: bytes) -> None:
        self._send(self._entry(guest).worker, p.ConsoleInput(guest, data))

    def code_changed(self, guest: int) -> None:
        """The guest's memory was written from outside and may hold code."""
        self._send(self._entry(guest).worker, p.DropTranslations())

    async def aclose(self) -> None:
        """End all workers. Their guests are powered off without a report."""
        self._closing = True
        async with self._starting:
            workers, self._workers = self._workers, []
        for worker in workers:
            self._send(worker, p.Quit())
        await asyncio.gather(*(asyncio.to_thread(self._join, worker) for worker in workers))
        self._guests.clear()

    # The processes --------------------------------------------------------------------------------------------------

    def _spawn(self, loop: asyncio.AbstractEventLoop) -> _WorkerProcess:
        from confvm_gui.engine.guest_host.worker import SharedDescriptor, worker_main

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        port_ours, port_theirs = context.Pipe()

        process = context.Process(
            target=worker_main,
            args=(
                SharedDescriptor(self._dram.memory_descriptor),
                SharedDescriptor(self._dram.state_descriptor),
                self._dram.size,
                theirs,
                port_theirs,
            ),
            name="confvm-vcpu",
            daemon=True,
        )
        process.start()
        theirs.close()
        port_theirs.close()
        worker = _WorkerProcess(process, ours, port_ours, loop.create_future())
        # Its failure may come when nobody waits for it any more.
        worker.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        for target, name in ((self._receive, "vcpu-reports"), (self._serve_memory, "vcpu-memory-port")):
            thread = threading.Thread(target=target, args=(worker, loop), name=name, daemon=True)
            worker.threads.append(thread)
            thread.start()
        return worker

    def _send(self, worker: _WorkerProcess, command: p.Command) -> None:
        # A worker that died is reported by its receiving thread; here there is nobody left to tell.
        with suppress(OSError):
            worker.commands.send(command)

    def _join(self, worker: _WorkerProcess) -> None:
        worker.process.join(REPLY_TIMEOUT)
        self._kill(worker)
        for thread in worker.threads:
            thread.join(REPLY_TIMEOUT)
        worker.commands.close()
        worker.memory_port.close()

    def _kill(self, worker: _WorkerProcess) -> None:
        worker.process.kill()
        worker.process.join(REPLY_TIMEOUT)

    # Threads --------------------------------------------------------------------------------------------------------

    def _receive(self, worker: _WorkerProcess, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while True:
                report = worker.commands.recv()
                loop.call_soon_threadsafe(self._on_report, worker, report)
        except (EOFError, OSError):
            pass
        worker.process.join(REPLY_TIMEOUT)
        # The loop is closed already when the whole program ends without waiting for its workers.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._on_lost, worker)

    def _serve_memory(self, worker: _WorkerProcess, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while True:
                request = worker.memory_port.recv()
                guest = self._guests.get(request.guest)
                worker.memory_port.send(
                    answer(request, guest.memory, guest.controller, guest.hooks.firmware)
                    if guest is not None
                    else "the host does not know this guest"
                )
        except (EOFError, OSError):
            return

    # On the loop ----------------------------------------------------------------------------------------------------

    def _on_report(self, worker: _WorkerProcess, report: p.Report) -> None:
        match report:
            case p.WorkerReady():
                if not worker.ready.done():
                    worker.ready.set_result(None)
            case p.ConsoleOutput(guest, data):
                if guest in self._guests:
                    self._guests[guest].hooks.console(data)
            case p.GuestExited(guest, crashed, reason):
                if guest in self._guests:
                    self._guests[guest].hooks.exited(crashed, reason)
            case p.GuestRemoved(guest):
                self._resolve(self._guests[guest].removed if guest in self._guests else None)
            case p.GuestPaused(guest):
                self._resolve(self._guests[guest].paused if guest in self._guests else None)
            case p.GuestSaved(guest):
                if guest in self._guests and (saved := self._guests[guest].saved) is not None and not saved.done():
                    saved.set_result(report)
            case p.GuestAnswered(guest, sequence):
                if guest in self._guests:
                    self._guests[guest].hooks.answered(sequence)
            case p.Usage(guests):
                for usage in guests:
                    if usage.guest in self._guests:
                        self._guests[usage.guest].hooks.usage(usage)

    def _on_lost(self, worker: _WorkerProcess) -> None:
        worker.lost = True
        if self._closing:
            return
        if not worker.ready.done():
            worker.ready.set_exception(WorkerLost("A vCPU worker ended while it started"))
        code = worker.process.exitcode
        for guest in list(worker.guests):
            entry = self._guests.get(guest)
            if entry is not None:
                self._resolve(entry.removed)
                self._resolve(entry.paused)
                if entry.saved is not None and not entry.saved.done():
                    entry.saved.set_result(p.GuestSaved(guest, None, "the vCPU worker that ran it died"))
                entry.hooks.exited(True, f"the vCPU worker that ran it died (exit code {code})")
        worker.guests.clear()

    @staticmethod
    def _resolve(future: asyncio.Future[None] | None) -> None:
        if future is not None and not future.done():
            future.set_result(None)

    def _entry(self, guest: int) -> _Guest:
        entry = self._guests.get(guest)
        if entry is None:
            raise BugError(f"No guest has the number {guest}")
        return entry
