"""Live migration: a running guest goes from one emulated host to another (55766, chapter 6; KVM's and QEMU's order).

    source                                   target
    SEND_START (target's PDH and chain)
                                             RECEIVE_START, ACTIVATE
    SEND_UPDATE_DATA  --- 16 KiB packets -->  RECEIVE_UPDATE_DATA      round after round, while the guest runs
    the guest stands still
    SEND_UPDATE_DATA  --- the last pages -->  RECEIVE_UPDATE_DATA
    shared pages      --- in the clear ---->
    SEND_UPDATE_VMSA  --- SEV-ES ---------->  RECEIVE_UPDATE_VMSA      registers of plain SEV go in the clear
                                             RECEIVE_FINISH
    SEND_FINISH                                                        from here on the guest is the target's
    DEACTIVATE, DECOMMISSION                 the guest runs on

Until SEND_FINISH everything can be undone: on an error or when the caller is cancelled, SEND_CANCEL lets the guest run
on where it was, and nothing is left at the target. The hosts carry the packets and never see what is in them. A plain
guest is copied by the two hosts themselves. Which pages those are is in `migration_pages`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import BugError, FirmwareError, Unsupported, WrongState
from confvm_gui.engine.finish import finish
from confvm_gui.engine.migration_pages import ChangedPages, PageStream
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE

if TYPE_CHECKING:
    from confvm_gui.engine.guest_host.host import GuestHooks
    from confvm_gui.engine.guest_host.protocol import VcpuState
    from confvm_gui.engine.machine import Machine, MachineGuest

ROUNDS: Final = 8
"""While the guest runs; one that writes faster than it is sent is stopped after so many."""
FEW_PAGES: Final = 64
"""So few changed pages are left to the time when the guest stands still."""
_COPYING: Final = 0.9
"""Share of the work that is the copying of memory."""

Progress = Callable[[float, str], None]
"""(0 to 1, what happens now). Called on the event loop."""


def _nothing() -> None:
    """Nobody wants to know."""


async def migrate(
    guest: MachineGuest,
    source: Machine,
    target: Machine,
    hooks: GuestHooks | None,
    progress: Progress,
    *,
    on_pause: Callable[[], None] = _nothing,
) -> MachineGuest:
    """Move a running guest from `source` to `target`, which share one DRAM and one GuestHost; return it as it is there.

    `hooks` are told of it from then on, without them those that were. `on_pause` is called on the loop right before the
    guest stands still: what is written into its shared pages after that, and not by the guest, is lost.
    `guest` is released when this returns. Its launch measurement stays behind, as the firmware has it: the target
    cannot attest to a launch that it has not seen.

    Raises Unsupported (SEV-SNP), FirmwareError (POLICY_FAILURE with NOSEND), CapacityExceeded, WrongState when the
    guest does not run or ends meanwhile, WorkerLost; then it runs on at the source if it still can. A cancellation
    that comes too late to stop it is delivered once the caller has the result, at its next await.
    """
    if guest.mode is LaunchMode.SEV_SNP:
        raise Unsupported(
            "An SEV-SNP guest is moved by a migration agent, and this one was launched without; stop it and launch it "
            "anew on the other host"
        )
    if source is target or guest.machine is not source:
        raise BugError("A guest is moved from the host that it is on to another")
    if source.dram is not target.dram or source.vcpus is not target.vcpus:
        raise BugError("Guests are moved between hosts with one DRAM and one GuestHost")
    if not guest.vcpu:
        raise WrongState("Only a running instance can be moved; start it first")
    return await _Migration(guest, source, target, hooks or source.vcpus.hooks(guest.vcpu), progress, on_pause).run()


class _Migration:
    def __init__(
        self,
        guest: MachineGuest,
        source: Machine,
        target: Machine,
        hooks: GuestHooks,
        progress: Progress,
        on_pause: Callable[[], None],
    ) -> None:
        self._guest = guest
        self._source = source
        self._target = target
        self._vcpus = source.vcpus
        self._hooks = hooks
        self._progress = progress
        self._on_pause = on_pause
        self._moved: MachineGuest | None = None
        """The guest at the target."""
        self._sending = False
        self._paused = False
        self._committed = False
        self._rounds = 0
        self._pages = 0
        self._stopped_at = 0.0
        self._downtime = 0.0

    async def run(self) -> MachineGuest:
        try:
            if self._guest.confidential:
                await self._start_sending()
            moved = self._moved or self._reserve()
            await self._copy_while_it_runs(moved)
            await self._switch_over(moved)
        except BaseException:  # whatever ends it, cancelled too, the guest goes on at its source
            if not self._committed:
                await _see_through(self._undo())
            raise
        self._progress(
            1.0,
            f"Runs on {self._target.name}: {self._rounds} rounds, {self._pages} pages, "
            f"stood still for {self._downtime * 1000:.0f} ms",
        )
        return moved

    # Step by step -----------------------------------------------------------------------------------------------------

    def _reserve(self) -> MachineGuest:
        """On the loop: it takes a millisecond, and whoever cancels must find out what is there to undo."""
        guest = self._guest
        self._moved = self._target.reserve(guest.mode, guest.ram_bytes, policy=guest.policy)
        return self._moved

    async def _start_sending(self) -> None:
        self._progress(0.0, "The two secure processors agree on transport keys")
        source, target, handle = self._source, self._target, self._guest.handle
        amd_certificates = await target.amd_certificates()

        def send_start() -> tuple[int, bytes]:
            chain = target.platform_certificates()
            pdh, platform = chain[:SEV_CERTIFICATE_SIZE], chain[SEV_CERTIFICATE_SIZE:]
            started = source.processor.send_start(handle, pdh, platform, amd_certificates)
            self._sending = True
            return started

        policy, session = await finish(send_start)
        moved = self._reserve()

        def receive_start() -> None:
            moved.handle = target.processor.receive_start(policy, source.pdh, session)
            target.processor.activate(moved.handle, moved.memory.asid)

        await finish(receive_start)

    async def _copy_while_it_runs(self, moved: MachineGuest) -> None:
        stream = PageStream(self._guest, moved)
        left = 0
        for number in range(1, ROUNDS + 1):
            found = await finish(stream.find)
            before, left = left, found.count
            if number > 1 and (left <= FEW_PAGES or left >= before):
                return  # few enough, or it writes as fast as we send
            self._rounds = number
            await self._copy(stream, found, partial(self._tell_round, number, left))

    def _tell_round(self, number: int, pages: int, done: float) -> None:
        """Each round has half of what is left of the bar, as it should have of the pages."""
        share = _COPYING * (1 - 2.0 ** (1 - number) + done * 2.0**-number)
        self._progress(share, f"Round {number}: {pages} pages while the instance runs")

    async def _switch_over(self, moved: MachineGuest) -> None:
        guest, source, target = self._guest, self._source, self._target
        self._progress(_COPYING, "The instance stands still for its last pages")
        self._on_pause()
        self._stopped_at = time.monotonic()
        self._paused = True
        await self._vcpus.pause(guest.vcpu)
        state = await self._vcpus.save(guest.vcpu)
        stream = PageStream(guest, moved)
        self._rounds += 1
        await self._copy(stream, await finish(stream.find), lambda _: None)

        def receive_finish() -> None:
            if guest.mode is LaunchMode.SEV_ES:
                packet = source.processor.send_update_vmsa(guest.handle, guest.vmsa_spa)
                target.processor.receive_update_vmsa(moved.handle, *packet, spa=moved.vmsa_spa)
            target.processor.receive_finish(moved.handle)

        if guest.confidential:
            await finish(receive_finish)
        moved.vcpu = await self._start_there(moved, state)
        cancelled = await _see_through(self._commit(moved))
        if cancelled:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()  # it is one cancellation still, and not two
                task.cancel()

    async def _start_there(self, moved: MachineGuest, state: VcpuState) -> int:
        disk_path = self._vcpus.config(self._guest.vcpu).disk_path
        return await self._vcpus.add(
            lambda number: self._target.configuration(moved, number, disk_path),
            moved.memory,
            self._hooks,
            self._target.controller,
            state=state,
            paused=True,
        )

    async def _commit(self, moved: MachineGuest) -> None:
        if self._guest.confidential:
            await finish(lambda: self._source.processor.send_finish(self._guest.handle))
        self._committed = True
        self._vcpus.resume(moved.vcpu)
        self._downtime = time.monotonic() - self._stopped_at
        await self._source.release(self._guest)

    async def _undo(self) -> None:
        """The guest runs on at the source, if it is still there."""
        guest = self._guest
        if self._sending:
            # Refused only if the guest ended meanwhile and was released: then there is nothing to cancel.
            with suppress(FirmwareError):
                await finish(lambda: self._source.processor.send_cancel(guest.handle))
        if self._paused and guest.vcpu in self._vcpus.guests:
            self._vcpus.resume(guest.vcpu)
        if self._moved is not None:
            await self._target.release(self._moved)

    async def _copy(self, stream: PageStream, found: ChangedPages, tell: Callable[[float], None]) -> None:
        """Copy the pages found, in steps; `tell` gets the share that is done."""
        done = 0
        for step in stream.steps(found):
            done += await finish(partial(stream.copy, step))
            tell(done / found.count)
        self._pages += done


async def _see_through(work: Coroutine[object, object, None]) -> bool:
    """Run `work` to its end, whoever stops waiting; whether the caller was cancelled. Raises what `work` raises."""
    running = asyncio.ensure_future(work)
    cancelled = False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            cancelled = True
    running.result()
    return cancelled
