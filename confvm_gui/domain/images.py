"""Images in the library: what instances of local and remote hypervisors boot from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput

LIBRARY_PREFIX = "local:"
"""`LaunchRequest.image` names an image of the library as `local:ID`; anything else is an entry of the catalogue."""


_SEED_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SEED_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_SEED_KEY: Final = re.compile(
    r"(ssh|ecdsa|sk)-[a-z0-9@.-]{2,60} [A-Za-z0-9+/]{16,16384}={0,3}( [^\x00-\x1f\x7f]{0,200})?"
)
_MOST_SEED_FILES: Final = 256
_MOST_SEED_TEXT: Final = 1 << 20


class ImageKind(StrEnum):
    QCOW2 = "qcow2"
    RAW = "raw"
    KERNEL = "kernel"
    """A kernel with or without an initrd, booted directly."""


class ImageState(StrEnum):
    READY = "ready"
    DOWNLOADING = "downloading"
    PARTIAL = "partial"
    """A download that stopped and can be resumed."""
    FAILED = "failed"
    """It was refused (checksum, signature); nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class ImageDownload:
    """Where a vendor publishes an image."""

    url: str
    checksums_url: str
    """A `SHA256SUMS` or `SHA512SUMS` file that names the image."""
    signature_url: str = ""
    """A detached OpenPGP signature of the checksums, or that of the signed file itself; "" where there is none."""
    signed_by: tuple[str, ...] = ()
    """Fingerprints of the vendor's keys, one of which must have signed."""
    key_url: str = ""
    """Where the vendor publishes these keys. What comes from there counts only if a fingerprint is in `signed_by`."""
    mirrors: tuple[str, ...] = ()
    """Other addresses of the same image, tried in turn."""


@dataclass(frozen=True, slots=True)
class LibraryImage:
    """One image of the library."""

    id: str
    """Lower-case letters, digits, hyphens and dots; unique in the library."""
    title: str
    kind: ImageKind
    state: ImageState
    size: int
    """Bytes on disk."""
    virtual_size: int
    """Bytes of the disk that the guest sees; 0 for a kernel."""
    sha256: str
    """Of the file as it was added, hex; "" until it is there."""
    added_at: float
    source: str
    """Address or path that it came from."""
    verified: str = ""
    """How it was verified, for a person: `SHA512SUMS signed by DF9B9C49EAA9298432589D76DA87E80D6294BE9B`; "" if not."""
    received: int = 0
    """Bytes of a download so far."""
    total: int = 0
    command_line: str = ""
    """For a kernel."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Files of a READY image, on this computer."""

    disk: Path | None
    kernel: Path | None = None
    initrd: Path | None = None


@dataclass(frozen=True, slots=True)
class SeedSpec:
    """What cloud-init is told at the first boot (NoCloud)."""

    hostname: str
    user: str = ""
    ssh_keys: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    """(path in the guest, text): canaries for the exposure scan among them."""


def check_seed(spec: SeedSpec) -> None:
    """Raises InvalidInput naming the field."""
    if not _SEED_HOST.fullmatch(spec.hostname):
        raise InvalidInput("hostname", "A host name has 1 to 63 lower-case letters, digits and hyphens")
    if spec.user and not _SEED_USER.fullmatch(spec.user):
        raise InvalidInput("user", "A user name has 1 to 32 lower-case letters, digits, hyphens and underscores")
    if len(spec.ssh_keys) > 64:
        raise InvalidInput("ssh_keys", "At most 64 SSH keys are taken")
    for key in spec.ssh_keys:
        if not _SEED_KEY.fullmatch(key):
            raise InvalidInput("ssh_keys", "An SSH key is one line: its type, the key, and a comment")
    if len(spec.files) > _MOST_SEED_FILES or sum(len(text) for _, text in spec.files) > _MOST_SEED_TEXT:
        most = f"{_MOST_SEED_FILES} files with {_MOST_SEED_TEXT >> 20} MiB"
        raise InvalidInput("files", f"At most {most} in all are taken")
    for path, text in spec.files:
        parts = path.split("/")
        if not path.startswith("/") or len(path) > 1024 or not path.isprintable() or {"..", "."} & set(parts):
            raise InvalidInput("files", f"{path[:60]!r} is not an absolute path in the guest")
        if path.endswith("/") or any(0xD800 <= ord(char) <= 0xDFFF for char in path + text) or "\0" in text:
            raise InvalidInput("files", f"The file {path[:60]!r} cannot be written as text")
