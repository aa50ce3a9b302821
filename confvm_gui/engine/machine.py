"""One emulated host: secure processor, memory controller and vCPUs, put together as a hypervisor would use them.

How each kind of guest comes to be is in `launch_sequence`; here is what a host has (ASIDs, certificates, its part of
DRAM) and what becomes of a guest afterwards. The machine is the untrusted host: it passes the owner's blobs on and
never sees what is in them.

Several machines can share one DRAM and one GuestHost, as the nodes of a cluster share a building: each has its own
chip, ASIDs and memory encryption, so that what one wrote is noise to the other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import BugError, Unsupported
from confvm_gui.engine.asid_pool import AsidPool
from confvm_gui.engine.finish import finish
from confvm_gui.engine.guest_host.host import GuestHooks, GuestHost
from confvm_gui.engine.guest_host.protocol import GuestConfig
from confvm_gui.engine.guests.memory_map import IMAGE_GPA, SECRET_GPA, SECRET_SIZE
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.launch_sequence import launch_sev, launch_snp, load_clear, take_down
from confvm_gui.engine.memory_controller.controller import NO_ENCRYPTION, GuestRange, MemoryController
from confvm_gui.engine.memory_controller.dram import Dram
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA, ProcessorModel
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.snp_guest import SnpGuest
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.states import GuestState

if TYPE_CHECKING:
    from confvm_gui.sev.platform_buffers import PlatformStatus

HOST_PAGES: Final = 2
"""Pages behind the RAM of a SEV-ES or SEV-SNP guest: its VMSA, and its SNP context."""
_ES_SHARE: Final = 10
"""By default one ASID of so many is set apart for SEV-ES and SEV-SNP guests."""


@dataclass(slots=True, eq=False)
class MachineGuest:
    """A guest's resources on the machine. The fields are the machine's to change."""

    memory: GuestRange
    machine: Machine = field(repr=False)
    """The host that it is on."""
    mode: LaunchMode | None = None
    """None: a plain guest, without memory encryption."""
    policy: int = 0
    handle: int = 0
    """SEV, SEV-ES: the secure processor's."""
    gctx: int = 0
    """SEV-SNP: SPA of the context page, once the firmware has it."""
    measurement: bytes = b""
    """SEV, SEV-ES: LAUNCH_MEASURE's 48 bytes."""
    vmsa_spa: int = 0
    """SEV-ES, SEV-SNP: the vCPU's register page."""
    ram_bytes: int = 0
    vcpu: int = 0
    """The guest host's number; 0 while it does not run."""
    releasing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    """So that who releases it a second time meanwhile waits for the first."""

    @property
    def confidential(self) -> bool:
        return self.mode is not None


