"""A vCPU worker: a process of its own, so that a guest that breaks the emulator takes nobody else down.

Three threads. The main one runs guests and obeys commands between their turns, one reads the commands, one ends turns
whose time is over: Unicorn runs without Python's lock, so they get through. When the console's end of the pipe closes,
for whatever reason, the process ends at once: no guest outlives its console.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guest_host import protocol as p
from confvm_gui.engine.guest_host.devices import Devices
from confvm_gui.engine.guest_host.host_calls import HostCalls
from confvm_gui.engine.guest_host.page_walk import PageWalk
from confvm_gui.engine.guest_host.scheduler import TURN_SECONDS, Scheduler
from confvm_gui.engine.memory_controller.page_state import PRIVATE, STATE_MASK, TOUCHED

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.core import Core, Vcpu

_USAGE_SECONDS: Final = 1.0
_NICE: Final = 10
"""Guests give way to the window."""


class SharedDescriptor:
    """A file descriptor given to a spawned process, which receives it as an `int` of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        # The duplicate must be made while the process is being spawned: that is when it is pickled.
        from multiprocessing.reduction import DupFd

        return _receive_descriptor, (DupFd(self._descriptor),)


def _receive_descriptor(duplicate: Any) -> int:
    descriptor: int = duplicate.detach()
    return descriptor


def map_shared(descriptor: int, size: int) -> mmap.mmap:
    """Map a descriptor received from the console, which is closed here afterwards."""
    mapped = mmap.mmap(descriptor, size)
    os.close(descriptor)
    return mapped


