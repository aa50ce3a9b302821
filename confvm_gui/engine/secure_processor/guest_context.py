"""GCTX: what the firmware keeps of one guest (55766, chapter 6)."""

from __future__ import annotations

import hashlib

from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.guest_policy import GuestPolicy
from confvm_gui.sev.session import TransportKeys
from confvm_gui.sev.states import GuestState


class GuestContext:
    """One guest. Its keys do not print; the context does not leave the secure processor."""

    __slots__ = ("asid", "digest", "handle", "keys", "launch_digest", "measure", "policy", "state", "vek", "vmsas")

    def __init__(
        self, handle: int, policy: GuestPolicy, vek: VolumeKey, keys: TransportKeys, state: GuestState
    ) -> None:
        self.handle = handle
        self.policy = policy
        self.vek = vek
        self.keys = keys
        """TEK and TIK, until LAUNCH_FINISH; new ones from SEND_START to SEND_FINISH."""
        self.state = state
        self.asid = 0
        """0: not active."""
        self.digest = hashlib.sha256()
        """LD while it runs."""
        self.vmsas: list[int] = []
        """SPA of each VMSA that was imported, in order (SEV-ES)."""
        self.launch_digest = b""
        """LD, final from LAUNCH_MEASURE on."""
        self.measure = b""
        """MEASURE of LAUNCH_MEASURE, which a secret packet must name."""

    @property
    def is_active(self) -> bool:
        return self.asid != 0

    def wipe(self) -> None:
        """Destroy all keys."""
        self.vek.wipe()
        self.keys.wipe()

    def __repr__(self) -> str:
        return f"<GuestContext {self.handle}, {self.state.name}, policy {self.policy}, ASID {self.asid}>"
