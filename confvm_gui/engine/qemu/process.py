"""One QEMU process: started with its vCPU held, released over QMP, watched, and never left behind.

The console holds QEMU's RAM, monitor and serial port as descriptors without names; there is no file and no port that
another process could open. QEMU runs in its own seccomp sandbox. If the console ends, however it ends, the kernel
kills QEMU (PR_SET_PDEATHSIG, set by `setpriv` before QEMU's own code runs; the shell in between makes sure that the
console had not ended before that). The signal comes when the thread that started QEMU ends: that is the event loop's.

A guest that restarts itself ends here: its next start is a new launch, measured anew.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import GuestFault, Unsupported, WorkerLost
from confvm_gui.engine.guest_host.protocol import GuestUsage
from confvm_gui.engine.qemu.qmp import QmpClient

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.host import GuestHooks

EXECUTABLE: Final = "qemu-system-x86_64"
_SETPRIV: Final = "setpriv"
_END_SECONDS: Final = 10.0
_UNREAD_INPUT: Final = 64 << 10
"""Bytes of typed input that wait for the guest at most; the rest is dropped, as a full serial line does."""
_ERROR_TAIL: Final = 4096
_SERIAL_READ: Final = 64 << 10
_SANDBOX: Final = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
_MACHINE: Final = (
    "microvm,acpi=off,x-option-roms=off,pit=on,pic=on,rtc=on,isa-serial=on,auto-kernel-cmdline=off,memory-backend=ram"
)
_UNLESS_ORPHANED: Final = '[ "$PPID" = "$0" ] && exec "$@"'


def unfit() -> str:
    """Why no guest can run in QEMU on this computer, in one sentence, or ""."""
    if sys.platform != "linux":
        return "Kernels of the image library run under QEMU on Linux only"
    if shutil.which(EXECUTABLE) is None:
        return f"QEMU ({EXECUTABLE}) is not installed on this computer: install the package qemu-system-x86"
    if shutil.which(_SETPRIV) is None:
        return "The command setpriv is missing on this computer: install the package util-linux"
    return ""


class QemuProcess:
    """QEMU with one guest. For the event loop only."""

    def __init__(self, pid: int, hooks: GuestHooks, errors: int, serial: socket.socket, watch: int) -> None:
        """Use `start`."""
        self.pid: Final = pid
        self._hooks = hooks
        self._errors = errors
        self._serial = serial
        self._watch = watch
        self._qmp: QmpClient | None = None
        self._shutdown = ""
        self._last_words = ""
        self._started = False
        self._closing = False
        self._console_bytes = 0
        self._input = bytearray()
        self._gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(watch, self._gone.set)
        loop.add_reader(serial.fileno(), self._read_serial)
        self._watching = loop.create_task(self._supervise(), name=f"QEMU {pid}")

    @classmethod
    async def start(
        cls, *, ram: int, ram_bytes: int, rom: int, signature: int, hooks: GuestHooks, executable: str = EXECUTABLE
    ) -> QemuProcess:
        """Start QEMU with the vCPU held. `ram` and `rom` are descriptors, `signature` the CPUID Fn0000_0001_EAX shown.

        Raises Unsupported, WorkerLost with QEMU's own words if it ends at once, GuestFault.
        """
        reason = unfit()
        if reason:
            raise Unsupported(reason)
        serial, their_serial = socket.socketpair()
        monitor, their_monitor = socket.socketpair()
        errors = os.memfd_create("confvm-qemu-errors", os.MFD_CLOEXEC)
        try:
            passed = (ram, rom, their_serial.fileno(), their_monitor.fileno())
            pid = _spawn(executable, passed, ram_bytes, signature, errors)
        except BaseException:  # whatever it was, no descriptor stays open
            for end in (serial, monitor):
                end.close()
            os.close(errors)
            raise
        finally:
            their_serial.close()
            their_monitor.close()
        serial.setblocking(False)
        found = cls(pid, hooks, errors, serial, os.pidfd_open(pid))
        try:
            found._qmp = await QmpClient.connect(monitor, found._on_event)
        except WorkerLost as error:
            await asyncio.wait([found._watching], timeout=_END_SECONDS)
            await found.aclose()
            raise WorkerLost(f"QEMU did not start: {found._last_words or error}") from error
        except BaseException:  # cancelled too: no QEMU runs that nobody holds
            await found.aclose()
            raise
        found._started = True
        return found

    @property
    def alive(self) -> bool:
        return not self._closing and not self._gone.is_set()

    async def status(self) -> str:
        """QEMU's run state: `prelaunch` until the vCPU is released, `running`, `paused` …"""
        answer = await self._monitor().execute("query-status")
        status = answer.get("status") if isinstance(answer, dict) else None
        if not isinstance(status, str):
            raise GuestFault("QEMU gave no run state")
        return status

    async def resume(self) -> None:
        """Let the vCPU run."""
        await self._monitor().execute("cont")

    async def pause(self) -> None:
        """Hold the vCPU. When this returns it writes no RAM any more."""
        await self._monitor().execute("stop")

    def type(self, data: bytes) -> bool:
        """Input for the serial port; False if nobody is there to read it."""
        if not self.alive:
            return False
        self._input += data[: max(_UNREAD_INPUT - len(self._input), 0)]
        self._write_serial()
        return True

    def usage(self) -> GuestUsage:
        """Of the whole process, its translator included."""
        ticks = 0
        with suppress(OSError, ValueError, IndexError):  # it has just ended
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            ticks = int(fields[11]) + int(fields[12])
        return GuestUsage(0, ticks / os.sysconf("SC_CLK_TCK"), 0, self._console_bytes)

    async def aclose(self) -> None:
        """Kill QEMU, if it still runs: a power-off. Safe to call twice, also while it ends by itself."""
        self._closing = True
        if not self._gone.is_set():
            signal.pidfd_send_signal(self._watch, signal.SIGKILL)
        await asyncio.wait([self._watching])

    # Inside ---------------------------------------------------------------------------------------------------------

    def _monitor(self) -> QmpClient:
        if self._qmp is None or not self.alive:
            raise WorkerLost("QEMU has ended")
        return self._qmp

    def _on_event(self, name: str, data: Mapping[str, object]) -> None:
        if name == "SHUTDOWN":
            self._shutdown = str(data.get("reason", ""))

    def _read_serial(self) -> None:
        try:
            data = self._serial.recv(_SERIAL_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._serial.fileno())
            return
        self._console_bytes += len(data)
        self._hooks.console(data)

    def _write_serial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            del self._input[: self._serial.send(self._input)]
        except BlockingIOError:
            pass
        except OSError:  # QEMU has ended: its end is told elsewhere
            self._input.clear()
        if self._input:
            loop.add_writer(self._serial.fileno(), self._write_serial)
        else:
            loop.remove_writer(self._serial.fileno())

    async def _supervise(self) -> None:
        await self._gone.wait()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._watch)
        os.close(self._watch)
        status = _exit_code(self.pid)
        if self._qmp is not None:
            await self._qmp.ended()
            await self._qmp.aclose()
        loop.remove_writer(self._serial.fileno())
        while loop.remove_reader(self._serial.fileno()):
            # What the guest said last still lies in the socket.
            loop.add_reader(self._serial.fileno(), self._read_serial)
            self._read_serial()
        self._serial.close()
        self._last_words = _last_line(self._errors)
        os.close(self._errors)
        if self._started and not self._closing:
            self._hooks.exited(*self._verdict(status))

    def _verdict(self, status: int) -> tuple[bool, str]:
        if status == 0 and self._shutdown == "guest-shutdown":
            return False, "The guest powered itself off"
        if status == 0 and self._shutdown == "guest-reset":
            return False, "The guest restarted itself: start it again, so that it is launched and measured anew"
        if status < 0:
            return True, f"QEMU was killed by {signal.Signals(-status).name}"
        words = f": {self._last_words}" if self._last_words else ""
        return True, f"QEMU ended with status {status}{words}"


