"""The catalogue as one object, loaded from a folder of TOML files.

A folder holds `technologies.toml` and, for each cloud that it knows, `CLOUD-regions.toml`, `CLOUD-machine-types.toml`
and `CLOUD-images.toml`. All files are read and checked at once: a bad one is told at start and not in the wizard.
The window has them read when it is on the screen (`open_catalog`, then `Catalog.load`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeVar

from confvm_gui.domain.catalogue import Image, MachineType, Region, Technology, TechnologyInfo
from confvm_gui.domain.errors import NotFound
from confvm_gui.resource_files import resources_dir

CLOUDS: Mapping[str, str] = MappingProxyType(
    {
        "gce": "Google Cloud",
        "azure": "Microsoft Azure",
        "aws": "Amazon Web Services",
        "oci": "Oracle Cloud",
        "vsphere": "VMware vSphere",
        "libvirt": "libvirt hosts",
    }
)
"""Every cloud that a catalogue can have, in the order in which they are shown: name and title."""

_KINDS = ("regions", "machine-types", "images")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Entry = TypeVar("_Entry")
_NamedEntry = TypeVar("_NamedEntry", bound=_Named)


@dataclass(frozen=True, slots=True)
class _Cloud:
    regions: Mapping[str, Region]
    machine_types: Mapping[str, MachineType]
    images: Mapping[str, Image]
    by_zone: Mapping[str, Region]
    offered: tuple[Technology, ...]


@dataclass(frozen=True, slots=True)
class _Content:
    clouds: Mapping[str, _Cloud]
    technologies: tuple[TechnologyInfo, ...]


class Catalog:
    """Regions, machine types and images of each cloud, and the technologies side by side.

    Changes only by what a cloud itself tells (`learn`). Made by `load_catalog` and `open_catalog`. Safe to use from
    several threads.
    """

    def __init__(self, read: Callable[[], _Content]) -> None:
        self._read = read
        self._content: _Content | None = None

    def load(self) -> None:
        """Read and check all files now; what is asked first does it otherwise. Does nothing the second time.

        Raises InvalidInput("catalog", …), naming file and entry, when anything in them is wrong.
        """
        if self._content is None:
            self._content = self._read()

    def learn(
        self,
        cloud: str,
        regions: Iterable[Region],
        machine_types: Iterable[MachineType],
        images: Iterable[Image],
    ) -> None:
        """What `cloud` offers now, in place of what was known of it. Raises NotFound for an unknown cloud."""
        self._cloud(cloud)
        learnt = _cloud_of(_by_name(regions), _by_name(machine_types), _by_name(images))
        clouds = {name: learnt if name == cloud else known for name, known in self._whole.clouds.items()}
        self._content = _Content(MappingProxyType(clouds), self._whole.technologies)

    @property
    def clouds(self) -> tuple[str, ...]:
        """Names of the clouds, in the order in which they are shown."""
        return tuple(self._whole.clouds)

    def cloud_title(self, cloud: str) -> str:
        """As its owner writes it. Raises NotFound."""
        self._cloud(cloud)
        return CLOUDS[cloud]

    def regions(self, cloud: str) -> tuple[Region, ...]:
        """In the file's order. Raises NotFound for an unknown cloud, as do all of these."""
        return tuple(self._cloud(cloud).regions.values())

    def machine_types(self, cloud: str) -> tuple[MachineType, ...]:
        return tuple(self._cloud(cloud).machine_types.values())

    def images(self, cloud: str) -> tuple[Image, ...]:
        return tuple(self._cloud(cloud).images.values())

    def technologies(self) -> tuple[TechnologyInfo, ...]:
        return self._whole.technologies

    def technology(self, technology: Technology) -> TechnologyInfo:
        """Raises NotFound for NONE, and for one that the catalogue does not describe."""
        for info in self._whole.technologies:
            if info.technology is technology:
                return info
        raise NotFound(f"The catalogue does not describe the technology {technology.value}")

    def offered_technologies(self, cloud: str) -> tuple[Technology, ...]:
        """Confidential technologies that the cloud offers on some machine type in some zone."""
        return self._cloud(cloud).offered

    def region(self, cloud: str, name: str) -> Region:
        """Raises NotFound, with the nearest name."""
        return self._find(cloud, "region", self._cloud(cloud).regions, name)

    def machine_type(self, cloud: str, name: str) -> MachineType:
        """Raises NotFound, with the nearest name."""
        return self._find(cloud, "machine type", self._cloud(cloud).machine_types, name)

    def image(self, cloud: str, name: str) -> Image:
        """Raises NotFound, with the nearest name."""
        return self._find(cloud, "image", self._cloud(cloud).images, name)

    def region_of_zone(self, cloud: str, zone: str) -> Region:
        """Raises NotFound, with the nearest zone's name."""
        return self._find(cloud, "zone", self._cloud(cloud).by_zone, zone)

    @property
    def _whole(self) -> _Content:
        content = self._content
        if content is None:
            content = self._content = self._read()
        return content

    def _cloud(self, cloud: str) -> _Cloud:
        try:
            return self._whole.clouds[cloud]
        except KeyError:
            known = ", ".join(self._whole.clouds)
            raise NotFound(f"The catalogue has no cloud {cloud!r}; it has {known}") from None

    def _find(self, cloud: str, kind: str, entries: Mapping[str, _Entry], name: str) -> _Entry:
        try:
            return entries[name]
        except KeyError:
            raise NotFound(_unknown(CLOUDS[cloud], kind, entries, name)) from None


