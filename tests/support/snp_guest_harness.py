"""One SEV-SNP guest in this process: `GuestMachine` with an RMP, PVALIDATE and a firmware that answers its messages.

The host keeps to the rules unless a test tells it not to: `refuse_state_changes`, `cheat_pages` and `firmware_status`.
"""

from __future__ import annotations

import os
from typing import Any

from unicorn.unicorn_const import UC_HOOK_INSN_INVALID
from unicorn.x86_const import (
    UC_X86_REG_EAX,
    UC_X86_REG_ECX,
    UC_X86_REG_EDX,
    UC_X86_REG_RAX,
    UC_X86_REG_RBX,
    UC_X86_REG_RCX,
    UC_X86_REG_RDX,
    UC_X86_REG_RFLAGS,
    UC_X86_REG_RIP,
)

from confvm_gui.engine.guests.attestation_page import (
    AttestationAnswer,
    PageWrite,
    empty_page,
    parse_answer,
    request_writes,
    sealed_writes,
)
from confvm_gui.engine.guests.image import GuestImage
from confvm_gui.engine.guests.memory_map import (
    ATTESTATION_GPA,
    GUEST_REQUEST_GPA,
    GUEST_RESPONSE_GPA,
    IMAGE_GPA,
    SECRET_GPA,
    SNP_SECRETS_GPA,
)
from confvm_gui.engine.guests.sealing import GuestKey, seal_secret
from confvm_gui.engine.secure_processor.snp_messages import HEADER_SIZE, GuestMessage, MessageType, seal_message
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE
from tests.support.guest_harness import C_BIT, PAGE, GuestCrash, GuestMachine

_PVALIDATE = bytes.fromhex("f20f01ff")
_CARRY = 1
_PAGES_OF_2_MIB = 512
_SIZE_MISMATCH = 6
_FAIL_INPUT = 1


