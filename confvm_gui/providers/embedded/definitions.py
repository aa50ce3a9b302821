"""What an embedded instance keeps between runs: a folder with its definition and its encrypted disk.

    <data dir>/instances/<instance id>/definition.json    what it is, as other hypervisors keep a domain's XML
    <data dir>/instances/<instance id>/disk.img           records, encrypted, if it has any

The definition is written last and replaced whole, so an instance exists exactly if its definition does.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import StoreCorrupt, StoreError, StoreFull
from confvm_gui.domain.instance import HostMaintenance

_VERSION: Final = 2
_READ_VERSIONS: Final = (1, 2)
"""1: before there were attestation and a vTPM; what it lacks has its default."""
_LARGEST: Final = 64 << 10
"""Bytes of a definition that is read at all."""
_INSTANCE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Definition:
    """What does not change while the instance exists."""

    id: str
    name: str
    created_by: str
    """Id of the operation that made it."""
    created_at: float
    cloud: str
    region: str
    zone: str
    machine_type: str
    image: str
    technology: str
    vcpus: int
    memory_mib: int
    """As the machine type has it."""
    guest: str
    """The built-in guest that runs in place of the image; "" for a kernel of the image library, which runs itself."""
    labels: Mapping[str, str] = field(default_factory=dict)
    host_maintenance: str = HostMaintenance.TERMINATE.value
    """MIGRATE: its policy lets it be sent to another host."""
    secure_boot: bool = False
    vtpm: bool = False
    integrity_monitoring: bool = False
    attest: bool = True
    """Whether a launch is verified before keys are released to it."""
    command_line: str = ""
    """Of a kernel of the image library."""
    boot_files: str = ""
    """SHA-256 over the kernel's and the initrd's SHA-256, hex: what was in the library when the instance was made."""
    version: int = _VERSION

    @property
    def technology_kind(self) -> Technology:
        return Technology(self.technology)

    @property
    def maintenance(self) -> HostMaintenance:
        return HostMaintenance(self.host_maintenance)

    @property
    def runs_image(self) -> bool:
        """Whether a kernel of the image library runs, in QEMU, and no built-in guest."""
        return not self.guest

    @property
    def confidential(self) -> bool:
        return self.technology != Technology.NONE.value


class Definitions:
    """The folder of all instances. Blocks on the disk: call it off the event loop."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "instances"

    def folder(self, instance_id: str) -> Path:
        return self._root / instance_id

    def disk(self, instance_id: str) -> Path:
        return self.folder(instance_id) / "disk.img"

    def load_all(self) -> tuple[Sequence[Definition], Sequence[str]]:
        """Definitions, and the names of folders that hold none: what an interrupted creation left.

        What does not have the name of an instance was not put there by a console and is left alone.
        Raises StoreCorrupt for a definition that cannot be read.
        """
        found, leftovers = [], []
        try:
            folders = sorted(self._root.iterdir()) if self._root.is_dir() else []
        except OSError as error:
            raise StoreError(f"{self._root} cannot be read: {error.strerror}") from error
        for folder in folders:
            if not _INSTANCE_ID.fullmatch(folder.name) or not folder.is_dir():
                continue
            if (folder / "definition.json").exists():
                found.append(self._load(folder))
            else:
                leftovers.append(folder.name)
        return found, leftovers

    def write_disk(self, instance_id: str, image: bytes) -> None:
        """Write the encrypted disk whole or not at all. Raises StoreFull, StoreError."""
        self._replace(self.disk(instance_id), image)

    def replace_disk_head(self, instance_id: str, head: bytes) -> None:
        """Put `head` in the place of the disk's first bytes: a crash leaves the old disk or the new one.

        Raises StoreFull, StoreError. A guest that has the disk open goes on with the old file, whose rest is the same.
        """
        path = self.disk(instance_id)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        self._replace(path, head + data[len(head) :])

    def write(self, definition: Definition) -> None:
        """From now on the instance exists. Raises StoreFull, StoreError."""
        text = json.dumps(asdict(definition), ensure_ascii=False, indent=1, sort_keys=True)
        self._replace(self.folder(definition.id) / "definition.json", text.encode())

    def remove(self, instance_id: str) -> None:
        """The definition first: what a crash leaves is a folder without one, which is no instance.

        Raises StoreError if it cannot be removed.
        """
        folder = self.folder(instance_id)
        try:
            (folder / "definition.json").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be removed: {error.strerror}") from error
        shutil.rmtree(folder, ignore_errors=True)

    def _load(self, folder: Path) -> Definition:
        path = folder / "definition.json"
        try:
            with path.open("rb") as file:
                text = file.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                raise ValueError("too large")
            definition = _checked(Definition(**json.loads(text)))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise StoreCorrupt(f"The definition of an instance cannot be read: {path}") from error
        if definition.version not in _READ_VERSIONS or definition.id != folder.name:
            raise StoreCorrupt(f"The definition of an instance does not belong where it is: {path}")
        return definition

    def _replace(self, path: Path, data: bytes) -> None:
        partial = path.with_suffix(".partial")
        try:
            self._root.mkdir(mode=0o700, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a name that is moved to data that a power cut loses would lose both
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFull(f"There is no space left on the disk for {path.parent}") from error
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _checked(definition: Definition) -> Definition:
    """Raises ValueError for a value that no console wrote."""
    Technology(definition.technology)
    HostMaintenance(definition.host_maintenance)
    for name in Definition.__slots__:
        value = getattr(definition, name)
        wanted: type[object] = str
        if name == "labels":
            wanted = dict
            for key, text in value.items() if isinstance(value, dict) else ():
                if not isinstance(key, str) or not isinstance(text, str):
                    raise ValueError(name)
        elif name in ("vcpus", "memory_mib", "version"):
            wanted = int
        elif name == "created_at":
            wanted = float
        elif name in ("secure_boot", "vtpm", "integrity_monitoring", "attest"):
            wanted = bool
        if not isinstance(value, wanted):
            raise ValueError(name)
    if definition.vcpus < 1 or definition.memory_mib < 1:
        raise ValueError("size")
    return definition
