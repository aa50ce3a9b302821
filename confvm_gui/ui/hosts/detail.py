"""One host: its address, how the connection is, what it can do, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from confvm_gui.fleet.hosts import HostEntry, HostFacts
from confvm_gui.fleet.inventory import ProviderStatus
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column


class HostDetail(Card):
    """Shows what it is given; asks by signals."""

    retry_wanted = Signal(str)
    remove_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hosts-detail")
        self._name = ""
        self._shown: HostFacts | None = None
        self._notes: list[Note] = []
        self._title = heading("", self, 1.15)
        self._title.setWordWrap(True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._state = Note("", Tone.MUTED, self)
        self._state.setObjectName("hosts-state")
        self._about = ToneLabel("", Tone.MUTED, self)
        self._about.setObjectName("hosts-about")
        self._session_only = ToneLabel(
            self.tr("Given on the command line: it is not kept for the next start."), Tone.MUTED, self
        )
        self.retry = QPushButton(self.tr("&Connect now"), self)
        self.retry.setObjectName("hosts-retry")
        bind_icon(self.retry, "retry")
        self.retry.clicked.connect(lambda: self.retry_wanted.emit(self._name))
        self.remove = QPushButton(self.tr("&Remove from the list"), self)
        self.remove.setObjectName("hosts-remove")
        self.remove.setToolTip(self.tr("The host's machines run on; the console does not show them any more"))
        self.remove.clicked.connect(lambda: self.remove_wanted.emit(self._name))
        self._facts_title = heading(self.tr("What it can do"), self, 1.05)
        inside = column(self, margin=14, spacing=SPACING)
        for widget in (self._title, self._state, self._about, self._session_only, self._facts_title):
            inside.addWidget(widget)
        self._facts = column(facts := QWidget(self), spacing=7)
        inside.addWidget(facts)
        inside.addStretch(1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.retry)
        buttons.addStretch(1)
        buttons.addWidget(self.remove)
        inside.addLayout(buttons)

    @property
    def name(self) -> str:
        """Of the host that is shown."""
        return self._name

    def show_host(self, entry: HostEntry, status: ProviderStatus | None, facts: HostFacts | None) -> None:
        """Show a host as it is now."""
        self._name = entry.name
        self._title.setText(status.title if status is not None else entry.uri)
        self._session_only.setVisible(entry.for_session)
        connected = status is not None and status.connected
        connecting = status is not None and status.connecting
        if connected:
            self._state.show_text(self.tr("Connected"), Tone.GOOD)
        elif connecting:
            self._state.show_text(self.tr("Connecting …"), Tone.MUTED)
        else:
            reason = status.message if status is not None else ""
            text = self.tr("Not connected: {reason}. It is tried again by itself.")
            self._state.show_text(
                text.format(reason=reason.rstrip(".")) if reason else self.tr("Not connected"), Tone.BAD
            )
        self.retry.setVisible(not connected)
        self.retry.setEnabled(not connecting)
        self._about.setText(facts.about if facts is not None else "")
        self._about.setVisible(facts is not None and facts.about != self._title.text())
        self._show_facts(facts)

    def _show_facts(self, facts: HostFacts | None) -> None:
        self._facts_title.setVisible(facts is not None and bool(facts.facts))
        if facts == self._shown:
            return
        self._shown = facts
        for note in self._notes:
            self._facts.removeWidget(note)
            note.hide()
            note.deleteLater()
        self._notes = []
        # What is said of several is said once: mostly a host has none of them for want of one thing.
        said: dict[tuple[str, bool], list[str]] = {}
        for fact in facts.facts if facts is not None else ():
            said.setdefault((fact.detail or fact.title, fact.available), []).append(fact.title)
        for (detail, available), titles in said.items():
            covered = ", ".join(titles)
            text = covered if covered == detail else self.tr("{0}: {1}").format(covered, detail)
            note = Note(text, Tone.GOOD if available else Tone.MUTED, self)
            note.setObjectName(f"hosts-fact-{titles[0]}")
            self._facts.addWidget(note)
            note.show()
            self._notes.append(note)
