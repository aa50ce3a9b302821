"""Launching an SNP guest (56860).

SNP_GCTX_CREATE -> SNP_LAUNCH_START -> SNP_ACTIVATE -> SNP_LAUNCH_UPDATE ... -> SNP_LAUNCH_FINISH
   INIT               LAUNCH                                                      RUNNING

The host gives each page to the guest with RMPUPDATE, immutable, before SNP_LAUNCH_UPDATE; the firmware makes it the
guest's own, validated, and measures it with the GPA that stands in the RMP.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from confvm_gui.engine.secure_processor.refusal import refusal
from confvm_gui.engine.secure_processor.rmp_entry import PAGE_SIZE, PageState, Permission
from confvm_gui.engine.secure_processor.snp_context import SnpGuestContext
from confvm_gui.engine.secure_processor.snp_firmware import SnpFirmware, snp_command
from confvm_gui.engine.secure_processor.snp_states import SnpGuestState
from confvm_gui.engine.secure_processor.volume_key import VolumeKey256
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.errors import InvalidInput
from confvm_gui.sev.id_block import IdAuth, IdBlock, check_id_block
from confvm_gui.sev.snp_launch_digest import PageType
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.status import Status

VMPCK0_OFFSET: Final = 0x20
"""Of the first of four VMPCKs, 32 bytes each, in the secrets page."""

_SECRETS_HEAD: Final = struct.Struct("<IIII16s")
_SECRETS_VERSION: Final = 3
_ZERO_DIGEST: Final = bytes(48)


class SnpLaunchCommands(SnpFirmware):
    """SNP_LAUNCH_START, SNP_LAUNCH_UPDATE, SNP_LAUNCH_FINISH."""

    @snp_command(CommandId.SNP_LAUNCH_START)
    def snp_launch_start(self, gctx: int, policy: int, *, gosvw: bytes = bytes(16)) -> None:
        """SNP_LAUNCH_START: begin to launch the guest under `policy` (64 bits); `gosvw` has 16 bytes.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, INVALID_PARAM,
        POLICY_FAILURE (what the policy asks for, this platform is not).
        """
        this = CommandId.SNP_LAUNCH_START
        guest = self._snp_guest(this, gctx)
        try:
            guest_policy = SnpPolicy.from_int(policy)
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_PARAM, error.message) from error
        if len(gosvw) != 16:
            raise refusal(this, Status.INVALID_PARAM, "GOSVW has 16 bytes")
        part, _, _ = self._part(this)
        version, info = self.model.version, part.platform_info
        unmet = (
            (not guest_policy.allows_abi(version.api_major, version.api_minor), f"newer firmware than {version}"),
            (info.smt and not guest_policy.smt, "no SMT, which is on"),
            (guest_policy.rapl_dis and not info.rapl_dis, "RAPL off, which is on"),
            (guest_policy.ciphertext_hiding and not info.ciphertext_hiding, "ciphertext hiding, which is off"),
        )
        for is_unmet, what in unmet:
            if is_unmet:
                raise refusal(this, Status.POLICY_FAILURE, f"the guest's policy wants {what}")
        if guest_policy.mem_aes_256_xts:
            guest.vek.wipe()
            guest.vek = VolumeKey256.generate()
        guest.policy = guest_policy
        guest.gosvw = bytes(gosvw)
        guest.launch_tcb = part.current_tcb.to_int()
        guest.state = SnpGuestState.LAUNCH

    @snp_command(CommandId.SNP_LAUNCH_UPDATE)
    def snp_launch_update(
        self,
        gctx: int,
        spa: int,
        page_type: PageType,
        *,
        count: int = 1,
        imi: bool = False,
        vmpl_permissions: Sequence[Permission] = (Permission.NONE, Permission.NONE, Permission.NONE),
    ) -> None:
        """SNP_LAUNCH_UPDATE: put `count` pages from `spa` on into the guest and its digest.

        Each is Pre-Guest and of the guest's ASID; `vmpl_permissions` are the rights of VMPL 1, 2 and 3. NORMAL and VMSA
        pages are measured with their content, UNMEASURED and CPUID without; ZERO and SECRETS the firmware fills itself.
        If one of several pages is refused, those before it are in.

        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, INACTIVE,
        INVALID_PARAM, INVALID_PAGE_STATE, INVALID_PAGE_OWNER.
        """
        this = CommandId.SNP_LAUNCH_UPDATE
        guest = self._snp_guest(this, gctx)
        self._require_snp_active(this, guest)
        self._require_page(this, spa)
        if len(vmpl_permissions) != 3 or count < 1:
            raise refusal(this, Status.INVALID_PARAM, "give at least one page, and the rights of VMPL 1, 2 and 3")
        if imi and page_type is not PageType.NORMAL:
            raise refusal(this, Status.INVALID_PARAM, "pages of an initial migration image are NORMAL")
        for page in range(spa, spa + count * PAGE_SIZE, PAGE_SIZE):
            self._launch_page(this, guest, page, page_type, imi, vmpl_permissions)

    @snp_command(CommandId.SNP_LAUNCH_FINISH)
    def snp_launch_finish(
        self,
        gctx: int,
        *,
        id_block: bytes | None = None,
        id_auth: bytes | None = None,
        author_key_enabled: bool = False,
        host_data: bytes = bytes(32),
    ) -> None:
        """SNP_LAUNCH_FINISH: the guest is RUNNING, if it is what the ID block says.

        `id_block` (96 bytes) and `id_auth` (4096 bytes) go together; `host_data` has 32 bytes and is reported.
        UNSUPPORTED, INVALID_PLATFORM_STATE, INVALID_ADDRESS, INVALID_GUEST, INVALID_GUEST_STATE, INVALID_PARAM,
        BAD_MEASUREMENT, POLICY_FAILURE, BAD_SIGNATURE: in this order.
        """
        this = CommandId.SNP_LAUNCH_FINISH
        guest = self._snp_guest(this, gctx)
        if len(host_data) != 32 or (id_block is None) is not (id_auth is None):
            raise refusal(this, Status.INVALID_PARAM, "host data has 32 bytes; an ID block and ID auth go together")
        if author_key_enabled and id_block is None:
            raise refusal(this, Status.INVALID_PARAM, "an author key needs an ID block")
        if id_block is not None and id_auth is not None:
            try:
                block, auth = IdBlock.parse(id_block), IdAuth.parse(id_auth)
            except InvalidInput as error:
                raise refusal(this, Status.INVALID_PARAM, error.message) from error
            status = check_id_block(
                block,
                auth,
                launch_digest=guest.digest.digest,
                policy=guest.policy,
                author_key_enabled=author_key_enabled,
            )
            if status is not Status.SUCCESS:
                raise refusal(this, status, _ID_BLOCK_ADVICE[status])
            guest.family_id, guest.image_id, guest.guest_svn = block.family_id, block.image_id, block.guest_svn
            guest.id_key_digest = auth.id_key_digest
            guest.author_key_enabled = author_key_enabled
            guest.author_key_digest = auth.author_key_digest if author_key_enabled else bytes(48)
        guest.host_data = bytes(host_data)
        guest.state = SnpGuestState.RUNNING

    def _launch_page(
        self,
        this: CommandId,
        guest: SnpGuestContext,
        spa: int,
        page_type: PageType,
        imi: bool,
        vmpl_permissions: Sequence[Permission],
    ) -> None:
        self._require_owned(this, guest, spa, PageState.PRE_GUEST)
        contents = _ZERO_DIGEST
        try:
            if page_type is PageType.ZERO:
                self._memory.write_private(guest.asid, spa, bytes(PAGE_SIZE))
            elif page_type is PageType.SECRETS:
                self._memory.write_private(guest.asid, spa, self._secrets_page(this, guest))
            else:
                plaintext = self._memory.encrypt_in_place(guest.asid, spa, PAGE_SIZE)
                if page_type in (PageType.NORMAL, PageType.VMSA):
                    contents = hashlib.sha384(plaintext).digest()
        except InvalidInput as error:
            raise refusal(this, Status.INVALID_ADDRESS, error.message) from error
        entry = self.rmp.entry(spa)
        first, second, third = vmpl_permissions
        guest.digest.add_page(page_type, entry.gpa, contents, imi=imi, vmpl_permissions=(first, second, third))
        rights = (Permission.ALL, first, second, third)
        vmsa = page_type is PageType.VMSA
        self.rmp.amend(spa, replace(entry, permissions=rights, vmsa=vmsa, validated=True, immutable=False))

    def _secrets_page(self, this: CommandId, guest: SnpGuestContext) -> bytes:
        part, _, _ = self._part(this)
        head = _SECRETS_HEAD.pack(_SECRETS_VERSION, 0, part.cpu.signature, 0, guest.gosvw)
        return (head + b"".join(key.reveal() for key in guest.vmpcks)).ljust(PAGE_SIZE, b"\x00")


_ID_BLOCK_ADVICE: Final = {
    Status.BAD_MEASUREMENT: "the launch digest is not the ID block's; launch what its owner measured",
    Status.POLICY_FAILURE: "the ID block is for another policy; launch with its owner's",
    Status.BAD_SIGNATURE: "a signature of the ID block or of its key does not hold; sign it anew",
}
