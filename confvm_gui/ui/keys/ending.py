"""Scheduling a key's destruction: when, and who loses what. Nothing happens before everybody is named and agreed to.

Object names: `keys-ending`, `keys-days`, `keys-agree`, `keys-destroy-now`, `keys-keep`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QSpinBox, QWidget

from confvm_gui.domain.keys import KeyUse
from confvm_gui.ui.text import breakable
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_LONGEST_DAYS = 365
_USUAL_DAYS = 30
_NAMED = 30
"""Instances named one by one; of more, how many there are."""


class KeyEnding(Card):
    """Emits `agreed` with the days from now and the ids of those whose data may be lost."""

    agreed = Signal(float, tuple)
    kept = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Tone.BAD)
        self.setObjectName("keys-ending")
        self._uses: tuple[KeyUse, ...] = ()
        self._title = heading("", self, 1.05)
        self._title.setWordWrap(True)
        self._lost = Note("", Tone.BAD, self)
        self._lost.setObjectName("keys-lost")
        self.days = QSpinBox(self)
        self.days.setObjectName("keys-days")
        self.days.setRange(0, _LONGEST_DAYS)
        self.days.setSpecialValueText(self.tr("now"))
        self.days.valueChanged.connect(self._show_state)
        self.agree = QCheckBox(self.tr("I &agree that these data are lost for good"), self)
        self.agree.setObjectName("keys-agree")
        self.agree.toggled.connect(self._show_state)
        self._when = ToneLabel("", Tone.MUTED, self)
        self.end = QPushButton("", self)
        self.end.setObjectName("keys-destroy-now")
        self.end.setProperty("kind", "danger")
        self.end.setAutoDefault(False)
        self.end.clicked.connect(self._agree)
        keep = QPushButton(self.tr("&Keep the key"), self)
        keep.setObjectName("keys-keep")
        keep.setAutoDefault(False)
        keep.clicked.connect(self.kept)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(field_label(self.tr("Days &until then"), self.days, self))
        row.addWidget(self.days)
        row.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        buttons.addStretch(1)
        buttons.addWidget(keep)
        buttons.addWidget(self.end)
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addWidget(self._lost)
        inside.addLayout(row)
        inside.addWidget(self._when)
        inside.addWidget(self.agree)
        inside.addLayout(buttons)
        self.hide()

    def ask(self, name: str, uses: Sequence[KeyUse]) -> None:
        """Ask about the key `name`, which holds `uses`."""
        self._uses = tuple(uses)
        self._title.setText(self.tr("Destroy {0}?").format(breakable(name)))
        self.days.setValue(_USUAL_DAYS)
        self.agree.setChecked(False)
        self.agree.setVisible(bool(uses))
        if uses:
            self._lost.show_text(
                self.tr("The data of these cannot be read by anybody any more: {0}").format(_names(uses)), Tone.BAD
            )
        else:
            self._lost.show_text(self.tr("It holds nothing that this console knows of."), Tone.MUTED)
        self._show_state()
        self.show()
        self.days.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_state(self) -> None:
        days = self.days.value()
        if days:
            self._when.setText(
                self.tr(
                    "Nobody can use it from now on. It can be restored until it is destroyed in %n day(s).", "", days
                )
            )
        else:
            self._when.setText(self.tr("It is destroyed at once, and cannot be restored."))
        self.end.setText(self.tr("&Schedule its destruction") if days else self.tr("&Destroy it now"))
        self.end.setEnabled(not self._uses or self.agree.isChecked())

    def _agree(self) -> None:
        self.hide()
        self.agreed.emit(float(self.days.value()), tuple(use.instance_id for use in self._uses))


def _names(uses: Sequence[KeyUse]) -> str:
    named = ", ".join(breakable(use.instance_name) for use in uses[:_NAMED])
    return f"{named} … (+{len(uses) - _NAMED})" if len(uses) > _NAMED else named