def _unknown(title: str, kind: str, names: Iterable[str], name: str) -> str:
    from difflib import get_close_matches  # only needed when something is wrong

    if not name:
        return f"Choose {'an' if kind == 'image' else 'a'} {kind} of {title}"
    near = get_close_matches(name[:128], list(names), n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]}?" if near else "; confvm catalog lists what there is"
    return f"{title} has no {kind} {name[:128]!r} in the catalogue{hint}"


def load_catalog(directory: Path | None = None) -> Catalog:
    """Read and check all files of `directory` (the shipped ones when None).

    Raises InvalidInput("catalog", …), naming file and entry, when anything in it is wrong.
    """
    catalog = open_catalog(directory)
    catalog.load()
    return catalog


def open_catalog(directory: Path | None = None) -> Catalog:
    """The catalogue of `directory` (the shipped one when None), read by `Catalog.load` or when it is asked first."""
    return Catalog(partial(_read, resources_dir() / "catalog" if directory is None else directory))


def _read(folder: Path) -> _Content:
    from confvm_gui.catalog.entries import parse_technologies
    from confvm_gui.catalog.toml_tables import problem, read_table

    try:
        present = {path.name for path in folder.iterdir() if path.suffix == ".toml"}
    except OSError as error:
        raise problem(str(folder), f"the folder cannot be read ({error.strerror or 'unknown reason'})") from None
    expected = {"technologies.toml"} | {f"{cloud}-{kind}.toml" for cloud in CLOUDS for kind in _KINDS}
    stray = sorted(present - expected)
    if stray:
        raise problem(stray[0], "there is no catalogue file of this name")
    technologies = parse_technologies(read_table(folder / "technologies.toml"))
    clouds = {
        cloud: _read_cloud(folder, cloud)
        for cloud in CLOUDS
        if any(f"{cloud}-{kind}.toml" in present for kind in _KINDS)
    }
    if not clouds:
        raise problem(str(folder), "the folder has no cloud in it")
    return _Content(MappingProxyType(clouds), technologies)


def _read_cloud(folder: Path, cloud: str) -> _Cloud:
    from confvm_gui.catalog.entries import parse_images, parse_machine_types, parse_regions
    from confvm_gui.catalog.toml_tables import read_table

    regions = _by_name(parse_regions(read_table(folder / f"{cloud}-regions.toml"), cloud))
    machine_types = _by_name(
        parse_machine_types(read_table(folder / f"{cloud}-machine-types.toml"), cloud, frozenset(regions))
    )
    images = _by_name(parse_images(read_table(folder / f"{cloud}-images.toml"), cloud))
    return _cloud_of(regions, machine_types, images)


def _cloud_of(
    regions: Mapping[str, Region], machine_types: Mapping[str, MachineType], images: Mapping[str, Image]
) -> _Cloud:
    in_zones = {technology for region in regions.values() for technology, _ in region.zones_by_technology}
    on_machines = {technology for machine_type in machine_types.values() for technology in machine_type.technologies}
    return _Cloud(
        regions=regions,
        machine_types=machine_types,
        images=images,
        by_zone=MappingProxyType({zone: region for region in regions.values() for zone in region.zones}),
        offered=tuple(technology for technology in Technology if technology in in_zones & on_machines),
    )


def _by_name(entries: Iterable[_NamedEntry]) -> Mapping[str, _NamedEntry]:
    return MappingProxyType({entry.name: entry for entry in entries})
