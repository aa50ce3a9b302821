"""Who the present user is here, and what they may do."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.roles.access import Access
from confvm_gui.ui.access.words import permission_word, role_meaning, role_word
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column


class YouCard(Card):
    """Shows the roles of the session's user; `refresh` after they have changed."""

    def __init__(self, access: Access, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("access-you")
        self._access = access
        self._who = heading("", self, 1.05)
        self._who.setObjectName("access-who")
        self._who.setWordWrap(True)
        self._meaning = ToneLabel("", Tone.MUTED, self)
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(self._who)
        inside.addWidget(self._meaning)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.may: dict[Permission, Note] = {}
        for place, permission in enumerate(Permission):
            note = self.may[permission] = Note(permission_word(permission), Tone.MUTED, self)
            note.setObjectName(f"access-may-{permission.name.lower()}")
            grid.addWidget(note, place // 2, place % 2)
        inside.addLayout(grid)
        self.refresh()

    def refresh(self) -> None:
        """Show the roles as they are now."""
        roles = sorted(self._access.roles, key=lambda role: role.value)
        names = self.tr(" and ").join(role_word(role) for role in roles)
        self._who.setText(self.tr("You are {user}, {roles} here").format(user=self._access.user, roles=names))
        self._meaning.setText(" ".join(role_meaning(role) for role in roles))
        for permission, note in self.may.items():
            reason = self._access.reason_denied(permission)
            note.show_text(permission_word(permission), Tone.BAD if reason else Tone.GOOD)
            note.setToolTip(reason)
            note.setAccessibleDescription(reason or self.tr("You may"))
