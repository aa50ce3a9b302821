"""What a libvirt host makes of an instance's confidentiality, on the page Where."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from confvm_gui.domain.ports.provider import LearnsAbilities
from confvm_gui.ui.wizard.draft import Draft
from confvm_gui.ui.wizard.looks import Card, Note, Tone, heading
from confvm_gui.ui.wizard.page import column


class HostCard(Card):
    """One line for each technology: offered, or why not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("wizard.host")
        self._inside = column(self, margin=14, spacing=8)
        self._title = heading("", self, 1.08)
        self._title.setWordWrap(True)
        self._inside.addWidget(self._title)
        self._lines: list[tuple[str, Tone]] = []
        self._notes: list[Note] = []

    def show_host(self, draft: Draft) -> None:
        """The provider that is chosen, as far as it is known by now."""
        provider = draft.provider
        self._title.setText(self.tr("What {0} offers").format(draft.host_title))
        if provider is None:
            lines = [(self.tr("This host is not in the list any more."), Tone.BAD)]
        elif isinstance(provider, LearnsAbilities) and not provider.known:
            waiting = provider.trouble or self.tr("The host is being asked what it offers …")
            lines = [(waiting, Tone.WARNING if provider.trouble else Tone.MUTED)]
        else:
            reasons = {technology: draft.technology_reason(technology) for technology in draft.technologies()}
            lines = [(technology.title, Tone.GOOD) for technology, reason in reasons.items() if not reason]
            # The same reason is said once: mostly the host has none of them for want of one thing.
            for reason in dict.fromkeys(reason for reason in reasons.values() if reason):
                titles = [technology.title for technology, why in reasons.items() if why == reason]
                lines.append((self.tr("No {0}: {1}").format(", ".join(titles), reason), Tone.MUTED))
            lines.append((self.tr("Plain VMs"), Tone.GOOD))
        if lines == self._lines:
            return
        self._lines = lines
        for note in self._notes:
            self._inside.removeWidget(note)
            note.hide()
            note.deleteLater()
        self._notes = [Note(text, tone, self) for text, tone in lines]
        for note in self._notes:
            self._inside.addWidget(note)
            note.show()
