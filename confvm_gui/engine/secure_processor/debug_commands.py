"""Debugging and page management (55766, chapter 6): DBG_DECRYPT, DBG_ENCRYPT, COPY.

With NODBG clear in its policy a guest has no secrets from its host: these read and change it. COPY moves
ciphertext from one address to another, which nobody but the firmware can, since the address goes into the cipher.
"""

from __future__ import annotations

from confvm_gui.engine.secure_processor.firmware_state import FirmwareState, command
from confvm_gui.engine.secure_processor.guest_context import GuestContext
from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.status import Status


class DebugCommands(FirmwareState):
    """DBG_DECRYPT, DBG_ENCRYPT, COPY."""

    @command(CommandId.DBG_DECRYPT)
    def dbg_decrypt(self, handle: int, spa: int, length: int) -> bytes:
        """DBG_DECRYPT: the plaintext of the guest's private memory at `spa`; both are multiples of 16.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE (NODBG), INACTIVE,
        INVALID_ADDRESS, INVALID_LENGTH.
        """
        guest = self._debuggable(CommandId.DBG_DECRYPT, handle, spa, length)
        return self._read_private(CommandId.DBG_DECRYPT, guest, spa, length)

    @command(CommandId.DBG_ENCRYPT)
    def dbg_encrypt(self, handle: int, spa: int, plaintext: bytes) -> None:
        """DBG_ENCRYPT: write `plaintext` into the guest's private memory at `spa`; multiples of 16 both.

        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, POLICY_FAILURE (NODBG), INACTIVE,
        INVALID_ADDRESS, INVALID_LENGTH.
        """
        guest = self._debuggable(CommandId.DBG_ENCRYPT, handle, spa, len(plaintext))
        self._write_private(CommandId.DBG_ENCRYPT, guest, spa, plaintext)

    @command(CommandId.COPY)
    def copy(self, handle: int, source: int, destination: int, length: int) -> None:
        """COPY: the guest's private memory at SPA `source` to `destination`, encrypted for its new place.

        All are multiples of 16. The ranges may overlap.
        INVALID_PLATFORM_STATE, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE, INVALID_ADDRESS, INVALID_LENGTH.
        """
        this = CommandId.COPY
        guest = self._guest(this, handle)
        self._require_active(this, guest)
        self._check_span(this, source, length)
        self._check_span(this, destination, length)
        self._write_private(this, guest, destination, self._read_private(this, guest, source, length))

    def _debuggable(self, this: CommandId, handle: int, spa: int, length: int) -> GuestContext:
        guest = self._guest(this, handle)
        if guest.policy.nodbg:
            raise refusal(
                this, Status.POLICY_FAILURE, f"guest {handle} was launched with NODBG; launch it without to debug it"
            )
        self._require_active(this, guest)
        self._check_span(this, spa, length)
        return guest
