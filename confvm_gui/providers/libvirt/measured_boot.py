"""Evidence of how a machine with a vTPM was booted, in one of two ways.

A quote, which the guest's agent fetches from the vTPM: signed, fresh, and beyond the guest's reach once it was
measured. It says nothing against the host, which runs the TPM (swtpm).

The boot's log alone, read out of the machine's RAM: needs nothing in the guest. It shows what was booted as long as
nobody wants to hide it: the guest can rewrite it, and no register is there to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues
from confvm_gui.domain.errors import Unsupported
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PAGE_SIZE, Viewer
from confvm_gui.providers.libvirt.boot_log import find_boot_log
from confvm_gui.providers.libvirt.connection import LibvirtConnection
from confvm_gui.providers.libvirt.memory import open_memory
from confvm_gui.providers.libvirt.tpm_quote import quote

_PIECE: Final = 4 << 20


def evidence_formats(instance: Instance, *, agent: bool) -> Sequence[EvidenceFormat]:
    """What an instance could give, what it gives most likely first. `agent`: one is connected in the guest."""
    if not (instance.state.is_live and instance.vtpm):
        return ()
    if instance.confidential:  # the host reads no log in its memory
        return (EvidenceFormat.TPM_QUOTE,)
    both = (EvidenceFormat.TPM_QUOTE, EvidenceFormat.TCG_EVENT_LOG)
    return both if agent else both[::-1]


async def boot_evidence(
    connection: LibvirtConnection, instance: Instance, form: EvidenceFormat, nonce: bytes
) -> GuestEvidence:
    """Fresh evidence of a live instance.

    Raises Unsupported with the reason, Transient while it is still booting, GuestFault, WrongState, NotFound.
    """
    if form not in evidence_formats(instance, agent=True):
        raise Unsupported(f"This instance gives no evidence of the format {form.value}")
    if form is EvidenceFormat.TPM_QUOTE:
        return GuestEvidence(
            await quote(connection, instance.id, nonce),
            Endorsements(),
            # swtpm's key has no certificate that ends anywhere. The baseline holds it from the first boot on.
            ReferenceValues(report_data=nonce, host_runs_tpm=True),
            chip=f"virtual TPM that {connection.host} runs",
        )
    log = await _read_log(connection, instance)
    return GuestEvidence(
        Evidence(log, EvidenceFormat.TCG_EVENT_LOG),
        Endorsements(),
        ReferenceValues(),
        chip=f"memory of the machine, as {connection.host} reads it",
    )


async def _read_log(connection: LibvirtConnection, instance: Instance) -> bytes:
    memory = open_memory(connection, instance, Viewer.HYPERVISOR)
    await memory.read(0, PAGE_SIZE)  # with the first read it knows where RAM lies

    async def read(gpa: int, length: int) -> bytes:
        return (await memory.read(gpa, length)).data

    return await find_boot_log(read, memory.populated(), _PIECE)
