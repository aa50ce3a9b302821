"""Roles and what they may do, in the user's language."""

from __future__ import annotations

from confvm_gui.domain.roles import Permission, Role
from confvm_gui.ui.text import translate


def role_word(role: Role) -> str:
    return {
        Role.VIEWER: translate("Role", "viewer"),
        Role.OPERATOR: translate("Role", "operator"),
        Role.ADMINISTRATOR: translate("Role", "administrator"),
        Role.AUDITOR: translate("Role", "auditor"),
    }[role]


def role_meaning(role: Role) -> str:
    """In one sentence."""
    return {
        Role.VIEWER: translate("Role", "Looks at the fleet, and at memory as the host sees it."),
        Role.OPERATOR: translate("Role", "Runs and deletes instances, and asks guests."),
        Role.ADMINISTRATOR: translate("Role", "May do everything, and says who may what."),
        Role.AUDITOR: translate("Role", "Reads, exports and forwards the audit log, and changes nothing else."),
    }[role]


def permission_word(permission: Permission) -> str:
    return {
        Permission.OPERATE: translate("Permission", "Run instances"),
        Permission.DELETE: translate("Permission", "Delete instances"),
        Permission.ASK_GUEST: translate("Permission", "Ask guests, and type into consoles"),
        Permission.VIEW_PLAINTEXT: translate("Permission", "Look into the plaintext memory of guests"),
        Permission.MANAGE_KEYS: translate("Permission", "Manage keys"),
        Permission.MANAGE_POLICY: translate("Permission", "Change guardrails"),
        Permission.MANAGE_HOSTS: translate("Permission", "Add and remove hosts"),
        Permission.CHANGE_SETTINGS: translate("Permission", "Change settings of the console"),
        Permission.READ_AUDIT: translate("Permission", "Read the audit log"),
        Permission.EXPORT_AUDIT: translate("Permission", "Export and forward the audit log"),
        Permission.MANAGE_ROLES: translate("Permission", "Change roles"),
        Permission.APPROVE: translate("Permission", "Approve what needs a second person"),
    }[permission]