class Machine:
    """The host. Every public coroutine leaves nothing allocated when it raises."""

    def __init__(
        self,
        *,
        model: ProcessorModel = GENOA,
        workers: int = 2,
        dram: Dram | None = None,
        vcpus: GuestHost | None = None,
        root: EmulatedRoot | None = None,
        chip: ChipSecret | None = None,
        es_asids: int | None = None,
        name: str = "host-1",
    ) -> None:
        """`dram` and `vcpus` stay the caller's to close; without them the machine makes its own (`workers` processes).

        `es_asids`: ASIDs set apart for SEV-ES and SEV-SNP guests, by default a tenth. Without `chip` it is a new chip.
        InvalidInput("asids") if the part has not that many.
        """
        self.name = name
        self.model = model.with_es_asids(model.asid_count // _ES_SHARE if es_asids is None else es_asids)
        self.root = root or EmulatedRoot()
        self._own_dram = dram is None
        self._own_vcpus = vcpus is None
        self.dram = dram or Dram.largest()
        self.controller = MemoryController(self.dram)
        self.processor = SecureProcessor(self.controller, model=self.model, root=self.root, chip=chip)
        self.controller.guard_with(self.processor.rmp)
        self.vcpus = vcpus or GuestHost(self.dram, self.controller, workers)
        least = self.model.min_sev_asid
        self._asids = AsidPool(least, self.model.asid_count, self._flush, "SEV")
        self._es_asids = AsidPool(1, least - 1, self._flush, "SEV-ES and SEV-SNP")
        self._pdh = b""
        self._guests: set[MachineGuest] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Machine {self.name} (emulated {self.model.name}), {len(self._guests)} guests>"

    @property
    def asids_left(self) -> int:
        """ASIDs for SEV guests."""
        return self._asids.available

    @property
    def es_asids_left(self) -> int:
        """ASIDs for SEV-ES and SEV-SNP guests."""
        return self._es_asids.available

    @property
    def pdh(self) -> bytes:
        """The platform's Diffie-Hellman certificate, for guest owners (PDH_CERT_EXPORT)."""
        return self._pdh

    def power_on(self) -> None:
        """SNP_INIT, INIT, and the flushes that must come before the first ACTIVATE. Takes a few milliseconds."""
        if self.model.snp is not None:
            self.processor.snp_init()
        self.processor.platform_init(es=self._es_asids.size > 0)
        self._flush()
        self._pdh = self.processor.pdh_cert_export(chain=False).pdh

    def status(self) -> PlatformStatus:
        """PLATFORM_STATUS."""
        return self.processor.platform_status()

    # What proves what the host is -------------------------------------------------------------------------------------

    def platform_certificates(self) -> bytes:
        """PDH || PEK || OCA || CEK, 2084 bytes each (PDH_CERT_EXPORT).

        May take seconds the first time with a new root: not on the event loop.
        """
        export = self.processor.pdh_cert_export()
        return export.pdh + export.chain

    async def amd_certificates(self) -> bytes:
        """ASK || ARK in AMD's binary format; the emulated root's, which prove nothing about hardware."""
        return await finish(lambda: self.root.ask.to_bytes() + self.root.ark.to_bytes())

    async def snp_certificates(self) -> tuple[bytes, ...]:
        """VCEK for the reported TCB, ASK, ARK: X.509 in DER. Unsupported for a part without SEV-SNP."""
        part = self.model.snp
        if part is None:
            raise Unsupported(f"The emulated {self.model.name} has no SEV-SNP")
        line = part.line
        return await finish(
            lambda: (self.processor.vcek_certificate(), self.root.ask_x509(line), self.root.ark_x509(line))
        )

    async def attestation(self, guest: MachineGuest, mnonce: bytes) -> bytes:
        """ATTESTATION: a SEV or SEV-ES guest's launch digest under `mnonce` (16 bytes), signed by the PEK; 208 bytes.

        Raises FirmwareError; Unsupported for any other guest.
        """
        if guest.mode not in (LaunchMode.SEV, LaunchMode.SEV_ES):
            raise Unsupported("ATTESTATION is for SEV and SEV-ES guests; an SEV-SNP guest asks for its report itself")
        return await finish(lambda: self.processor.attestation(guest.handle, mnonce))

    # A guest's life ---------------------------------------------------------------------------------------------------

    def reserve(self, mode: LaunchMode | None, ram_bytes: int, *, policy: int = 0) -> MachineGuest:
        """Memory and, unless `mode` is None, an ASID for a guest that the firmware does not know yet.

        It is the caller's to `release`. Raises CapacityExceeded, Unsupported for a mode that the part has not.
        """
        if mode is LaunchMode.SEV_SNP and self.model.snp is None:
            raise Unsupported(f"The emulated {self.model.name} has no SEV-SNP")
        asid = NO_ENCRYPTION if mode is None else self._pool(mode).take()
        host_pages = 0 if mode in (None, LaunchMode.SEV) else HOST_PAGES
        try:
            memory = self.controller.add_range(ram_bytes, asid, host_pages=host_pages, snp=mode is LaunchMode.SEV_SNP)
        except BaseException:  # whatever it was, the ASID is given back
            if mode is not None:
                self._pool(mode).give_back(asid)
            raise
        guest = MachineGuest(memory, self, mode, policy, ram_bytes=ram_bytes)
        if host_pages:
            guest.vmsa_spa = memory.spa + ram_bytes
        self._guests.add(guest)
        return guest

    async def launch(self, plan: LaunchPlan) -> MachineGuest:
        """SEV, SEV-ES: LAUNCH_START to LAUNCH_MEASURE. SEV-SNP: SNP_GCTX_CREATE to SNP_LAUNCH_FINISH.

        Raises FirmwareError, CapacityExceeded, Unsupported, and InvalidInput("policy") for a policy that does not go
        with the mode.
        """

        def work() -> MachineGuest:
            guest = self.reserve(plan.mode, plan.ram_bytes, policy=plan.policy)
            try:
                if plan.mode is LaunchMode.SEV_SNP:
                    launch_snp(guest, plan)
                else:
                    launch_sev(guest, plan)
            except BaseException:  # whatever it was, ASID and memory are given back
                self._give_up(guest)
                raise
            return guest

        return await finish(work, self._give_up)

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
            guest = self.reserve(None, ram_bytes)
            try:
                load_clear(guest, image, boot_info)
                self.controller.hypervisor_write(guest.memory, SECRET_GPA, secret)
            except BaseException:  # as above
                self._give_up(guest)
                raise
            return guest

        return await finish(load, self._give_up)

    async def run(self, guest: MachineGuest, hooks: GuestHooks, disk_path: str = "") -> None:
        """LAUNCH_FINISH where it is due, then let the guest's vCPU run. Raises FirmwareError, WorkerLost."""
        if guest.handle and self.processor.guest_status(guest.handle).state is GuestState.LSECRET:
            self.processor.launch_finish(guest.handle)
        if guest.mode is LaunchMode.SEV_SNP:
            hooks = replace(hooks, firmware=SnpGuest(self.controller, self.processor, guest.memory, guest.gctx))
        guest.vcpu = await self.vcpus.add(
            lambda number: self.configuration(guest, number, disk_path), guest.memory, hooks, controller=self.controller
        )

    def configuration(self, guest: MachineGuest, number: int, disk_path: str = "") -> GuestConfig:
        """What the guest's vCPU must know; `number` is the GuestHost's for it."""
        return GuestConfig(
            guest=number,
            spa=guest.memory.spa,
            ram_bytes=guest.ram_bytes,
            entry=IMAGE_GPA,
            sev=guest.confidential,
            c_bit=self.model.c_bit,
            asids=self.model.asid_count,
            minimum_asid=self.model.min_sev_asid,
            disk_path=disk_path,
            es=guest.mode in (LaunchMode.SEV_ES, LaunchMode.SEV_SNP),
            snp=guest.mode is LaunchMode.SEV_SNP,
            vmsa_spa=guest.vmsa_spa,
        )

    async def release(self, guest: MachineGuest) -> None:
        """Power the guest off: vCPU, VEK, ASID and memory. Whatever state it is in; safe to call twice in a row."""
        async with guest.releasing:
            if self._closed or guest not in self._guests:
                return
            if guest.vcpu:
                await self.vcpus.remove(guest.vcpu)
                guest.vcpu = 0
            await finish(lambda: self._give_up(guest))

    async def aclose(self) -> None:
        """Switch the machine off. All guests are gone with their keys."""
        if self._closed:
            return
        self._closed = True
        if self._own_vcpus:
            await self.vcpus.aclose()
        else:
            for guest in list(self._guests):
                # Behind a release that is under way.
                async with guest.releasing:
                    if guest.vcpu:
                        await self.vcpus.remove(guest.vcpu)
        guests = list(self._guests)
        self._guests.clear()
        for guest in guests:
            guest.vcpu = 0
            self.controller.retire(guest.memory)
        self.processor.platform_shutdown()
        if self.model.snp is not None and self._pdh:
            self.processor.snp_shutdown()
        if self._own_dram:
            self.dram.close()
            return
        for guest in guests:
            self.controller.remove_range(guest.memory)

    # In a thread ------------------------------------------------------------------------------------------------------

    def _pool(self, mode: LaunchMode) -> AsidPool:
        return self._asids if mode is LaunchMode.SEV else self._es_asids

    def _flush(self) -> None:
        self.processor.wbinvd()
        self.processor.df_flush()

    def _give_up(self, guest: MachineGuest) -> None:
        if guest not in self._guests:
            return
        asid = guest.memory.asid
        take_down(guest)
        self._guests.discard(guest)
        if guest.mode is not None:
            # Not before the key is out of its slot, and once only: an ASID given back twice would serve two guests.
            self._pool(guest.mode).give_back(asid)