def _last_line(errors: int) -> str:
    """What QEMU wrote last before it ended."""
    size = os.fstat(errors).st_size
    text = os.pread(errors, _ERROR_TAIL, max(size - _ERROR_TAIL, 0)).decode(errors="replace").strip()
    return text.splitlines()[-1] if text else ""


def _spawn(executable: str, passed: Sequence[int], ram_bytes: int, signature: int, errors: int) -> int:
    """Start QEMU with these descriptors of RAM, ROM, serial port and monitor; return its process id.

    On the calling thread, with whose end QEMU ends. Raises Unsupported.
    """
    setpriv = shutil.which(_SETPRIV) or _SETPRIV
    # Numbers that none of ours has, so that no descriptor is put in the place of one that is still to be passed.
    first = max(*passed, errors) + 1
    numbers = range(first, first + len(passed))
    actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, errors, 1),
        (os.POSIX_SPAWN_DUP2, errors, 2),
        *((os.POSIX_SPAWN_DUP2, given, number) for given, number in zip(passed, numbers, strict=True)),
    ]
    ram, rom, serial, monitor = numbers
    arguments = _arguments(executable, ram, ram_bytes, rom, signature, serial, monitor)
    try:
        return os.posix_spawn(setpriv, arguments, os.environ, file_actions=actions)
    except OSError as error:
        raise Unsupported(f"QEMU cannot be started: {error.strerror}") from error


def _exit_code(pid: int) -> int:
    """Of a child that has ended already; minus the signal's number if it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _arguments(
    executable: str, ram: int, ram_bytes: int, rom: int, signature: int, serial: int, monitor: int
) -> list[str]:
    family = (signature >> 8 & 0xF) + (signature >> 20 & 0xFF)
    model = (signature >> 4 & 0xF) | (signature >> 16 & 0xF) << 4
    cpu = f"max,vendor=AuthenticAMD,family={family},model={model},stepping={signature & 0xF}" if signature else "max"
    return [
        *(_SETPRIV, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", _UNLESS_ORPHANED, str(os.getpid())),
        *(executable, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-no-reboot", "-sandbox", _SANDBOX),
        *("-machine", _MACHINE, "-accel", "tcg,tb-size=64", "-cpu", cpu, "-smp", "1", "-m", f"{ram_bytes >> 20}M"),
        *("-object", f"memory-backend-file,id=ram,mem-path=/proc/self/fd/{ram},size={ram_bytes},share=on"),
        *("-bios", f"/proc/self/fd/{rom}"),
        *("-chardev", f"socket,id=serial,fd={serial}", "-serial", "chardev:serial"),
        *("-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control"),
    ]
