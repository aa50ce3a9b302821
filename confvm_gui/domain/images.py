"""Images in the library: what instances of local and remote hypervisors boot from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LIBRARY_PREFIX = "local:"
"""`LaunchRequest.image` names an image of the library as `local:ID`; anything else is an entry of the catalogue."""


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
