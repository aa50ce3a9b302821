"""One emulated host: secure processor, memory controller and vCPUs, put together as a hypervisor would use them.

The order of a confidential launch is KVM's and QEMU's: LAUNCH_START, ACTIVATE, LAUNCH_UPDATE_DATA over the guest's
image, LAUNCH_MEASURE, then LAUNCH_SECRET if the guest's owner sends one, LAUNCH_FINISH, and the vCPU runs. The
machine is the untrusted host: it passes the owner's blobs on and never sees what is in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import BugError
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.asid_pool import AsidPool
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guest_host.host import GuestHooks, GuestHost
from confvm_gui.engine.guest_host.protocol import GuestConfig
from confvm_gui.engine.memory_controller.controller import NO_ENCRYPTION, GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.secure_processor.model import GENOA, ProcessorModel
from confvm_gui.engine.secure_processor.processor import SecureProcessor

if TYPE_CHECKING:
    from confvm_gui.sev.platform_buffers import PlatformStatus

IMAGE_GPA: Final = 0x100000
"""Where a guest's image is loaded and entered."""
BOOT_INFO_GPA: Final = 0x8000
SECRET_GPA: Final = 0x40000
SECRET_SIZE: Final = PAGE_SIZE


@dataclass(slots=True)
class MachineGuest:
    """A guest's resources on the machine."""

    memory: GuestRange
    handle: int = 0
    """The secure processor's; 0 for a plain guest."""
    measurement: bytes = b""
    """LAUNCH_MEASURE's 48 bytes."""
    vcpu: int = 0
    """The guest host's number; 0 while it does not run."""

    @property
    def confidential(self) -> bool:
        return self.memory.asid != NO_ENCRYPTION


