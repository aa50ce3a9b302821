"""GCTX of an SNP guest: what the firmware keeps of it, in a page that the host gave (56860)."""

from __future__ import annotations

from typing import ClassVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from confvm_gui.engine.secure_processor.rmp_entry import VMPLS
from confvm_gui.engine.secure_processor.snp_states import SnpGuestState
from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.key_material import SecretKey
from confvm_gui.sev.snp_launch_digest import SnpLaunchDigest
from confvm_gui.sev.snp_policy import SnpPolicy


class VmpCommunicationKey(SecretKey):
    """VMPCK: 256 bits between one VMPL of a guest and the firmware. Does not print, pickle or copy."""

    __slots__ = ()

    SIZE: ClassVar[int] = 32

    @classmethod
    def generate(cls) -> VmpCommunicationKey:
        return cls(AESGCM.generate_key(bit_length=256))


class SnpGuestContext:
    """One SNP guest. Its keys do not print; the context does not leave the secure processor."""

    __slots__ = (
        "asid",
        "author_key_digest",
        "author_key_enabled",
        "digest",
        "family_id",
        "gosvw",
        "guest_svn",
        "host_data",
        "id_key_digest",
        "image_id",
        "launch_tcb",
        "message_counts",
        "policy",
        "report_id",
        "spa",
        "state",
        "vek",
        "vmpcks",
        "vmrk",
    )

    def __init__(self, spa: int) -> None:
        self.spa = spa
        """Of the context page; the guest's name for the host."""
        self.state = SnpGuestState.INIT
        self.asid = 0
        """0: not active."""
        self.policy = SnpPolicy()
        self.vek = VolumeKey.generate()
        """SNP_LAUNCH_START draws another where the policy asks for AES-256-XTS."""
        self.vmrk = VmpCommunicationKey.generate()
        """A root for derived keys that is this guest's alone."""
        self.vmpcks = tuple(VmpCommunicationKey.generate() for _ in range(VMPLS))
        self.message_counts = [0] * VMPLS
        """Sequence number of the last message, by VMPCK."""
        self.digest = SnpLaunchDigest()
        self.gosvw = bytes(16)
        """Workarounds that the host tells the guest of."""
        self.host_data = bytes(32)
        self.family_id = bytes(16)
        self.image_id = bytes(16)
        self.guest_svn = 0
        self.id_key_digest = bytes(48)
        self.author_key_digest = bytes(48)
        self.author_key_enabled = False
        self.report_id = AESGCM.generate_key(bit_length=256)
        """Not secret: reported."""
        self.launch_tcb = 0

    @property
    def is_active(self) -> bool:
        return self.asid != 0

    def wipe(self) -> None:
        """Destroy all keys."""
        for key in (self.vek, self.vmrk, *self.vmpcks):
            key.wipe()

    def __repr__(self) -> str:
        return f"<SnpGuestContext {self.spa:#x}, {self.state.name}, policy {self.policy}, ASID {self.asid}>"
