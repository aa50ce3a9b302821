"""What cloud-init is told at the first boot of an instance on a host: hostname, user, SSH keys."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLineEdit, QPlainTextEdit, QWidget

from confvm_gui.ui.wizard.draft import Draft
from confvm_gui.ui.wizard.looks import Card, FieldError, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label


class SeedForm(Card):
    """Writes to the draft as it is typed."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.hostname = self._line("wizard.seedHostname")
        self.user = self._line("wizard.seedUser")
        self.user.setPlaceholderText("admin")
        self.keys = QPlainTextEdit(self)
        self.keys.setObjectName("wizard.seedKeys")
        self.keys.setPlaceholderText("ssh-ed25519 AAAA… you@example")
        self.keys.setTabChangesFocus(True)
        self.keys.setFixedHeight(self.keys.fontMetrics().height() * 4 + 18)
        self.keys.textChanged.connect(self._typed)
        self.canary = QCheckBox(self.tr("&Plant a canary, to see later whether the host finds it in the memory"), self)
        self.canary.setObjectName("wizard.seedCanary")
        self.canary.setToolTip(
            self.tr("A random token in a file in the guest's memory; the tab Exposure of the instance looks for it")
        )
        self.canary.clicked.connect(self._typed)
        self.problem = FieldError(self)
        self.problem.setObjectName("wizard.seedError")
        inside = column(self, margin=14, spacing=6)
        inside.addWidget(heading(self.tr("First boot"), self, 1.05))
        inside.addWidget(
            ToneLabel(
                self.tr(
                    "Cloud-init in the image reads this at its first boot. The host can read it as well: "
                    "put no secret here. A kernel that is booted directly does not read it."
                ),
                Tone.MUTED,
                self,
            )
        )
        for text, field in (
            (self.tr("&Hostname (empty: the instance's name)"), self.hostname),
            (self.tr("&User"), self.user),
            (self.tr("SSH public &keys, one in each line"), self.keys),
        ):
            inside.addWidget(field_label(text, field, self))
            inside.addWidget(field)
        inside.addWidget(self.problem)
        inside.addWidget(self.canary)

    def refresh(self) -> None:
        """Show what is wrong."""
        self.problem.show_problem(self._draft.field_problem("seed"))

    def _line(self, name: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setObjectName(name)
        line.setMaxLength(253)
        line.textEdited.connect(self._typed)
        return line

    def _typed(self) -> None:
        keys = tuple(key for line in self.keys.toPlainText().splitlines() if (key := line.strip()))
        self._draft.choose_seed(
            self.hostname.text().strip(), self.user.text().strip(), keys, canary=self.canary.isChecked()
        )
