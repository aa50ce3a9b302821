"""The three states of data as a strip of cards: at rest, in transit, in use, each with what protects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.keys import KeyState
from confvm_gui.ui.icons import role_pixmap
from confvm_gui.ui.models.key_words import key_state_word
from confvm_gui.ui.text import breakable, moment, technology_word, translate
from confvm_gui.ui.theme import UNIT, theme_controller

if TYPE_CHECKING:
    from confvm_gui.domain.attestation_record import AttestationSummary
    from confvm_gui.fleet.session import FleetSession

_QUIET_STORES: Final = ("local",)
"""Stores that can be asked for a key's state without a PIN, a network or a bill."""


@dataclass(frozen=True, slots=True)
class Protection:
    """One card: what is claimed of one state of the data."""

    title: str
    verdict: str
    detail: str
    icon: str
    role: str
    """Colour role of icon and verdict."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the console has found out of one instance beside what its provider says."""

    asked: bool = False
    """False until the rest has been looked up."""
    problem: str = ""
    """Why it could not be."""
    key_ref: str = ""
    """The key that wraps the key of its disk; "" where none of the console's does."""
    key_state: KeyState | None = None
    """None where the store was not asked."""
    launch: AttestationSummary | None = None
    """The latest verdict on its evidence."""


NOTHING: Final = Known()


async def look_up(session: FleetSession, instance_id: str) -> Known:
    """What the console's own keys and records say of the instance."""
    try:
        uses = await session.keys.uses() if session.keys is not None else ()
        key_ref = next((use.key_ref for use in uses if use.instance_id == instance_id), "")
        history = await session.attestations.history(instance_id, limit=1)
    except ConfvmError as error:
        return Known(problem=error.message)
    return Known(
        asked=True,
        key_ref=key_ref,
        key_state=await _state_of(session, key_ref),
        launch=history[0] if history else None,
    )


async def _state_of(session: FleetSession, key_ref: str) -> KeyState | None:
    if session.keys is None or key_ref.partition(":")[0] not in _QUIET_STORES:
        return None
    try:
        return (await session.keys.info(key_ref)).state
    except ConfvmError:
        return KeyState.UNREACHABLE


def protections(instance: Instance, known: Known = NOTHING) -> tuple[Protection, Protection, Protection]:
    """What holds for an instance, in words that neither promise too much nor too little."""
    return _at_rest(instance, known), _in_transit(instance, known), _in_use(instance)


def _at_rest(instance: Instance, known: Known) -> Protection:
    title = translate("ThreeStates", "At rest")
    if not known.asked:
        said = known.problem or translate("ThreeStates", "Which key holds its disk is being looked up")
        return Protection(title, translate("ThreeStates", "Not known yet"), said, "disk", "muted")
    if known.key_ref:
        lost = known.key_state is KeyState.DESTROYED
        detail = translate("ThreeStates", "Its disk is AES-256-XTS; {key} wraps the disk's key").format(
            key=breakable(known.key_ref)
        )
        if known.key_state not in (None, KeyState.ENABLED):
            detail += translate("ThreeStates", ". That key does not open it now: {state}").format(
                state=key_state_word(known.key_state)
            )
        verdict = translate("ThreeStates", "Unreadable") if lost else translate("ThreeStates", "Encrypted")
        return Protection(title, verdict, detail, "disk", "danger" if lost else "confidential")
    if instance.emulated:
        detail = translate("ThreeStates", "It has no disk with records, so nothing of it is kept")
        return Protection(title, translate("ThreeStates", "No disk"), detail, "disk", "muted")
    detail = (
        translate("ThreeStates", "Its host reads its disk, unless the guest itself encrypts it")
        if instance.cloud == "libvirt"
        else translate("ThreeStates", "No key of yours holds its disk; its cloud may encrypt it with keys of its own")
    )
    return Protection(title, translate("ThreeStates", "By no key of yours"), detail, "unlock", "warning")


def _in_transit(instance: Instance, known: Known) -> Protection:
    title = translate("ThreeStates", "In transit")
    if instance.emulated and instance.confidential:
        detail = (
            translate("ThreeStates", "Keys reach the guest sealed to the key in its attestation report")
            if instance.technology is Technology.SEV_SNP
            else translate("ThreeStates", "Keys reach the guest by LAUNCH_SECRET, after its launch measurement")
        )
        verdict, icon, role = translate("ThreeStates", "Sealed to the guest"), "key", "confidential"
    elif not instance.emulated and not known.asked:
        detail = translate("ThreeStates", "Whether it is sent a key is being looked up")
        verdict, icon, role = translate("ThreeStates", "Not known yet"), "key", "muted"
    elif instance.emulated or known.key_ref:
        detail = (
            translate("ThreeStates", "The hypervisor itself hands the disk's key to the guest")
            if instance.emulated
            else translate("ThreeStates", "For each start its host is given the disk's key, and QEMU keeps it in RAM")
        )
        verdict, icon, role = translate("ThreeStates", "Seen by the host"), "unlock", "warning"
    else:
        detail = translate("ThreeStates", "The console sends this guest no key")
        verdict, icon, role = translate("ThreeStates", "No key is sent"), "key", "muted"
    return Protection(title, verdict, f"{detail}. {_proof(instance, known)}", icon, role)


