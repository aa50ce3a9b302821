"""The launch digest of SEV-SNP: what the firmware computes while a guest is built (56860, PAGE_INFO).

Every page that is added changes the digest, in the order of the calls:

    LD = SHA-384( DIGEST_CUR 48 | CONTENTS 48 | LENGTH u16 = 0x70 | PAGE_TYPE u8 | IMI u8 | zero u8
                  | VMPL1, VMPL2, VMPL3 permissions u8 each | GPA u64 )

CONTENTS is the SHA-384 of the page for NORMAL and VMSA pages and zeros for the others, whose content the firmware
makes: type and address of those are measured still. LD starts as 48 zero bytes.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import Final

from confvm_gui.sev.errors import InvalidInput, require_length

PAGE_SIZE: Final = 4096
LAUNCH_DIGEST_SIZE: Final = 48
PAGE_INFO_SIZE: Final = 0x70
KVM_VMSA_GPA: Final = 0xFFFF_FFFF_F000
"""Where KVM says that VMSAs lie, on every product (Linux arch/x86/kvm/svm/sev.c, INITIAL_VMSA_GPA)."""

_ZEROS: Final = bytes(LAUNCH_DIGEST_SIZE)
_TAIL: Final = struct.Struct("<HBBBBBBQ")


class PageType(IntEnum):
    """PAGE_TYPE of SNP_LAUNCH_UPDATE."""

    NORMAL = 1
    VMSA = 2
    ZERO = 3
    UNMEASURED = 4
    SECRETS = 5
    CPUID = 6


def page_info(
    current: bytes,
    page_type: PageType,
    gpa: int,
    *,
    contents: bytes = _ZEROS,
    imi: bool = False,
    vmpl_permissions: tuple[int, int, int] = (0, 0, 0),
) -> bytes:
    """PAGE_INFO, PAGE_INFO_SIZE bytes. `vmpl_permissions` are those of VMPL 1, 2 and 3; `gpa` is in bytes."""
    return current + contents + _TAIL.pack(PAGE_INFO_SIZE, page_type, imi, 0, *vmpl_permissions, gpa)


class SnpLaunchDigest:
    """GCTX.LD while a guest is launched. Addresses and sizes are in bytes and whole pages; else InvalidInput("gpa")."""

    __slots__ = ("_digest",)

    def __init__(self, start: bytes = _ZEROS) -> None:
        """`start` is a digest to go on from, LAUNCH_DIGEST_SIZE bytes; InvalidInput("digest") for another length."""
        require_length(start, LAUNCH_DIGEST_SIZE, "digest", "An SNP launch digest")
        self._digest = bytes(start)

    @property
    def digest(self) -> bytes:
        """LD after all pages so far."""
        return self._digest

    def add_page(
        self,
        page_type: PageType,
        gpa: int,
        contents: bytes = _ZEROS,
        *,
        imi: bool = False,
        vmpl_permissions: tuple[int, int, int] = (0, 0, 0),
    ) -> None:
        """One page at `gpa`. `contents` is the SHA-384 of a NORMAL or VMSA page, and zeros for the other types."""
        info = page_info(self._digest, page_type, gpa, contents=contents, imi=imi, vmpl_permissions=vmpl_permissions)
        self._digest = hashlib.sha384(info).digest()

    def add_normal(self, gpa: int, data: bytes) -> None:
        """The pages of `data`, from `gpa` on."""
        _require_pages(gpa, len(data))
        sha384, pack = hashlib.sha384, _TAIL.pack
        digest, previous, contents = self._digest, b"", _ZEROS
        for offset in range(0, len(data), PAGE_SIZE):
            page = data[offset : offset + PAGE_SIZE]
            # Firmware images are padded with many equal pages; comparing two is far cheaper than a digest.
            if page != previous:
                contents = sha384(page).digest()
                previous = page
            digest = sha384(
                digest + contents + pack(PAGE_INFO_SIZE, PageType.NORMAL, 0, 0, 0, 0, 0, gpa + offset)
            ).digest()
        self._digest = digest

    def add_vmsa(self, page: bytes, gpa: int = KVM_VMSA_GPA, *, count: int = 1) -> None:
        """A vCPU's VMSA, `count` times: the pages of all vCPUs but the first are alike."""
        require_length(page, PAGE_SIZE, "vmsa", "A VMSA")
        contents = hashlib.sha384(page).digest()
        for _ in range(count):
            self.add_page(PageType.VMSA, gpa, contents)

    def add_zero(self, gpa: int, size: int) -> None:
        """Pages that the firmware fills with zeros."""
        self._add_empty(PageType.ZERO, gpa, size)

    def add_unmeasured(self, gpa: int, size: int) -> None:
        """Pages whose content is not measured."""
        self._add_empty(PageType.UNMEASURED, gpa, size)

    def add_secrets(self, gpa: int) -> None:
        """The page for which the firmware makes secrets."""
        self._add_empty(PageType.SECRETS, gpa, PAGE_SIZE)

    def add_cpuid(self, gpa: int) -> None:
        """The page of CPUID values that the firmware has checked."""
        self._add_empty(PageType.CPUID, gpa, PAGE_SIZE)

    def _add_empty(self, page_type: PageType, gpa: int, size: int) -> None:
        _require_pages(gpa, size)
        sha384, pack = hashlib.sha384, _TAIL.pack
        digest, kind = self._digest, int(page_type)
        for address in range(gpa, gpa + size, PAGE_SIZE):
            digest = sha384(digest + _ZEROS + pack(PAGE_INFO_SIZE, kind, 0, 0, 0, 0, 0, address)).digest()
        self._digest = digest


def _require_pages(gpa: int, size: int) -> None:
    if gpa < 0 or gpa % PAGE_SIZE or size % PAGE_SIZE:
        raise InvalidInput("gpa", f"{size} bytes at {gpa:#x} are not whole pages of {PAGE_SIZE} bytes")
