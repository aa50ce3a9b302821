"""What the one who runs this console may do, and the refusal of the rest: a clear error and an event."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from confvm_gui.domain.errors import Forbidden
from confvm_gui.domain.event import EventOutcome, Severity
from confvm_gui.domain.roles import PERMISSIONS, Permission, Role
from confvm_gui.fleet.events import EventFeed
from confvm_gui.fleet.identity import current_groups, current_user, groups_of
from confvm_gui.fleet.observable import Observable
from confvm_gui.fleet.roles.assignments import Assignments, load_assignments


class Access:
    """The present user's rights on one data directory, as its roles were when the session began."""

    def __init__(
        self, assignments: Assignments, events: EventFeed, user: str = "", groups: Set[str] | None = None
    ) -> None:
        self.changes: Observable[None] = Observable()
        """The roles are other than before."""
        self._assignments = assignments
        self.user = user or current_user()
        self._events = events
        self._groups = current_groups() if groups is None else groups

    @classmethod
    def of_directory(cls, data_dir: Path, events: EventFeed) -> Access:
        """Blocks. Raises InvalidInput("roles"), StoreError."""
        return cls(load_assignments(data_dir), events)

    @property
    def assignments(self) -> Assignments:
        """As they hold in this session."""
        return self._assignments

    @assignments.setter
    def assignments(self, changed: Assignments) -> None:
        self._assignments = changed
        self.changes.emit(None)

    @property
    def roles(self) -> frozenset[Role]:
        return self.assignments.roles(self.user, self._groups)

    def permits(self, permission: Permission) -> bool:
        return permitted(self.roles, permission)

    def user_permits(self, user: str, uid: int, permission: Permission) -> bool:
        """Of another user of this system. Blocks."""
        return permitted(self.assignments.roles(user, groups_of(uid)), permission)

    def reason_denied(self, permission: Permission) -> str:
        """Why this user may not, in one sentence; "" for one who may."""
        if self.permits(permission):
            return ""
        roles = " and ".join(sorted(role.value for role in self.roles))
        may = " or ".join(role.value for role, allowed in PERMISSIONS.items() if permission in allowed)
        return f"{self.user} is {roles} here and may not {permission.value}: that takes the role {may}"

    def require(self, permission: Permission, *, subject: str = "") -> None:
        """Raises Forbidden, which is an event as well."""
        reason = self.reason_denied(permission)
        if reason:
            self._events.record(
                "access.denied",
                reason,
                subject=subject,
                severity=Severity.WARNING,
                outcome=EventOutcome.DENIED,
                detail={"permission": permission.name.lower()},
            )
            raise Forbidden(reason)


def permitted(roles: Set[Role], permission: Permission) -> bool:
    """Whether one of the roles has it."""
    return any(permission in PERMISSIONS[role] for role in roles)