class Machine:
    """The host. Every public coroutine leaves nothing allocated when it raises."""

    def __init__(self, *, model: ProcessorModel = GENOA, workers: int = 2, dram: Dram | None = None) -> None:
        self.model = model
        self.dram = dram or Dram.largest()
        self.controller = MemoryController(self.dram)
        self.processor = SecureProcessor(self.controller, model=model)
        self.vcpus = GuestHost(self.dram, self.controller, workers)
        self._asids = AsidPool(max(model.min_sev_asid, 1), model.asid_count, self._flush)
        self._pdh = b""
        self._running: dict[int, MachineGuest] = {}
        self._closed = False

    @property
    def asids_left(self) -> int:
        return self._asids.available

    @property
    def pdh(self) -> bytes:
        """The platform's Diffie-Hellman certificate, for guest owners (PDH_CERT_EXPORT)."""
        return self._pdh

    def power_on(self) -> None:
        """PLATFORM INIT, and the flushes that must come before the first ACTIVATE. Takes a few milliseconds."""
        self.processor.platform_init()
        self._flush()
        self._pdh = self.processor.pdh_cert_export(chain=False).pdh

    def status(self) -> PlatformStatus:
        """PLATFORM_STATUS."""
        return self.processor.platform_status()

    async def launch(
        self, image: bytes, ram_bytes: int, boot_info: bytes, *, policy: int, dh_cert: bytes, session: bytes
    ) -> MachineGuest:
        """LAUNCH_START to LAUNCH_MEASURE. `image` is a multiple of 4096 bytes.

        Raises FirmwareError, CapacityExceeded.
        """
        asid = self._asids.take()
        return await finish(
            lambda: self._launch(asid, image, ram_bytes, boot_info, policy, dh_cert, session), self._take_down
        )

    async def inject_secret(self, guest: MachineGuest, header: bytes, payload: bytes) -> None:
        """LAUNCH_SECRET into the secret page. Raises FirmwareError."""
        spa = guest.memory.spa + SECRET_GPA
        await finish(lambda: self.processor.launch_secret(guest.handle, header, payload, spa=spa))

    async def load_plain(self, image: bytes, ram_bytes: int, boot_info: bytes, secret: bytes) -> MachineGuest:
        """Prepare a guest without memory encryption: the host writes all of it, the secret too.

        Raises CapacityExceeded.
        """
        if len(secret) > SECRET_SIZE:
            raise BugError("The secret does not fit its page")

        def load() -> MachineGuest:
            memory = self.controller.add_range(ram_bytes)
            try:
                self._load(memory, image, boot_info)
                self.controller.hypervisor_write(memory, SECRET_GPA, secret)
            except BaseException:
                self.controller.remove_range(memory)
                raise
            return MachineGuest(memory)

        return await finish(load, self._take_down)

    async def run(self, guest: MachineGuest, hooks: GuestHooks, disk_path: str = "") -> None:
        """LAUNCH_FINISH for a confidential guest, then let its vCPU run. Raises FirmwareError, WorkerLost."""
        if guest.confidential:
            self.processor.launch_finish(guest.handle)

        def config(number: int) -> GuestConfig:
            return GuestConfig(
                guest=number,
                spa=guest.memory.spa,
                ram_bytes=guest.memory.length,
                entry=IMAGE_GPA,
                sev=guest.confidential,
                c_bit=self.model.c_bit,
                asids=self.model.asid_count,
                minimum_asid=self.model.min_sev_asid,
                disk_path=disk_path,
            )

        guest.vcpu = await self.vcpus.add(config, guest.memory, hooks)
        self._running[guest.vcpu] = guest

    async def release(self, guest: MachineGuest) -> None:
        """Power the guest off: vCPU, VEK, ASID and memory. Whatever state it is in; safe to call twice in a row."""
        if self._closed or not guest.memory.length:
            return
        if guest.vcpu:
            await self.vcpus.remove(guest.vcpu)
            self._running.pop(guest.vcpu, None)
            guest.vcpu = 0
        await finish(lambda: self._take_down(guest))

    async def aclose(self) -> None:
        """Switch the machine off. All guests are gone with their keys."""
        if self._closed:
            return
        self._closed = True
        await self.vcpus.aclose()
        for guest in self._running.values():
            guest.vcpu = 0
        self._running.clear()
        self.processor.platform_shutdown()
        self.dram.close()

    # In a thread ----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        self.processor.wbinvd()
        self.processor.df_flush()

    def _load(self, memory: GuestRange, image: bytes, boot_info: bytes) -> None:
        if len(image) % PAGE_SIZE or IMAGE_GPA + len(image) > memory.length:
            raise BugError("The image is not made of whole pages or does not fit the guest's memory")
        self.controller.hypervisor_write(memory, BOOT_INFO_GPA, boot_info)
        self.controller.hypervisor_write(memory, IMAGE_GPA, image)

    def _launch(
        self,
        asid: int,
        image: bytes,
        ram_bytes: int,
        boot_info: bytes,
        policy: int,
        dh_cert: bytes,
        session: bytes,
    ) -> MachineGuest:
        active = False
        guest = MachineGuest(GuestRange(0, 0, asid))
        try:
            guest.memory = self.controller.add_range(ram_bytes, asid)
            self._load(guest.memory, image, boot_info)
            guest.handle = self.processor.launch_start(policy, dh_cert, session)
            self.processor.activate(guest.handle, asid)
            active = True
            self.processor.launch_update_data(guest.handle, guest.memory.spa + IMAGE_GPA, len(image))
            guest.measurement = self.processor.launch_measure(guest.handle)
        except BaseException:
            if active:
                self.processor.deactivate(guest.handle)
            if guest.handle:
                self.processor.decommission(guest.handle)
            if guest.memory.length:
                self.controller.remove_range(guest.memory)
            # Not before the key is out of its slot, and only here: an ASID given back twice would serve two guests.
            self._asids.give_back(asid)
            raise
        return guest

    def _take_down(self, guest: MachineGuest) -> None:
        asid = guest.memory.asid
        if guest.confidential:
            self.processor.deactivate(guest.handle)
            self.processor.decommission(guest.handle)
        self.controller.remove_range(guest.memory)
        if asid != NO_ENCRYPTION:
            self._asids.give_back(asid)
