"""SNP_GUEST_REQUEST (56860): what a running guest asks of the firmware, past its host, for reports and derived keys.

MSG_REPORT_REQ, 96:  REPORT_DATA 64 | VMPL u32 | KEY_SEL u32 | zeros 24
MSG_REPORT_RSP:      STATUS u32 | REPORT_SIZE u32 | zeros 24 | report 0x4A0
MSG_KEY_REQ, 32:     ROOT_KEY_SELECT u32 | zeros 4 | GUEST_FIELD_SELECT u64 | VMPL u32 | GUEST_SVN u32 | TCB u64
MSG_KEY_RSP, 64:     STATUS u32 | zeros 28 | key 32
"""

from __future__ import annotations

import struct
from typing import Final

from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.snp_context import SnpGuestContext
from confvm_gui.engine.secure_processor.snp_firmware import SnpFirmware, snp_command
from confvm_gui.engine.secure_processor.snp_messages import GuestMessage, MessageType, seal_message
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.kdf import derive
from confvm_gui.sev.snp_report import SNP_REPORT_SIZE, SnpReport
from confvm_gui.sev.snp_report_flags import KeyInfo, SigningKey
from confvm_gui.sev.status import Status
from confvm_gui.sev.tcb_version import TcbVersion

INVALID_KEY_SELECTION: Final = 0x27
"""STATUS in an answer: there is no such signing key."""

_REPORT_REQUEST: Final = struct.Struct("<64sII24s")
_REPORT_ANSWER: Final = struct.Struct("<II24s")
_KEY_REQUEST: Final = struct.Struct("<IIQIIQ")
_KEY_ANSWER: Final = struct.Struct("<I28s32s")
_KEY_FIELDS: Final = 0x3F
_LAST_SEQUENCE: Final = (1 << 64) - 2


class SnpRequestCommands(SnpFirmware):
    """SNP_GUEST_REQUEST."""

    @snp_command(CommandId.SNP_GUEST_REQUEST)
    def snp_guest_request(self, gctx: int, request: bytes) -> bytes:
        """SNP_GUEST_REQUEST: answer the guest's sealed `request` with a sealed message.

        What the firmware does not grant (a VMPL below the asking one, a TCB above the committed one) it says in STATUS
        of the answer, to the guest and not to its host.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, INVALID_PARAM,
        AEAD_OFLOW, BAD_MEASUREMENT (not sealed by this guest).
        """
        this = CommandId.SNP_GUEST_REQUEST
        guest = self._snp_guest(this, gctx)
        try:
            message = GuestMessage.parse(request)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_PARAM, error.message) from error
        vmpck = message.vmpck
        count = guest.message_counts[vmpck]
        if count >= _LAST_SEQUENCE:
            raise refusal(this, Status.AEAD_OFLOW, "the guest has used up its messages; launch it anew")
        if message.sequence != count + 1:
            raise refusal(
                this, Status.INVALID_PARAM, f"the message's number is {message.sequence} and {count + 1} is next"
            )
        key = guest.vmpcks[vmpck].reveal()
        try:
            payload = message.open(key)
        except InvalidInput as error:
            raise refusal(this, Status.BAD_MEASUREMENT, error.message) from error
        if message.message_type == MessageType.REPORT_REQ and len(payload) == _REPORT_REQUEST.size:
            kind, answer = MessageType.REPORT_RSP, self._report_answer(guest, vmpck, payload)
        elif message.message_type == MessageType.KEY_REQ and len(payload) == _KEY_REQUEST.size:
            kind, answer = MessageType.KEY_RSP, self._key_answer(guest, vmpck, payload)
        else:
            raise refusal(this, Status.INVALID_PARAM, "the firmware has no such message")
        guest.message_counts[vmpck] = count + 2
        return seal_message(key, kind, answer, sequence=count + 2, vmpck=vmpck)

    def _report_answer(self, guest: SnpGuestContext, asking: int, payload: bytes) -> bytes:
        report_data, vmpl, selection, zeros = _REPORT_REQUEST.unpack(payload)
        if not asking <= vmpl <= 3 or selection > 3 or any(zeros):
            return _REPORT_ANSWER.pack(Status.INVALID_PARAM, 0, b"")
        if selection == 2:
            # A VLEK, of which a cloud has to load one first.
            return _REPORT_ANSWER.pack(INVALID_KEY_SELECTION, 0, b"")
        report = self._report(guest, vmpl, report_data).to_bytes()
        return _REPORT_ANSWER.pack(Status.SUCCESS, SNP_REPORT_SIZE, b"") + report

    def _report(self, guest: SnpGuestContext, vmpl: int, report_data: bytes) -> SnpReport:
        part, committed, reported = self._part(CommandId.SNP_GUEST_REQUEST)
        masked = self._mask_chip_key
        report = SnpReport(
            version=part.report_version,
            guest_svn=guest.guest_svn,
            policy=guest.policy,
            family_id=guest.family_id,
            image_id=guest.image_id,
            vmpl=vmpl,
            signature_algorithm=0 if masked else 1,
            current_tcb=part.current_tcb.to_int(),
            platform_info=part.platform_info,
            key_info=KeyInfo.of(
                SigningKey.NONE if masked else SigningKey.VCEK,
                author_key_enabled=guest.author_key_enabled,
                mask_chip_key=masked,
            ),
            report_data=report_data,
            measurement=guest.digest.digest,
            host_data=guest.host_data,
            id_key_digest=guest.id_key_digest,
            author_key_digest=guest.author_key_digest,
            report_id=guest.report_id,
            reported_tcb=reported.to_int(),
            cpu=part.cpu if part.report_version >= 3 else None,
            chip_id=bytes(64) if self._mask_chip_id else self.snp_chip_id,
            committed_tcb=committed.to_int(),
            current_version=self.model.version,
            committed_version=self._committed_version,
            launch_tcb=guest.launch_tcb,
            launch_mit_vector=0 if part.report_version >= 5 else None,
            current_mit_vector=0 if part.report_version >= 5 else None,
        )
        return report if masked else report.signed(self._vcek(reported))

    def _key_answer(self, guest: SnpGuestContext, asking: int, payload: bytes) -> bytes:
        root_select, zeros, fields, vmpl, guest_svn, tcb = _KEY_REQUEST.unpack(payload)
        part, committed, _ = self._part(CommandId.SNP_GUEST_REQUEST)
        wanted = TcbVersion.decode(tcb, part.line.tcb_layout)
        if (
            not asking <= vmpl <= 3
            or root_select > 1
            or zeros
            or fields & ~_KEY_FIELDS
            or guest_svn > guest.guest_svn
            or wanted.reserved
            or committed.below(wanted)
        ):
            return _KEY_ANSWER.pack(Status.INVALID_PARAM, b"", b"")
        chosen = (
            guest.policy.to_bytes(),
            guest.image_id,
            guest.family_id,
            guest.digest.digest,
            guest_svn.to_bytes(4, "little"),
            tcb.to_bytes(8, "little"),
        )
        # What is not chosen is there as zeros, so that no two choices can run into one another.
        mixed = b"".join(part if fields >> bit & 1 else bytes(len(part)) for bit, part in enumerate(chosen))
        context = fields.to_bytes(8, "little") + vmpl.to_bytes(4, "little") + mixed
        root = guest.vmrk.reveal() if root_select else self._chip.bytes_for(b"guest-keys")
        return _KEY_ANSWER.pack(Status.SUCCESS, b"", derive(root, b"confvm-guest-key", context, 32))