class Worker:
    """The process's state."""

    def __init__(self, memory: mmap.mmap, states: mmap.mmap, commands: Connection, memory_port: Connection) -> None:
        from confvm_gui.engine.guest_host.core import Core

        self._memory = memory
        self._states = states
        self._commands = commands
        self._memory_port = memory_port
        self._core: Core = Core(memory, len(memory))
        self._guests: dict[int, Vcpu] = {}
        self._scheduler = Scheduler()
        self._inbox: deque[p.Command] = deque()
        self._arrived = threading.Event()
        self._turn = 0
        """Number of the turn that runs, 0 between turns."""
        self._turns = 0
        self._turn_begun = threading.Event()
        self._stale_code = False
        self._ran: set[int] = set()
        self._next_usage = time.monotonic() + _USAGE_SECONDS

    def run(self) -> None:
        """Until told to quit."""
        threading.Thread(target=self._listen, name="listener", daemon=True).start()
        threading.Thread(target=self._limit_turns, name="turn-clock", daemon=True).start()
        self._commands.send(p.WorkerReady())
        while True:
            while self._inbox:
                command = self._inbox.popleft()
                if isinstance(command, p.Quit):
                    return
                self._obey(command)
            now = time.monotonic()
            if now >= self._next_usage:
                self._report_usage(now)
            guest = self._scheduler.next(now)
            if guest is None:
                self._wait(now)
            else:
                self._take_turn(guest)

    def _wait(self, now: float) -> None:
        timer = self._scheduler.next_timer()
        if self._ran:
            timer = min(timer, self._next_usage) if timer is not None else self._next_usage
        self._arrived.wait(None if timer is None else max(timer - now, 0.0))
        self._arrived.clear()

    def _listen(self) -> None:
        while True:
            try:
                command = self._commands.recv()
            except (EOFError, OSError):
                os._exit(0)
            self._inbox.append(command)
            self._arrived.set()
            # Obeyed when the turn is over, in 10 ms at most. A stop for each would hit the same few instructions of a
            # guest's start again and again while many guests are added, and Unicorn answers a CPUID that is hit by one
            # itself: the guest would take the host for one without SEV.

    def _limit_turns(self) -> None:
        while True:
            self._turn_begun.wait()
            self._turn_begun.clear()
            watched = self._turn
            time.sleep(TURN_SECONDS)
            # A stop that comes before the emulator has begun is lost: asked again until the turn has ended.
            while watched and self._turn == watched:
                self._core.stop()
                time.sleep(TURN_SECONDS / 10)

    def _take_turn(self, guest: int) -> None:
        from confvm_gui.engine.guest_host.core import Turn

        vcpu = self._guests[guest]
        if self._stale_code:
            self._core.drop_translations()
            self._stale_code = False
        self._ran.add(guest)
        self._turns += 1
        self._turn = self._turns
        self._turn_begun.set()
        turn = self._core.run(vcpu)
        self._turn = 0
        self._flush_console(guest, vcpu)
        if turn is Turn.PREEMPTED:
            self._scheduler.add(guest)
        elif turn is Turn.HALTED:
            wait = vcpu.devices.sleep_milliseconds
            vcpu.devices.sleep_milliseconds = None
            self._scheduler.sleep(guest, None if wait is None else time.monotonic() + wait / 1000)
        else:
            crashed = turn is Turn.CRASHED
            self._end(guest, vcpu, crashed, vcpu.crash if crashed else "the guest powered off")

    def _end(self, guest: int, vcpu: Vcpu, crashed: bool, reason: str) -> None:
        vcpu.ended = reason
        self._scheduler.remove(guest)
        self._commands.send(p.GuestExited(guest, crashed, reason))

    def _flush_console(self, guest: int, vcpu: Vcpu) -> None:
        if vcpu.devices.output:
            self._commands.send(p.ConsoleOutput(guest, bytes(vcpu.devices.output)))
            vcpu.devices.output.clear()

    def _obey(self, command: p.Command) -> None:
        match command:
            case p.AddGuest(config, state, paused):
                self._add(config, state, paused)
            case p.RemoveGuest(guest):
                self._remove(guest)
            case p.PauseGuest(guest):
                self._scheduler.pause(guest)
                if guest in self._guests:
                    self._store_registers(self._guests[guest])
                self._commands.send(p.GuestPaused(guest))
            case p.SaveGuest(guest):
                self._commands.send(self._saved(guest))
            case p.ResumeGuest(guest):
                self._resume(guest)
            case p.Doorbell(guest):
                self._scheduler.wake(guest)
            case p.ConsoleInput(guest, data):
                if guest in self._guests:
                    self._guests[guest].devices.feed(data)
                    self._scheduler.wake(guest)
            case p.DropTranslations():
                self._stale_code = True
            case p.Quit():
                pass

    def _add(self, config: p.GuestConfig, state: p.VcpuState | None, paused: bool) -> None:
        from confvm_gui.engine.guest_host.core import Vcpu

        def answered(sequence: int) -> None:
            self._flush_console(config.guest, self._guests[config.guest])
            self._commands.send(p.GuestAnswered(config.guest, sequence))

        calls = HostCalls(self._memory_port, self._memory, self._states, config, answered)
        try:
            devices = Devices(config.disk_path, calls.device_write, calls, snp=config.snp)
        except OSError as error:
            self._commands.send(p.GuestExited(config.guest, True, f"the disk cannot be opened: {error.strerror}"))
            return
        walk = PageWalk(
            self._memory,
            self._states,
            spa=config.spa,
            ram_bytes=config.ram_bytes,
            sev=config.sev,
            c_bit=config.c_bit,
            convert=calls.convert,
            snp=config.snp,
        )
        vcpu = Vcpu(config, walk, devices, self._core.new_context(), config.entry)
        vcpu.pvalidate = calls.pvalidate if config.snp else None
        self._guests[config.guest] = vcpu
        # The new guest's memory may have held another's code before.
        self._stale_code = True
        if state is not None:
            devices.restore(state.devices)
            vcpu.cpu_seconds = state.cpu_seconds
        if paused:
            self._scheduler.pause(config.guest)
        if self._load_registers(config.guest, vcpu, state):
            # One that slept where it comes from wakes early, as from a doorbell: one may have rung on the way.
            self._scheduler.add(config.guest)

    def _remove(self, guest: int) -> None:
        self._scheduler.remove(guest)
        vcpu = self._guests.pop(guest, None)
        if vcpu is not None:
            self._store_registers(vcpu)
            vcpu.devices.close()
        self._ran.discard(guest)
        self._commands.send(p.GuestRemoved(guest))

    def _resume(self, guest: int) -> None:
        vcpu = self._guests.get(guest)
        if not self._scheduler.is_paused(guest):
            return
        # What the host did to an encrypted VMSA meanwhile is what the guest goes on with.
        if vcpu is not None and not vcpu.ended and self._load_registers(guest, vcpu, None):
            self._scheduler.resume(guest)

    def _saved(self, guest: int) -> p.GuestSaved:
        from confvm_gui.engine.guest_host.vcpu_state import blank_page

        vcpu = self._guests.get(guest)
        if vcpu is None:
            return p.GuestSaved(guest, None, "it has no vCPU")
        if vcpu.ended:
            return p.GuestSaved(guest, None, vcpu.ended)
        if not self._scheduler.is_paused(guest):
            return p.GuestSaved(guest, None, "it must be paused first")
        hidden = vcpu.config.registers_encrypted
        registers = b"" if hidden else self._core.save(vcpu, blank_page())
        return p.GuestSaved(guest, p.VcpuState(registers, vcpu.devices.state(), vcpu.cpu_seconds))

    def _load_registers(self, guest: int, vcpu: Vcpu, state: p.VcpuState | None) -> bool:
        from confvm_gui.engine.guest_host.vcpu_state import IllegalState

        page = state.registers if state is not None else b""
        if vcpu.config.registers_encrypted:
            page = self._vmsa(vcpu.config) or b""
            if not page:
                self._end(guest, vcpu, True, "its VMSA page is not the guest's any more")
                return False
        if page:
            try:
                self._core.load(vcpu, page)
            except IllegalState as error:
                self._end(guest, vcpu, True, str(error))
                return False
        return True

    def _store_registers(self, vcpu: Vcpu) -> None:
        config = vcpu.config
        if not config.registers_encrypted or vcpu.ended:
            return
        page = self._vmsa(config)
        if page is not None:  # else the guest cannot go on, and is told so when it should
            spa = config.vmsa_spa
            self._memory[spa : spa + PAGE_SIZE] = self._core.save(vcpu, page)
            self._states[spa // PAGE_SIZE] = PRIVATE | TOUCHED

    def _vmsa(self, config: p.GuestConfig) -> bytes | None:
        """The guest's VMSA page in plaintext; None if the page is not in private use."""
        if self._states[config.vmsa_spa // PAGE_SIZE] & STATE_MASK != PRIVATE:
            return None
        return self._memory[config.vmsa_spa : config.vmsa_spa + PAGE_SIZE]

    def _report_usage(self, now: float) -> None:
        self._next_usage = now + _USAGE_SECONDS
        usage = tuple(
            p.GuestUsage(guest, vcpu.cpu_seconds, vcpu.devices.disk_read_bytes, vcpu.devices.console_bytes)
            for guest in sorted(self._ran)
            if (vcpu := self._guests.get(guest)) is not None
        )
        self._ran.clear()
        if usage:
            self._commands.send(p.Usage(usage))


def worker_main(
    memory: int,
    states: int,
    size: int,
    commands: Connection,
    memory_port: Connection,
) -> None:
    """Entry point of the spawned process.

    `memory`, `states`: descriptors of DRAM (`size` bytes) and of its page states, given as SharedDescriptor.
    """
    if sys.platform != "win32":
        import signal

        # Ctrl-C in a terminal, its closing and a `kill` of the whole group go to the console alone: it decides what
        # becomes of the guests, and a worker ends with it in any case.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.nice(_NICE)
    dram = map_shared(memory, size)
    page_states = map_shared(states, size // PAGE_SIZE)
    try:
        Worker(dram, page_states, commands, memory_port).run()
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)
    # Unicorn's mapping refers to the memory until the very end: leave without taking it apart.
    os._exit(0)
