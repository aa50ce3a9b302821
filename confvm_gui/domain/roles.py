"""Roles of a data directory, and what each may do.

They guard within the console: whoever may write the files of the data directory can go round it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Role(Enum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Permission(Enum):
    """What needs a role. Looking at the fleet, at metrics and at memory as the host sees it needs none."""

    OPERATE = "run instances"
    DELETE = "delete instances"
    ASK_GUEST = "ask guests and type into consoles"
    VIEW_PLAINTEXT = "look into the plaintext memory of guests"
    MANAGE_KEYS = "manage keys"
    MANAGE_POLICY = "change guardrails"
    MANAGE_HOSTS = "add and remove hosts"
    CHANGE_SETTINGS = "change settings"
    READ_AUDIT = "read the audit log"
    EXPORT_AUDIT = "export or forward the audit log"
    MANAGE_ROLES = "change roles"
    APPROVE = "approve what needs a second person"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.VIEWER: frozenset(),
        Role.OPERATOR: frozenset({Permission.OPERATE, Permission.DELETE, Permission.ASK_GUEST, Permission.READ_AUDIT}),
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.AUDITOR: frozenset({Permission.READ_AUDIT, Permission.EXPORT_AUDIT}),
    }
)