class SnpGuestMachine(GuestMachine):
    """A guest, launched under SEV-SNP with a page of attestation and no keys."""

    def __init__(
        self, image: GuestImage, *, ram_bytes: int, disk: bytes = b"", slice_us: int = 0, large_pages: bool = True
    ) -> None:
        """`large_pages`: whether the host's RMP has pages of 2 MiB where they are aligned."""
        self.vmpcks = [os.urandom(32) for _ in range(4)]
        self.assigned: set[int] = set()
        self.valid: set[int] = set()
        """Page addresses, as in the RMP."""
        self.answered: list[int] = []
        """What port 0x544 told."""
        self.messages: list[bytes] = []
        """Every message to the firmware, as it lay in the shared page."""
        self.large_pages = large_pages
        self.pvalidates = 0
        self.refuse_state_changes = False
        self.cheat_pages: set[int] = set()
        """Pages that are another, already valid page of the guest's when it validates them."""
        self.firmware_status: list[int] = []
        """What the firmware refuses the next messages with."""
        self.firmware_key: bytes | None = None
        """Another key to answer with: somebody else than the firmware answers."""
        self.report_status = 0
        self._firmware_answer = 0
        self._state_answer = 0
        self._firmware_sequence = 0
        super().__init__(image, ram_bytes=ram_bytes, disk=disk, slice_us=slice_us)
        measured = [*range(IMAGE_GPA, IMAGE_GPA + len(image.data), PAGE), SECRET_GPA, SNP_SECRETS_GPA]
        self.assigned.update(measured)
        self.valid.update(measured)
        self.write(SECRET_GPA, bytes(PAGE))
        self.write(SNP_SECRETS_GPA, (bytes(0x20) + b"".join(self.vmpcks)).ljust(PAGE, b"\0"))
        self.write(ATTESTATION_GPA, empty_page())
        self._uc.hook_add(UC_HOOK_INSN_INVALID, self._on_invalid)

    # The owner's side

    def apply(self, writes: tuple[PageWrite, ...]) -> None:
        for gpa, data in writes:
            self.write(gpa, data)
        self._doorbell = True

    def attest(self, sequence: int, nonce: bytes) -> AttestationAnswer:
        """Ask for a report and run until it is answered."""
        self.apply(request_writes(sequence, nonce))
        self.run(lambda machine: self.answer().sequence == sequence)
        return self.answer()

    def answer(self) -> AttestationAnswer:
        return parse_answer(self.read(ATTESTATION_GPA, PAGE))

    def give_keys(self, secret: bytes, nonce: bytes) -> None:
        """Seal the secret to the key of the last answer and hand it over."""
        self.apply(sealed_writes(seal_secret(secret, public_key=self.answer().public_key, nonce=nonce)))

    @property
    def key(self) -> GuestKey:
        return GuestKey(self.vmpcks[1])

    # The processor and the host

    def _fill(self, uc: Any, address: int, access: int, entry: Any, data: Any) -> bool:
        walked = self._walk(address)
        if walked is not None:
            page = walked[0] & ~(PAGE - 1)
            if walked[1] and page not in self.valid:
                raise GuestCrash(f"page {page:#x} was used before it was validated")
            if not walked[1] and page in self.assigned:
                raise GuestCrash(f"page {page:#x} is the guest's own and was used as shared")
        return super()._fill(uc, address, access, entry, data)

    def _on_invalid(self, uc: Any, data: Any) -> bool:
        at = uc.reg_read(UC_X86_REG_RIP)
        if self.read(at, len(_PVALIDATE)) != _PVALIDATE:
            return False
        gpa, large, validate = (uc.reg_read(r) for r in (UC_X86_REG_RAX, UC_X86_REG_ECX, UC_X86_REG_EDX))
        result, unchanged = self._pvalidate(gpa, _PAGES_OF_2_MIB if large else 1, validate=bool(validate))
        flags = uc.reg_read(UC_X86_REG_RFLAGS)
        uc.reg_write(UC_X86_REG_RFLAGS, flags | _CARRY if unchanged else flags & ~_CARRY)
        uc.reg_write(UC_X86_REG_RAX, result)
        uc.reg_write(UC_X86_REG_RIP, at + len(_PVALIDATE))
        # Unicorn 2.1.4 keeps no RIP for the next stop after a hook has set it, until the emulation is started anew.
        uc.emu_stop()
        return True

    def _pvalidate(self, gpa: int, count: int, *, validate: bool) -> tuple[int, bool]:
        self.pvalidates += 1
        pages = set(range(gpa, gpa + count * PAGE, PAGE))
        if count > 1 and not self.large_pages:
            return _SIZE_MISMATCH, False
        if not pages <= self.assigned or not validate:
            return _FAIL_INPUT, False
        unchanged = pages <= self.valid or bool(pages & self.cheat_pages)
        self.valid |= pages
        return 0, unchanged

    def _in(self, uc: Any, port: int, size: int, data: Any) -> int:
        if port == 0x530:
            return self._firmware_answer
        if port == 0x53C:
            return self._state_answer
        return super()._in(uc, port, size, data)

    def _out(self, uc: Any, port: int, size: int, value: int, data: Any) -> None:
        if port == 0x53C:
            self._state_answer = 1 if self.refuse_state_changes else self._change_state(value)
        elif port == 0x530:
            self._firmware_answer = self._guest_request()
        elif port == 0x544:
            self.answered.append(value)
        else:
            super()._out(uc, port, size, value, data)

    def _change_state(self, private: int) -> int:
        first, count = self._registers[0x534], self._registers[0x538]
        pages = set(range(first * PAGE, (first + count) * PAGE, PAGE))
        if not pages or max(pages) >= len(self.ram) or private != 1:
            return 1
        self.assigned |= pages
        return 0

    def _guest_request(self) -> int:
        size = int.from_bytes(self.read(GUEST_REQUEST_GPA + 0x36, 2), "little")
        request = self.read(GUEST_REQUEST_GPA, HEADER_SIZE + size)
        self.messages.append(request)
        if self.firmware_status:
            return self.firmware_status.pop(0)
        message = GuestMessage.parse(request)
        assert (message.message_type, message.vmpck) == (MessageType.REPORT_REQ, 0)
        assert message.sequence == self._firmware_sequence + 1
        payload = message.open(self.vmpcks[0])
        assert (len(payload), any(payload[64:])) == (96, False)
        answer = self.report_status.to_bytes(4, "little")
        if not self.report_status:
            report = bytearray(os.urandom(SNP_REPORT_SIZE))
            report[0x50:0x90] = payload[:64]
            answer += SNP_REPORT_SIZE.to_bytes(4, "little") + bytes(24) + report
        else:
            answer += bytes(28)
        key = self.firmware_key or self.vmpcks[0]
        self._firmware_sequence += 2
        sealed = seal_message(key, MessageType.REPORT_RSP, answer, sequence=self._firmware_sequence, vmpck=0)
        self.write(GUEST_RESPONSE_GPA, sealed)
        return 0

    def _cpuid(self, uc: Any, data: Any) -> int:
        if uc.reg_read(UC_X86_REG_EAX) != 0x8000001F:
            return super()._cpuid(uc, data)
        values = (1 << 1 | 1 << 3 | 1 << 4, C_BIT | 5 << 6, 509, 1)
        for register, value in zip(
            (UC_X86_REG_RAX, UC_X86_REG_RBX, UC_X86_REG_RCX, UC_X86_REG_RDX), values, strict=True
        ):
            uc.reg_write(register, value)
        return 1
