"""What the owner of an embedded instance expects of its launch, computed from what the console itself has.

The host gets image, policy and session; what it makes of them shows in the launch digest. Here the digest is computed
from the shipped image and AMD's published arithmetic (`sev`), and so are those of launches that would be mistaken for
it, so that a mismatch can be put in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.guest_evidence import DigestCandidate
from confvm_gui.domain.instance import HostMaintenance
from confvm_gui.domain.memory import PAGE_SIZE
from confvm_gui.engine.guests.image import GUESTS, GuestImage
from confvm_gui.engine.guests.initial_vmsa import initial_vmsa
from confvm_gui.engine.guests.memory_map import IMAGE_GPA, SECRET_GPA, SNP_CPUID_GPA, SNP_SECRETS_GPA
from confvm_gui.sev.expected_digest import LaunchMode
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.snp_launch_digest import SnpLaunchDigest
from confvm_gui.sev.snp_policy import SnpPolicy

_MODES: Final = {
    Technology.SEV: LaunchMode.SEV,
    Technology.SEV_ES: LaunchMode.SEV_ES,
    Technology.SEV_SNP: LaunchMode.SEV_SNP,
}


@dataclass(frozen=True, slots=True)
class ExpectedLaunch:
    """A launch as its owner means it."""

    mode: LaunchMode
    policy: int
    digest: bytes
    """32 bytes for SEV and SEV-ES, 48 for SEV-SNP."""
    candidates: tuple[DigestCandidate, ...]
    """What else may have been launched."""


def launch_mode(technology: Technology) -> LaunchMode:
    """KeyError for a technology that the embedded engine does not emulate."""
    return _MODES[technology]


def guest_policy(technology: Technology, maintenance: HostMaintenance) -> int:
    """The policy that an instance is launched under.

    SEV and SEV-ES: NODBG and NOKS, as libvirt's documentation recommends; NOSEND unless the instance is to migrate,
    and then SEV, so that it is sent to platforms with a whole certificate chain only. SEV-SNP: no debugging and no
    migration agent, SMT allowed, QEMU's 0x30000.
    """
    if technology is Technology.SEV_SNP:
        return SnpPolicy.with_flags("SMT").value
    return GuestPolicy(
        nodbg=True,
        noks=True,
        es=technology is Technology.SEV_ES,
        nosend=maintenance is HostMaintenance.TERMINATE,
        sev=maintenance is HostMaintenance.MIGRATE,
    ).to_int()


@lru_cache(maxsize=32)
def expected_launch(technology: Technology, maintenance: HostMaintenance, guest: str, signature: int) -> ExpectedLaunch:
    """For the built-in guest `guest` on a vCPU with CPUID signature `signature`.

    Raises NotFound if the guest's image is missing. Takes some milliseconds the first time.
    """
    mode = launch_mode(technology)
    image = GuestImage.load(guest).data
    digest = launch_digest(mode, image, (vmsa_of(mode, signature),))
    candidates = tuple(item for item in _candidates(mode, guest, image, signature) if item.digest != digest)
    return ExpectedLaunch(mode, guest_policy(technology, maintenance), digest, candidates)


def vmsa_of(mode: LaunchMode, signature: int) -> bytes:
    """The VMSA that a built-in guest starts with, 4096 bytes; of no meaning under plain SEV."""
    return initial_vmsa(cpu_signature=signature, snp=mode is LaunchMode.SEV_SNP)


def launch_digest(mode: LaunchMode, image: bytes, vmsas: tuple[bytes, ...], *, secret_page: bool = True) -> bytes:
    """Digest of a launch of `image` (whole pages) with these VMSAs.

    SEV-SNP: image, the page for the owner's secret (zeros), secrets page, CPUID page, VMSAs, in this order.
    """
    if mode is not LaunchMode.SEV_SNP:
        registers = b"".join(vmsas) if mode is LaunchMode.SEV_ES else b""
        return hashlib.sha256(image + registers).digest()
    digest = SnpLaunchDigest()
    digest.add_normal(IMAGE_GPA, image)
    if secret_page:
        digest.add_zero(SECRET_GPA, PAGE_SIZE)
    digest.add_secrets(SNP_SECRETS_GPA)
    digest.add_cpuid(SNP_CPUID_GPA)
    for vmsa in vmsas:
        digest.add_vmsa(vmsa)
    return digest.digest


def _candidates(mode: LaunchMode, guest: str, image: bytes, signature: int) -> Iterator[DigestCandidate]:
    vmsa = vmsa_of(mode, signature)

    def candidate(differs: str, data: bytes, vmsas: tuple[bytes, ...], **others: bool) -> DigestCandidate:
        return DigestCandidate(launch_digest(mode, data, vmsas, **others), differs)

    for other in GUESTS:
        if other != guest:
            differs = f"the guest image: {other} was launched instead of {guest}"
            yield candidate(differs, GuestImage.load(other).data, (vmsa,))
    yield candidate("the guest image: its last page is missing", image[:-PAGE_SIZE], (vmsa,))
    if mode is not LaunchMode.SEV:
        yield candidate("the vCPUs: no VMSA was measured", image, ())
        yield candidate("the vCPUs: two were launched instead of one", image, (vmsa, vmsa))
        wrong_mode = initial_vmsa(cpu_signature=signature, snp=mode is not LaunchMode.SEV_SNP)
        yield candidate("the VMSA: its SEV_FEATURES are another technology's", image, (wrong_mode,))
        blank = initial_vmsa(cpu_signature=0, snp=mode is LaunchMode.SEV_SNP)
        yield candidate("the VMSA: RDX does not hold the processor's signature", image, (blank,))
    if mode is LaunchMode.SEV_SNP:
        yield candidate("the page for the owner's secret was not measured", image, (vmsa,), secret_page=False)
