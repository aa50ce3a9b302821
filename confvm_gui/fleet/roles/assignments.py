"""`roles.toml` of a data directory: roles of the operating system's users and groups, and what needs two people.

    [users]
    alice = ["administrator"]

    [groups]
    audit = ["auditor"]

    [approvals]
    needed = ["instance.delete", "key.destroy", "policy.exception"]
    hours = 24

Without the file, the owner of the data directory is its administrator and everybody else a viewer.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from confvm_gui.domain.errors import InvalidInput, StoreError, WrongState
from confvm_gui.domain.roles import Role
from confvm_gui.fleet.identity import user_name

FILE_NAME = "roles.toml"
APPROVABLE: Mapping[str, str] = MappingProxyType(
    {
        "instance.delete": "deleting an instance",
        "key.destroy": "destroying a key",
        "policy.exception": "an exception from a guardrail",
    }
)
"""What can be made to need a second person."""
_LONGEST_FILE = 1 << 20
_MOST_HOURS = 24 * 365

_Named = Mapping[str, frozenset[Role]]


@dataclass(frozen=True, slots=True)
class Assignments:
    """What the file says."""

    users: _Named = field(default_factory=lambda: MappingProxyType({}))
    groups: _Named = field(default_factory=lambda: MappingProxyType({}))
    needed: frozenset[str] = frozenset()
    """Keys of APPROVABLE."""
    hours: float = 24.0
    """After which a request for approval expires."""
    by_file: bool = False
    """Whether there is a file."""

    def roles(self, user: str, groups: Set[str]) -> frozenset[Role]:
        """All roles of a user, never none."""
        found = set(self.users.get(user, ()))
        for group in groups:
            found |= self.groups.get(group, frozenset())
        return frozenset(found) or frozenset({Role.VIEWER})

    def with_role(self, name: str, role: Role, *, group: bool) -> Assignments:
        """Raises InvalidInput("name")."""
        _check_name(name)
        table = dict(self.groups if group else self.users)
        table[name] = table.get(name, frozenset()) | {role}
        return self._with(table, group=group)

    def without_role(self, name: str, role: Role, *, group: bool) -> Assignments:
        """Raises InvalidInput("name") where there is no such assignment, WrongState for the last administrator."""
        table = dict(self.groups if group else self.users)
        if role not in table.get(name, frozenset()):
            raise InvalidInput("name", f"{name} has not the role {role.value}")
        table[name] -= {role}
        if not table[name]:
            del table[name]
        changed = self._with(table, group=group)
        if not any(Role.ADMINISTRATOR in roles for roles in (*changed.users.values(), *changed.groups.values())):
            raise WrongState(f"{name} is the last administrator: give the role to another one first")
        return changed

    def _with(self, table: Mapping[str, frozenset[Role]], *, group: bool) -> Assignments:
        return replace(self, groups=table) if group else replace(self, users=table)


def load_assignments(data_dir: Path) -> Assignments:
    """What holds in this data directory. Raises InvalidInput("roles") for a file that is wrong: nobody has a role then.
    Raises StoreError for one that cannot be read."""
    path = data_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_FILE + 1)
    except FileNotFoundError:
        return Assignments(users=MappingProxyType({_owner(data_dir): frozenset({Role.ADMINISTRATOR})}))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(text) > _LONGEST_FILE:
        raise InvalidInput("roles", f"{path} is too large to be a list of roles")
    try:
        return _parse(tomllib.loads(text.decode()))
    except (ValueError, RecursionError) as error:
        raise InvalidInput("roles", f"{path} is wrong: {error}; correct it, or remove it to begin anew") from error


def save_assignments(data_dir: Path, assignments: Assignments) -> None:
    """All of it or nothing, whenever the console is killed. Raises StoreError."""
    path = data_dir / FILE_NAME
    unfinished = path.with_name(FILE_NAME + ".new")
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        # Readable as widely as the folder lets anybody in; written by its owner only.
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_text(assignments))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error


def to_mapping(assignments: Assignments) -> dict[str, object]:
    """JSON-able, as the file spells it."""
    return {
        "users": _names(assignments.users),
        "groups": _names(assignments.groups),
        "approvals": {"needed": sorted(assignments.needed), "hours": assignments.hours},
    }


def check_kind(kind: str) -> str:
    """Raises InvalidInput("kind")."""
    if kind not in APPROVABLE:
        raise InvalidInput("kind", f"{kind!r} cannot need approval; there are {', '.join(APPROVABLE)}")
    return kind


def _names(table: _Named) -> dict[str, list[str]]:
    return {name: sorted(role.value for role in roles) for name, roles in sorted(table.items())}


def _text(assignments: Assignments) -> str:
    lines = ["# Roles of this data directory; `confvm roles` writes it. It guards within the console only."]
    for title, table in (("users", assignments.users), ("groups", assignments.groups)):
        lines += ["", f"[{title}]"]
        lines += [
            f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(roles)}" for name, roles in _names(table).items()
        ]
    lines += ["", "[approvals]", f"needed = {json.dumps(sorted(assignments.needed))}", f"hours = {assignments.hours!r}"]
    return "\n".join(lines) + "\n"


def _parse(values: Mapping[str, object]) -> Assignments:
    unknown = set(values) - {"users", "groups", "approvals"}
    if unknown:
        raise ValueError(f"there is no table {min(unknown)!r}")
    approvals = _table(values, "approvals")
    needed, hours = approvals.get("needed", []), approvals.get("hours", 24)
    if (
        set(approvals) - {"needed", "hours"}
        or not isinstance(needed, list)
        or not set(map(str, needed)) <= set(APPROVABLE)
    ):
        raise ValueError(f"[approvals] has needed, a list of {', '.join(APPROVABLE)}, and hours")
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= _MOST_HOURS:
        raise ValueError(f"hours is a number up to {_MOST_HOURS}")
    users, groups = _named(values, "users"), _named(values, "groups")
    return Assignments(users, groups, frozenset(map(str, needed)), float(hours), by_file=True)


def _table(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name} is not a table")
    return table


def _named(values: Mapping[str, object], table: str) -> dict[str, frozenset[Role]]:
    found = {}
    for name, roles in _table(values, table).items():
        listed = [roles] if isinstance(roles, str) else roles
        if not isinstance(listed, list) or not all(isinstance(role, str) for role in listed):
            raise ValueError(f"the roles of {name} are a list of words")
        try:
            found[name] = frozenset(Role(role) for role in listed)
        except ValueError:
            known = ", ".join(role.value for role in Role)
            raise ValueError(f"{name} has a role that does not exist; there are {known}") from None
    return found


def _check_name(name: str) -> None:
    if not name or len(name) > 256 or not name.isprintable():
        raise InvalidInput("name", "Give the name of a user or group of the operating system")


def _owner(data_dir: Path) -> str:
    """The owner of the folder; of one that is not there yet whoever makes it."""
    from confvm_gui.fleet.identity import current_user

    if sys.platform == "win32":
        return current_user()
    try:
        return user_name(data_dir.stat().st_uid)
    except OSError:
        return current_user()
