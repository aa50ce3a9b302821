"""Tables of meanings and remedies, in our own words.

Sources: the codes of the firmware (55766 section 4.4, 56860), Linux include/uapi/linux/psp-sev.h (names, and codes
that are younger than `sev.status`), drivers/crypto/ccp/sev-dev.c and arch/x86/kvm/svm/sev.c (which errno comes from
where), Documentation/virt/coco/sev-guest.rst (the upper half of a guest's `fw_error`).
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.status import Status

NO_FIRMWARE_CALL: Final = -1
"""SEV_RET_NO_FW_CALL: the kernel did not get as far as calling the firmware."""


class Cause(NamedTuple):
    """Meaning, one sentence, and what to check, one sentence each."""

    meaning: str
    checks: tuple[str, ...] = ()


_UPDATE_FIRMWARE = "Update the SEV firmware (BIOS, or amd_sev_*.sbin of linux-firmware), then load ccp again"
_DMESG = "Read `dmesg | grep -iE 'ccp|sev|psp'` as root: the driver says there what it did before"
_ENABLE_BIOS = "Enable SVM, SMEE, SEV-ES ASIDs and SEV-SNP with its RMP coverage in the BIOS, then boot again"

YOUNGER_CODES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        0x20: ("RMP_INIT_REQUIRED", "The RMP must be initialized first"),
        0x21: ("BAD_SVN", "The security version of the firmware image is lower than that of the committed one"),
        0x22: ("BAD_VERSION", "The version of the firmware image is lower than that of the committed one"),
        0x23: ("SHUTDOWN_REQUIRED", "The firmware must be shut down before it is updated"),
        0x24: ("UPDATE_FAILED", "The update of the firmware failed and the old one is gone on with"),
        0x25: ("RESTORE_REQUIRED", "The committed firmware must be installed again"),
        0x26: ("RMP_INITIALIZATION_FAILED", "The RMP could not be initialized"),
        0x27: ("INVALID_KEY", "The key is invalid, or there is none"),
        0x28: ("SHUTDOWN_INCOMPLETE", "The shutdown was not completed; guests or devices hold it up"),
        0x30: ("INCORRECT_BUFFER_LENGTH", "A buffer has another length than the command wants"),
        0x31: ("EXPAND_BUFFER_LENGTH_REQUEST", "The buffer is too small; the firmware names the length that it wants"),
        0x32: ("SPDM_REQUEST", "The firmware waits for an answer of the device (trusted I/O)"),
        0x33: ("SPDM_ERROR", "The exchange with the device failed (trusted I/O)"),
        0x35: ("ERR_IN_DEV_CONN", "The connection to the device is in error (trusted I/O)"),
        0x36: ("INVALID_DEV_CTX", "The context of the device is invalid (trusted I/O)"),
        0x37: ("INVALID_TDI_CTX", "The context of the device interface is invalid (trusted I/O)"),
        0x38: ("INVALID_TDI", "The device interface is invalid (trusted I/O)"),
        0x39: ("RECLAIM_REQUIRED", "Pages must be reclaimed first"),
        0x3A: ("IN_USE", "What the command wants is in use"),
        0x3B: ("INVALID_DEV_STATE", "The device is in another state than the command wants (trusted I/O)"),
        0x3C: ("INVALID_TDI_STATE", "The device interface is in another state than the command wants (trusted I/O)"),
        0x3D: ("DEV_CERT_CHANGED", "The device's certificate is another one than before (trusted I/O)"),
        0x3E: ("RESYNC_REQ", "The device must be synchronized again (trusted I/O)"),
        0x3F: ("RESPONSE_TOO_LARGE", "The device's answer is too large (trusted I/O)"),
    }
)
"""Codes that Linux names and `sev.status` does not: name, meaning."""

CODE_CHECKS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        Status.INVALID_PLATFORM_STATE: (
            "See the platform's state with `confvm host` or `snphost show version`: ccp initializes it at load, or at "
            "the first guest with psp_init_on_probe=0",
            "Platform keys and ownership change only while no guest exists: shut all SEV guests down",
        ),
        Status.INVALID_GUEST_STATE: (
            "Commands of a launch have one order: START, UPDATE, MEASURE, SECRET, FINISH; see which came before",
        ),
        Status.INVALID_CONFIG: (
            _ENABLE_BIOS,
            "SEV-ES needs ES in the platform's configuration: load kvm_amd with sev_es=1",
        ),
        Status.INVALID_LENGTH: ("Give a larger buffer; the firmware has written the length that it wants",),
        Status.ALREADY_OWNED: ("Reset the platform's owner (PLATFORM_RESET) before another one takes it",),
        Status.INVALID_CERTIFICATE: (
            "Prepare the launch again for this host's PDH: it changes with every reset, PEK_GEN and PDH_GEN",
            "dhCert and session must be whole and base64-encoded once, not the file of another host",
        ),
        Status.POLICY_FAILURE: (
            "Compare the policy with the platform: minimum firmware version, ES, SMT, debugging, migration agent, "
            "single socket",
        ),
        Status.INACTIVE: ("Bind the guest to an ASID first (ACTIVATE, SNP_ACTIVATE)",),
        Status.INVALID_ADDRESS: (
            "Addresses must be aligned as the command wants and lie in memory that the firmware may reach, not in "
            "the RMP, TMR or MMIO",
        ),
        Status.BAD_SIGNATURE: (
            "See that the key signed exactly these bytes and is on the curve that the command wants",
        ),
        Status.BAD_MEASUREMENT: (
            "Find what was launched instead with `confvm solve`",
            "A session may be used once: make new keys, dhCert and session for every launch",
        ),
        Status.ASID_OWNED: ("Another guest has this ASID: DEACTIVATE and DECOMMISSION it, or take another ASID",),
        Status.INVALID_ASID: (
            "SEV guests take ASIDs from the minimum on (CPUID 8000001F EDX), SEV-ES and SNP guests those below it; "
            "raise SEV-ES ASIDs in the BIOS where there are too few",
        ),
        Status.WBINVD_REQUIRED: ("Execute WBINVD on all cores, then DF_FLUSH, before an ASID is used again",),
        Status.DF_FLUSH_REQUIRED: ("Execute DF_FLUSH (SNP_DF_FLUSH) after WBINVD, before an ASID is used again",),
        Status.INVALID_GUEST: (
            "The handle or context page is of no guest: it was decommissioned, or the platform was initialized again",
        ),
        Status.INVALID_COMMAND: (_UPDATE_FIRMWARE, "This firmware does not know the command at all"),
        Status.ACTIVE: ("DEACTIVATE the guest first",),
        Status.HWERROR_PLATFORM: ("Power-cycle the host; if it comes again, its hardware or BIOS is at fault",),
        Status.HWERROR_UNSAFE: ("Do not go on using the memory that was handed over; power-cycle the host",),
        Status.UNSUPPORTED: (_UPDATE_FIRMWARE, "This processor or BIOS setting does not have the feature"),
        Status.INVALID_PARAM: (
            "Reserved fields must be zero, and flags such as those that the firmware's version knows",
            _UPDATE_FIRMWARE,
        ),
        Status.RESOURCE_LIMIT: ("Shut guests down: the firmware has no room for another context",),
        Status.SECURE_DATA_INVALID: (
            "The firmware's persistent data were changed or are another host's: remove the INIT_EX file "
            "(init_ex_path) and let it be made again",
        ),
        Status.INVALID_PAGE_SIZE: ("A page has another size in the RMP than in the command (4 KiB, 2 MiB)",),
        Status.INVALID_PAGE_STATE: (
            "A page is in another RMP state than the command wants: KVM, guest_memfd and QEMU must go together, "
            "update all of them",
        ),
        Status.INVALID_MDATA_ENTRY: ("The metadata entry of a swapped page is missing or of another page",),
        Status.INVALID_PAGE_OWNER: ("The page belongs to another guest or to nobody",),
        Status.AEAD_OFLOW: ("The guest has used up its message counter for this key: it must be launched again",),
        Status.RING_BUFFER_EXIT: ("Send the command again",),
        0x20: ("Execute SNP_INIT_EX first; see whether ccp failed to do it at load", _DMESG),
        0x21: ("Give the host a firmware image that is newer than the committed one",),
        0x22: ("Give the host a firmware image that is newer than the committed one",),
        0x23: ("Shut all guests down and unload kvm_amd before the firmware is updated",),
        0x24: (_DMESG,),
        0x25: ("Install the firmware that SNP_PLATFORM_STATUS names as committed",),
        0x26: (_ENABLE_BIOS, "All memory must be covered by the RMP: see `SEV-SNP: RMP table` in dmesg"),
        0x27: ("See whether VLEK hashsticks were loaded and are of this chip and TCB",),
        0x28: ("Shut all guests down, then try again",),
        0x3A: ("Shut down whoever uses it, then try again",),
    }
)
"""What to check for each code, whatever the command."""

COMMAND_CAUSES: Mapping[tuple[CommandId, int], Cause] = MappingProxyType(
    {
        (CommandId.LAUNCH_START, Status.POLICY_FAILURE): Cause(
            "The platform does not fulfil the guest policy, or it is not the policy that the session was made for",
            (
                "Give QEMU (`policy=`) or libvirt (`<policy>`) the very policy that the session was built with",
                "API_MAJOR and API_MINOR of the policy must not be above the firmware's version",
                "A policy with ES needs a SEV-ES guest, and one with DOMAIN or NOKS no shared key",
            ),
        ),
        (CommandId.LAUNCH_START, Status.BAD_MEASUREMENT): Cause(
            "The session's MAC does not hold: dhCert and session are not of one launch, or not for this platform",
            (
                "Use dhCert and session of the same run of the tool, made for this host's PDH",
                "Both are text in base64 for QEMU and libvirt",
                "A session that was used before is refused: make a new one",
            ),
        ),
        (CommandId.LAUNCH_START, Status.INVALID_CERTIFICATE): Cause(
            "The owner's DH certificate is none, or on another curve than the platform's",
            ("Give QEMU dh-cert-file with the base64 of the whole certificate of 2084 bytes",),
        ),
        (CommandId.LAUNCH_START, Status.RESOURCE_LIMIT): Cause(
            "The firmware has no room for another guest context",
            ("Shut guests down; see whether contexts of killed guests were decommissioned",),
        ),
        (CommandId.LAUNCH_SECRET, Status.BAD_MEASUREMENT): Cause(
            "The secret packet's MAC does not hold: it was sealed for another launch",
            (
                "Seal the secret with this launch's TEK and TIK and for the measurement that this launch gave",
                "Header and payload must be of one sealing",
                "The area of the secret must be as long as the packet says",
            ),
        ),
        (CommandId.LAUNCH_SECRET, Status.INVALID_GUEST_STATE): Cause(
            "A secret is taken between LAUNCH_MEASURE and LAUNCH_FINISH only",
            ("Start the guest paused (QEMU -S, virsh start --paused) and inject before it is resumed",),
        ),
        (CommandId.LAUNCH_UPDATE_VMSA, Status.INVALID_GUEST_STATE): Cause(
            "The registers come after the memory and before LAUNCH_MEASURE",
            ("Update QEMU: it orders the commands",),
        ),
        (CommandId.LAUNCH_UPDATE_VMSA, Status.UNSUPPORTED): Cause(
            "The guest's policy has no ES, or the platform was initialized without it",
            ("Set bit 2 of the policy for a SEV-ES guest", "Load kvm_amd with sev_es=1"),
        ),
        (CommandId.ACTIVATE, Status.INVALID_ASID): Cause(
            "The ASID is not of the range for this kind of guest",
            ("Raise `SEV-ES ASID Space Limit` in the BIOS for SEV-ES and SNP guests, lower it for SEV guests",),
        ),
        (CommandId.SEND_START, Status.POLICY_FAILURE): Cause(
            "The guest's policy forbids that it is sent (NOSEND), or sends it to other platforms only (DOMAIN, SEV)",
            ("Launch the guest without NOSEND to migrate it", "See that both platforms have the same owner (OCA)"),
        ),
        (CommandId.SEND_START, Status.INVALID_CERTIFICATE): Cause(
            "The target's certificate chain does not hold down to AMD's root",
            ("Fetch PDH, PEK, OCA, CEK of the target again, and ASK and ARK of its product",),
        ),
        (CommandId.RECEIVE_START, Status.POLICY_FAILURE): Cause(
            "This platform does not fulfil the guest's policy: its firmware is too old, or it has no ES",
            (_UPDATE_FIRMWARE,),
        ),
        (CommandId.DBG_DECRYPT, Status.POLICY_FAILURE): Cause(
            "The guest's policy forbids debugging (NODBG)", ("That is how it should be for a guest with secrets",)
        ),
        (CommandId.DBG_ENCRYPT, Status.POLICY_FAILURE): Cause(
            "The guest's policy forbids debugging (NODBG)", ("That is how it should be for a guest with secrets",)
        ),
        (CommandId.INIT, Status.INVALID_CONFIG): Cause(
            "Memory encryption is not enabled on all cores (SYSCFG.SMEE), or the TMR for SEV-ES is not as it must be",
            ("Enable SMEE in the BIOS", _DMESG),
        ),
        (CommandId.INIT, Status.HWERROR_PLATFORM): Cause(
            "The firmware could not come up on this platform",
            ("Enable SMEE in the BIOS", _UPDATE_FIRMWARE, "Power-cycle the host: a reset is not enough"),
        ),
        (CommandId.INIT_EX, Status.SECURE_DATA_INVALID): Cause(
            "The file with the platform's persistent data does not belong to this platform",
            ("Remove the file that ccp's init_ex_path names, so that the platform makes new keys",),
        ),
        (CommandId.SNP_INIT, Status.INVALID_CONFIG): Cause(
            "SNP is not enabled in the same way on all cores, or the RMP is not where it must be",
            (_ENABLE_BIOS, "The kernel needs amd_iommu in translation mode: no iommu=off, no passthrough"),
        ),
        (CommandId.SNP_INIT_EX, Status.INVALID_CONFIG): Cause(
            "SNP is not enabled in the same way on all cores, or the RMP is not where it must be",
            (_ENABLE_BIOS, "The kernel needs amd_iommu in translation mode: no iommu=off, no passthrough"),
        ),
        (CommandId.SNP_LAUNCH_START, Status.POLICY_FAILURE): Cause(
            "The platform does not fulfil the guest policy",
            (
                "Without policy bit 16 (SMT) hyper-threading must be off in the BIOS: use 0x30000 where it is on",
                "ABI_MAJOR and ABI_MINOR of the policy must not be above the firmware's version",
                "CXL_ALLOW, RAPL_DIS, CIPHERTEXT_HIDING and MEM_AES_256_XTS ask for platform settings",
                "SINGLE_SOCKET needs the guest's vCPUs activated on one socket",
            ),
        ),
        (CommandId.SNP_LAUNCH_START, Status.INVALID_PARAM): Cause(
            "A field is not as it must be: most often bit 17 of the policy, which must be one, or a reserved bit",
            ("Launch with 0x30000, then add bits one by one", _UPDATE_FIRMWARE),
        ),
        (CommandId.SNP_LAUNCH_FINISH, Status.BAD_MEASUREMENT): Cause(
            "The launch digest is not the one of the ID block: something else was launched than its owner signed",
            (
                "Compare with `confvm measure`, and find the difference with `confvm solve --mode snp --digest …`",
                "Build the ID block again for the firmware, kernel, vCPU type and number of this host",
            ),
        ),
        (CommandId.SNP_LAUNCH_FINISH, Status.POLICY_FAILURE): Cause(
            "The policy of the ID block is not the policy of the launch",
            ("Give QEMU `policy=` the value that `confvm id-block check` prints",),
        ),
        (CommandId.SNP_LAUNCH_FINISH, Status.BAD_SIGNATURE): Cause(
            "The ID key did not sign this ID block, or the author key did not sign the ID key",
            (
                "Check both files with `confvm id-block check`",
                "id-block and id-auth must be of one run, in base64, with keys on P-384",
            ),
        ),
        (CommandId.SNP_LAUNCH_FINISH, Status.INVALID_PARAM): Cause(
            "The ID block or its authentication is not as the firmware wants it",
            (
                "Old firmware takes no ID block without an author key: build with --author-key, and tell QEMU "
                "author-key-enabled=true",
                "HOST_DATA has 32 bytes",
            ),
        ),
        (CommandId.SNP_LAUNCH_UPDATE, Status.INVALID_PARAM): Cause(
            "A page is not of a type that the firmware takes; for a CPUID page: a value is not one that this "
            "processor may show",
            (
                "Give the guest a vCPU model of this or an earlier generation, without features that the host lacks",
                "QEMU lists the CPUID leaves that the firmware would not take, with its values: turn those off",
            ),
        ),
        (CommandId.SNP_LAUNCH_UPDATE, Status.INVALID_PAGE_STATE): Cause(
            "A page of the launch is not in state pre-guest",
            ("Use a kernel, QEMU and OVMF that know guest_memfd (Linux 6.11, QEMU 9.1 or later)",),
        ),
        (CommandId.SNP_ACTIVATE, Status.INVALID_ASID): Cause(
            "There is no ASID for SNP guests, or this one is out of their range",
            ("Raise `SEV-ES ASID Space Limit` in the BIOS: SNP guests take the ASIDs below it",),
        ),
        (CommandId.SNP_GUEST_REQUEST, Status.INVALID_PARAM): Cause(
            "The firmware could not take the guest's message: wrong VMPCK, sequence number, type or field",
            (
                "A guest that lost a sequence number has lost the key: use another VMPCK, or launch it again",
                "The VMPL of a report must not be below that of the key",
            ),
        ),
        (CommandId.SNP_GUEST_REQUEST, Status.AEAD_OFLOW): Cause(
            "The message counter of this VMPCK is used up", ("Launch the guest again",)
        ),
    }
)
"""What a code means for one command."""

ERRNO_CAUSES: Mapping[int, Cause] = MappingProxyType(
    {
        errno.EPERM: Cause(
            "The call failed, and more is not told: the kernel does not let this process do it, or the tool printed -1 "
            "or 1 in place of the kernel's error",
            ("Run as root, or as a member of the group that owns /dev/sev", "Look at fw_error: it is the one to trust"),
        ),
        errno.ENOENT: Cause("Something that the kernel needs does not exist", (_DMESG,)),
        errno.EIO: Cause(
            "The firmware was called and refused: fw_error says why",
            ("If fw_error is 0, the secure processor did not answer as it should", _DMESG),
        ),
        errno.E2BIG: Cause("More was given than the kernel takes", ("See the size of session, certificate or secret",)),
        errno.ENOMEM: Cause(
            "The kernel has no memory for it",
            (
                "Raise the limit of locked memory (ulimit -l; libvirt <memtune><hard_limit>): SEV pins all guest RAM",
                "See whether the host has as much free memory as the guest wants",
            ),
        ),
        errno.EACCES: Cause(
            "A file may not be opened by this user", ("See owner and mode of /dev/sev and /dev/kvm with `confvm host`",)
        ),
        errno.EFAULT: Cause(
            "An address that was handed to the kernel cannot be read or written",
            ("Update QEMU and kernel: they do not agree about the layout of a command", _DMESG),
        ),
        errno.EBUSY: Cause(
            "The secure processor or an ASID is in use",
            (
                "Wait, and try again: there may be no free ASID (`confvm host`)",
                "SNP firmware is initialized while guests exist: shut them down before it is configured",
            ),
        ),
        errno.EEXIST: Cause("It is there already", ("The guest was initialized before: start a new one",)),
        errno.ENODEV: Cause(
            "There is no secure processor that the kernel could use",
            (_ENABLE_BIOS, "Load the module ccp, and see that the firmware of the host is not a VM's"),
        ),
        errno.EINVAL: Cause(
            "The kernel refused it before the firmware was asked, or the module was loaded without the feature",
            (
                "With fw_error 0 or -1 the firmware was not called: look at the request itself",
                "KVM takes only policy bits that it knows: older kernels refuse bits above 20 and MIGRATE_MA",
                "See /sys/module/kvm_amd/parameters/{sev,sev_es,sev_snp} with `confvm host`",
                "Registers, memory size and vCPUs must be set up before the launch, and not be changed in between",
            ),
        ),
        errno.ENOTTY: Cause(
            "The kernel does not know this command, or the VM is of a type that has none",
            (
                "SNP as a host is in Linux 6.11 and later with CONFIG_KVM_AMD_SEV",
                "See that kvm_amd has sev=Y, and sev_snp=Y for SNP",
            ),
        ),
        errno.ENOSPC: Cause(
            "There is no free ASID, or the buffer is too small",
            ("See the ASIDs in use with `confvm host` (misc.current), and shut guests down",),
        ),
        errno.EAGAIN: Cause("It may work when tried again", ("The host or firmware limits the rate: try later",)),
        errno.EOPNOTSUPP: Cause(
            "The kernel or the VM does not do this", ("See that kvm_amd was loaded with sev_es=1 or sev_snp=1",)
        ),
        errno.ETIMEDOUT: Cause(
            "The secure processor did not answer in time; the kernel will not use it again until it is reset",
            ("Reboot the host", _UPDATE_FIRMWARE, "Raise ccp's psp_cmd_timeout and psp_probe_timeout"),
        ),
        errno.EBADF: Cause("A file descriptor is not the secure processor's", ("See sev-device=/dev/sev of QEMU",)),
        errno.EBADMSG: Cause(
            "A message between guest and firmware does not authenticate",
            ("The guest's key cannot be used any more: use another VMPCK, or launch the guest again",),
        ),
        errno.ENOBUFS: Cause("The buffer for the answer is too small", ("Give the length that the kernel wrote back",)),
        errno.ECANCELED: Cause("It was cancelled", ()),
        errno.EINTR: Cause("A signal came in between", ("Try again",)),
        errno.ERANGE: Cause("A number is out of the range that the kernel takes", ()),
        errno.EKEYREVOKED: Cause("The key cannot be used any more", ("Launch the guest again",)),
    }
)
"""Kernel's error numbers as SEV's code paths use them, by their positive value."""

GUEST_VMM_ERRORS: Mapping[int, Cause] = MappingProxyType(
    {
        1: Cause(
            "The hypervisor wants more pages for the certificates than the guest gave",
            ("Ask again with the number of pages that the kernel wrote back (extended report)",),
        ),
        2: Cause("The hypervisor is busy: it limits how often a guest asks", ("Ask again after a second or two",)),
        1 << 31: Cause("The hypervisor failed for a reason that it does not tell", ("Look into the host's log",)),
    }
)
"""Upper 32 bits of a guest's `fw_error` (exitinfo2), which are the hypervisor's."""
