"""One key: its facts, whom it holds, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from confvm_gui.domain.keys import KeyInfo, KeyState, KeyUse
from confvm_gui.fleet.keys import BOUND_USE
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.keys.ending import KeyEnding
from confvm_gui.ui.models.key_words import key_name, scheme_of, state_text, store_word, why_unusable
from confvm_gui.ui.text import breakable, moment
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, field_label

_NARROWEST = 120
_SHOWN_USES = 100
_TONES = {
    KeyState.ENABLED: Tone.GOOD,
    KeyState.DISABLED: Tone.MUTED,
    KeyState.DESTROY_SCHEDULED: Tone.WARNING,
    KeyState.DESTROYED: Tone.BAD,
    KeyState.UNREACHABLE: Tone.WARNING,
}


class KeyDetail(Card):
    """Shows what it is given; asks by signals. Each carries the key's reference first."""

    act_wanted = Signal(str, str)
    """With `rotate`, `disable`, `enable` or `restore`."""
    rewrap_wanted = Signal(str, str)
    """With the reference of the key that holds it all then; its own for its newest version."""
    destroy_wanted = Signal(str, float, tuple)
    """With the days until then and the ids of those whose data may be lost."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keys-detail")
        self._info: KeyInfo | None = None
        self._uses: tuple[KeyUse, ...] = ()
        self._allowed = True
        self._title = heading("", self, 1.15)
        self._title.setWordWrap(True)
        self.state = Note("", Tone.MUTED, self)
        self.state.setObjectName("keys-state")
        self.message = Note("", Tone.BAD, self)
        self.message.setObjectName("keys-message")
        self.message.hide()
        self._values: dict[str, QLabel] = {}
        inside = column(self, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addWidget(self.state)
        inside.addWidget(self.message)
        inside.addLayout(self._build_facts())
        self._uses_title = heading(self.tr("What it holds"), self)
        self.uses = ToneLabel("", Tone.PLAIN, self)
        self.uses.setObjectName("keys-uses")
        self.uses.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        inside.addWidget(self._uses_title)
        inside.addWidget(self.uses)
        inside.addWidget(self._build_rewrap())
        self.ending = KeyEnding(self)
        self.ending.agreed.connect(self._agreed)
        self.ending.kept.connect(self.ending.hide)
        inside.addWidget(self.ending)
        self.absent = Note("", Tone.MUTED, self)
        self.absent.setObjectName("keys-absent")
        self.absent.hide()
        inside.addWidget(self.absent)
        inside.addLayout(self._build_buttons())

    def _build_facts(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACING * 2)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (key, name) in enumerate(
            (
                ("ref", self.tr("Reference")),
                ("store", self.tr("Store")),
                ("protection", self.tr("Protection")),
                ("algorithm", self.tr("Algorithm")),
                ("versions", self.tr("Versions")),
                ("created", self.tr("Made")),
            )
        ):
            label = ToneLabel(name, Tone.MUTED, self)
            label.setWordWrap(False)
            value = QLabel(self)
            value.setWordWrap(True)
            value.setMinimumWidth(_NARROWEST)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(name)
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
            self._values[key] = value
        return grid

    def _build_rewrap(self) -> QWidget:
        self._rewrap_row = QWidget(self)
        row = QHBoxLayout(self._rewrap_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        self.target = QComboBox(self._rewrap_row)
        self.target.setObjectName("keys-target")
        self.target.setMinimumContentsLength(18)
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.rewrap = QPushButton(self.tr("&Wrap all of it anew"), self._rewrap_row)
        self.rewrap.setObjectName("keys-rewrap")
        self.rewrap.setToolTip(self.tr("Instances that run go on running; their disks are not encrypted anew"))
        self.rewrap.clicked.connect(self._rewrap)
        row.addWidget(field_label(self.tr("Wrap &by"), self.target, self._rewrap_row))
        row.addWidget(self.target, 1)
        row.addWidget(self.rewrap)
        return self._rewrap_row

    def _build_buttons(self) -> QHBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        self.rotate = self._button("rotate", self.tr("&Rotate"), "retry")
        self.rotate.setToolTip(self.tr("A new version wraps from now on; what older ones wrapped stays readable"))
        self.disable = self._button("disable", self.tr("&Disable"), "pause")
        self.enable = self._button("enable", self.tr("&Enable"), "start")
        self.restore = self._button("restore", self.tr("Re&store"), "restore")
        self.restore.setToolTip(self.tr("Call the destruction off; the key is disabled then"))
        for button in (self.rotate, self.disable, self.enable, self.restore):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.end = QPushButton(self.tr("Destro&y …"), self)
        self.end.setObjectName("keys-destroy")
        bind_icon(self.end, "delete")
        self.end.clicked.connect(self._ask_destroy)
        buttons.addWidget(self.end)
        return buttons

    def _button(self, action: str, text: str, icon: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"keys-{action}")
        bind_icon(button, icon)
        button.clicked.connect(lambda _checked=False: self.act_wanted.emit(self.key_ref, action))
        return button

    @property
    def key_ref(self) -> str:
        """Of the key that is shown; "" for none."""
        return self._info.ref if self._info is not None else ""

    def show_key(
        self,
        info: KeyInfo,
        uses: Sequence[KeyUse],
        others: Sequence[KeyInfo],
        *,
        allowed: bool,
        busy: bool,
        cannot: Mapping[str, str],
    ) -> None:
        """`others`: keys that may hold it all in its place. `allowed`: whether anything may be changed. `cannot`: the
        actions that its store has not, each with the reason: they are absent.
        """
        if info.ref != self.key_ref:
            self.target.clear()  # what was chosen for another key is not meant for this one
            self.message.show_text("")
            self.ending.hide()
        elif tuple(uses) != self._uses or info != self._info:
            self.ending.hide()  # what was asked is not what would happen now
        self._info, self._uses = info, tuple(uses)
        self._title.setText(breakable(key_name(info.ref)))
        self.state.show_text(state_text(info), _TONES[info.state])
        for key, text in (
            ("ref", info.ref),
            ("store", store_word(scheme_of(info.ref))),
            ("protection", self.tr("{0}, in hardware").format(info.protection) if info.hardware else info.protection),
            ("algorithm", info.algorithm),
            (
                "versions",
                self.tr("{0}, the newest is number {1}").format(info.versions, info.primary_version)
                if info.versions
                else "–",
            ),
            ("created", moment(info.created_at) if info.created_at is not None else "–"),
        ):
            self._values[key].setText(breakable(text))
        self._show_uses()
        self._show_targets(info, others)
        possible = allowed and not busy
        living = info.state in (KeyState.ENABLED, KeyState.DISABLED)
        self.rotate.setEnabled(possible and info.state is KeyState.ENABLED)
        self.rotate.setVisible("rotate" not in cannot)
        self.disable.setVisible(info.state is not KeyState.DISABLED and "disable" not in cannot)
        self.disable.setEnabled(possible and info.state is KeyState.ENABLED)
        self.enable.setVisible(info.state is KeyState.DISABLED and "enable" not in cannot)
        self.enable.setEnabled(possible)
        self.restore.setVisible(info.state is KeyState.DESTROY_SCHEDULED and "restore" not in cannot)
        self.restore.setEnabled(possible)
        self.end.setVisible(info.state is not KeyState.DESTROYED)
        self.end.setEnabled(possible and living)
        disks = any(use.what != BOUND_USE for use in uses)  # secrets are bound anew instead
        self._rewrap_row.setVisible(disks and info.state is KeyState.ENABLED)
        self.rewrap.setEnabled(possible)
        self.absent.show_text("\n".join(dict.fromkeys(cannot.values())))

    def tell(self, text: str, tone: Tone) -> None:
        """Say what came of the last action; "" takes it away."""
        self.message.show_text(text, tone)

    def _show_uses(self) -> None:
        lines = [
            self.tr("{0} ({1})").format(breakable(use.instance_name), use.what) for use in self._uses[:_SHOWN_USES]
        ]
        if len(self._uses) > _SHOWN_USES:
            lines.append(self.tr("and %n more", "", len(self._uses) - _SHOWN_USES))
        self.uses.setText("\n".join(lines) or self.tr("Nothing that this console knows of."))

    def _show_targets(self, info: KeyInfo, others: Sequence[KeyInfo]) -> None:
        wanted = [(self.tr("its newest version"), info.ref)]
        wanted += [(other.ref, other.ref) for other in others if other.ref != info.ref and not why_unusable(other)]
        if wanted == [(self.target.itemText(at), self.target.itemData(at)) for at in range(self.target.count())]:
            return
        chosen = self.target.currentData()
        self.target.clear()
        for text, ref in wanted:
            self.target.addItem(text, ref)
        self.target.setCurrentIndex(max(0, self.target.findData(chosen)))

    def _rewrap(self) -> None:
        self.rewrap_wanted.emit(self.key_ref, str(self.target.currentData()))

    def _ask_destroy(self) -> None:
        self.ending.ask(key_name(self.key_ref), self._uses)

    def _agreed(self, days: float, lose: tuple[str, ...]) -> None:
        self.destroy_wanted.emit(self.key_ref, days, lose)
