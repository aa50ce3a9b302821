"""All packs of rules: those that came with the console, and those that administrators keep in the data directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import InvalidInput, NotFound
from confvm_gui.domain.policy import Pack
from confvm_gui.policy.evaluate import ReadyPack
from confvm_gui.policy.pack_file import MAX_BYTES, dump_pack, parse_pack
from confvm_gui.resource_files import resources_dir

MOST_PACKS: Final = 200
"""Versions of administrators' packs."""

PackKey = tuple[str, int]


class Shelf:
    """Packs by name and version, compiled when they are first needed."""

    def __init__(self, texts: Iterable[str], folder: Path | None = None) -> None:
        self._folder = folder
        self._shipped: dict[PackKey, Pack] | None = None
        self._own: dict[PackKey, Pack] = {}
        self._ready: dict[PackKey, ReadyPack] = {}
        self.damaged: list[str] = []
        """What kept packs of the data directory from being read."""
        for text in texts:
            try:
                pack = parse_pack(text)
            except InvalidInput as error:
                self.damaged.append(error.message)
            else:
                self._own[pack.name, pack.version] = pack

    def all(self) -> Sequence[Pack]:
        """By name, newest version first."""
        found = [*self._of_console().values(), *self._own.values()]
        return sorted(found, key=lambda pack: (pack.name, -pack.version))

    def get(self, name: str, version: int | None = None) -> Pack:
        """The newest version where none is named. Raises NotFound."""
        for pack in self.all():
            if pack.name == name and version in (None, pack.version):
                return pack
        which = f"{name!r}" if version is None else f"{name!r} in version {version}"
        raise NotFound(f"There is no pack {which}; confvm policy list shows all")

    def ready(self, pack: Pack) -> ReadyPack:
        """Compiled. Some milliseconds the first time."""
        key = (pack.name, pack.version)
        ready = self._ready.get(key)
        if ready is None or ready.pack != pack:
            ready = self._ready[key] = ReadyPack(pack)
        return ready

    def add(self, pack: Pack) -> None:
        """Take in an administrator's pack.

        Raises InvalidInput("pack"): a rule cannot be evaluated, the name is a shipped pack's, the version is there
        with other rules, or there are too many.
        """
        key = (pack.name, pack.version)
        if any(name == pack.name for name, _ in self._of_console()):
            raise InvalidInput(
                "pack", f"{pack.name} came with the console and stays as it is; give the copy another name"
            )
        before = self._own.get(key)
        if before is not None and replace(before, signature=pack.signature) != pack:
            raise InvalidInput(
                "pack", f"Version {pack.version} of {pack.name} is there with other rules; raise its number"
            )
        if before is None and len(self._own) >= MOST_PACKS:
            raise InvalidInput("pack", f"There are {MOST_PACKS} packs already; remove one that is off")
        for rule, fault in self.ready(pack).faults:
            raise InvalidInput("pack", f"Rule {rule}: {fault}")
        self._own[key] = pack

    def copy_of(self, pack: Pack, name: str) -> Pack:
        """`pack` under another name, as an administrator's first version. Raises InvalidInput("pack")."""
        return parse_pack(dump_pack(replace(pack, name=name, version=1, signature=b"")))

    def remove(self, name: str, version: int) -> None:
        """Raises NotFound, InvalidInput("pack") for one that came with the console."""
        pack = self.get(name, version)
        if pack.shipped:
            raise InvalidInput("pack", f"{name} came with the console and cannot be removed; it can be off")
        del self._own[name, version]
        self._ready.pop((name, version), None)

    def _of_console(self) -> Mapping[PackKey, Pack]:
        if self._shipped is None:
            folder = self._folder or resources_dir() / "policy"
            packs = [parse_pack(path.read_text("utf-8"), shipped=True) for path in sorted(folder.glob("*.toml"))]
            self._shipped = {(pack.name, pack.version): pack for pack in packs}
        return self._shipped


@dataclass(frozen=True, slots=True)
class PackProblem:
    """What keeps a text from being a pack."""

    message: str
    rule: str = ""
    """Id of the rule that it is about; "" where the text itself cannot be read."""


def pack_problems(text: str) -> Sequence[PackProblem]:
    """All that is wrong with the text of a pack, rule by rule. Some milliseconds: for a thread."""
    try:
        pack = parse_pack(text)
    except InvalidInput as error:
        return [PackProblem(error.message)]
    return [PackProblem(fault, rule) for rule, fault in ReadyPack(pack).faults]


def read_pack(path: Path) -> Pack:
    """The pack in a file. Raises InvalidInput("pack")."""
    return parse_pack(read_pack_text(path))


def read_pack_text(path: Path) -> str:
    """What stands in a file, whether it is a pack or not. Raises InvalidInput("pack")."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("pack", f"{path} is not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput("pack", f"{path} cannot be read: {reason}") from None
    return text
