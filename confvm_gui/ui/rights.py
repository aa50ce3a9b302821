"""What the present user's role leaves out of the window: said in a banner, and by what is greyed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.job_kinds import permission_for
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.actions import ShellActions
from confvm_gui.ui.banner import Banner, BannerStack, Tone


class Rights:
    """`offer` is called after a change of roles, to grey what has to be."""

    def __init__(
        self, session: FleetSession, banners: BannerStack, actions: ShellActions, offer: Callable[[], None]
    ) -> None:
        self._session = session
        self._banners = banners
        self._offer = offer
        on_instances = {**actions.on_instances, OperationKind.CREATE: actions.new}
        self._actions = {kind: (action, action.toolTip()) for kind, action in on_instances.items()}

    def reason(self, kind: OperationKind) -> str:
        """Why the present user cannot ask for `kind`, in one sentence; "" where they can."""
        return reason_against(self._session, permission_for(kind))

    def show(self) -> None:
        """Say what holds now."""
        for kind, (action, words) in self._actions.items():
            action.setToolTip(self.reason(kind) or words)
        translate = QCoreApplication.translate
        if self._session.readonly:
            text = translate("ShellWindow", "Read-only: {reason}").format(reason=self._session.readonly_reason)
            self._banners.put("readonly", Banner(Tone.INFO, text, dismissable=False))
        denied = self._session.access.reason_denied(Permission.OPERATE)
        if denied and not self._session.readonly:
            text = translate("Rights", "{reason}. What your role does not allow is greyed; the page Access says more.")
            self._banners.put("role", Banner(Tone.INFO, text.format(reason=denied)))
        else:
            self._banners.remove("role")

    def changed(self, _: None) -> None:
        """The roles are other than before."""
        self.show()
        self._offer()


def reason_against(session: FleetSession, permission: Permission) -> str:
    """Why something that takes `permission` and changes something cannot be done here; "" where it can."""
    return session.readonly_reason or session.access.reason_denied(permission)