def _proof(instance: Instance, known: Known) -> str:
    if not instance.confidential:
        return translate("ThreeStates", "A plain VM proves nothing of its launch")
    if known.launch is None:
        return translate("ThreeStates", "None of its evidence has been verified") if known.asked else ""
    text = (
        translate("ThreeStates", "Its evidence was verified at {when} and is trusted")
        if known.launch.trusted
        else translate("ThreeStates", "Its evidence was verified at {when} and is not trusted")
    )
    return text.format(when=moment(known.launch.at))


def _in_use(instance: Instance) -> Protection:
    title = translate("ThreeStates", "In use")
    if instance.state in (InstanceState.STOPPED, InstanceState.CRASHED):
        detail = (
            translate("ThreeStates", "There is no memory to protect; the next start launches and measures again")
            if instance.confidential
            else translate("ThreeStates", "There is no memory now; once it runs, the host can read all of it")
        )
        return Protection(title, translate("ThreeStates", "Not running"), detail, "stop", "muted")
    if not instance.confidential:
        detail = translate("ThreeStates", "Memory is plain: whoever controls the host reads all of it")
        return Protection(title, translate("ThreeStates", "Not encrypted"), detail, "unlock", "danger")
    detail = (
        translate("ThreeStates", "Memory is encrypted by an emulated {technology}; its key stays in the processor")
        if instance.emulated
        else translate("ThreeStates", "Memory is encrypted by {technology}; its key stays in the processor")
    ).format(technology=technology_word(instance.technology))
    return Protection(title, translate("ThreeStates", "Encrypted"), detail, "lock", "confidential")


class _Card(QFrame):
    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._mark = QLabel()
        self._title = QLabel()
        self._title.setProperty("kind", "muted")
        self._verdict = QLabel()
        self._verdict.setProperty("kind", "heading")
        self._detail = QLabel()
        self._detail.setProperty("kind", "muted")
        self._detail.setWordWrap(True)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        head = QHBoxLayout()
        head.setSpacing(UNIT)
        head.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._title)
        words.addWidget(self._verdict)
        head.addLayout(words, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT + 4, UNIT + 2, UNIT + 4, UNIT + 2)
        rows.setSpacing(UNIT // 2)
        rows.addLayout(head)
        rows.addWidget(self._detail, 1)
        self._rows = rows
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def add_link(self, link: QPushButton) -> None:
        self._rows.addWidget(link, 0, Qt.AlignmentFlag.AlignLeft)

    def show_protection(self, protection: Protection) -> None:
        self._mark.setPixmap(role_pixmap(protection.icon, protection.role, 24, self.devicePixelRatioF()))
        self._title.setText(protection.title)
        self._verdict.setText(protection.verdict)
        self._detail.setText(protection.detail)
        self.setAccessibleName(f"{protection.title}: {protection.verdict}. {protection.detail}")


class ThreeStates(QWidget):
    """Three cards joined by arrows."""

    memory_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("three-states")
        self._instance: Instance | None = None
        self._known = NOTHING
        self._cards = (_Card(), _Card(), _Card())
        self._arrows = (QLabel(), QLabel())
        look = QPushButton(translate("ThreeStates", "What the host can read"))
        look.setProperty("kind", "link")
        look.clicked.connect(self.memory_wanted)
        self._cards[-1].add_link(look)
        row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT // 2)
        self._row = row
        for at, card in enumerate(self._cards):
            if at:
                row.addWidget(self._arrows[at - 1], 0, Qt.AlignmentFlag.AlignVCenter)
            row.addWidget(card, 1)
        theme_controller().changed.connect(self._draw)

    def set_stacked(self, on: bool) -> None:
        """One card below the other, for a narrow page."""
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if on else QBoxLayout.Direction.LeftToRight)
        for arrow in self._arrows:
            arrow.setHidden(on)

    def show_instance(self, instance: Instance) -> None:
        if self._instance is None or self._instance.id != instance.id:
            self._known = NOTHING
        self._instance = instance
        self._draw()

    def show_known(self, known: Known) -> None:
        """Of the instance that is shown."""
        self._known = known
        self._draw()

    def _draw(self) -> None:
        if self._instance is None:
            return
        for arrow in self._arrows:
            arrow.setPixmap(role_pixmap("arrow", "muted", 16, self.devicePixelRatioF()))
        for card, protection in zip(self._cards, protections(self._instance, self._known), strict=True):
            card.show_protection(protection)
