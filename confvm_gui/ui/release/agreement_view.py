"""An agreement on data of several owners, as one of them meets it: read, signed, a nonce given, his share released.

Object names for tests and the tour: `share-view`, `share-open`, `share-card`, `share-approve`, `share-nonce`,
`share-release`, `share-save`, `share-said`, `share-given`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QPushButton, QStackedWidget, QWidget

from confvm_gui.domain.roles import Permission
from confvm_gui.domain.sealed_set import MOST_CIPHERTEXT, SealedSet
from confvm_gui.domain.shared_data import MOST_AGREEMENT, Agreement, ReleaseRequest
from confvm_gui.fleet.attest.evidence_files import read_file
from confvm_gui.fleet.release.examination import Release
from confvm_gui.fleet.release.sharing import DataSharing
from confvm_gui.fleet.session import FleetSession
from confvm_gui.fleet.whole_file import write_whole
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.text import breakable
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import SPACING, Card, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, scrolled

_Result = TypeVar("_Result")
_WORK = "agreement"
_SET_MAGIC = b"CVSEALD1"
_MOST_FILE = MOST_CIPHERTEXT + (1 << 20)


class AgreementView(QWidget):
    """Emits `problem` with a sentence for what went wrong before an agreement is shown."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, sharing: DataSharing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("share-view")
        self._session = session
        self._sharing = sharing
        self._tasks = TaskKeeper("shared data", self.problem.emit)
        self._subscriptions = Subscriptions()
        self.agreement: Agreement | None = None
        self._release: Release | None = None
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=UNIT * 2, spacing=SPACING + 4)
        head = QHBoxLayout()
        head.addWidget(heading(self.tr("Data of several owners"), body, 1.5))
        head.addStretch(1)
        self.open = self._button("share-open", self.tr("&Open an agreement …"), self.ask_open, body)
        bind_icon(self.open, "add")
        head.addWidget(self.open)
        rows.addLayout(head)
        about = self.tr(
            "Owners seal their data so that only a guest which all of them approved opens it: no owner alone, no other "
            "guest, not the host. What they exchange are files, none of them secret."
        )
        rows.addWidget(ToneLabel(about, Tone.MUTED, body))
        self.said = Note("", Tone.BAD, body)
        self.said.setObjectName("share-said")
        self.said.hide()
        rows.addWidget(self.said)
        self._stack = QStackedWidget(body)
        how = self.tr("Cards, sealed data and agreements are made with `confvm share`; Help tells how, step by step.")
        self._stack.addWidget(EmptyState("key", self.tr("No agreement is open"), how))
        self._stack.addWidget(self._build_card())
        rows.addWidget(self._stack, 1)
        scrolled(body, self)
        self._subscriptions.add(session.access.changes, lambda _: self._show_rights())
        self._show_rights()

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        await self._tasks.aclose()

    # Building

    def _button(self, name: str, text: str, do: Callable[[], object], parent: QWidget) -> QPushButton:
        button = QPushButton(text, parent)
        button.setObjectName(name)
        button.clicked.connect(lambda _: do())
        return button

    def _build_card(self) -> QWidget:
        self.card = Card(self)
        self.card.setObjectName("share-card")
        self._title = heading("", self.card, 1.15)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(SPACING * 2)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        self._values: list[tuple[ToneLabel, ToneLabel]] = []
        self.approve = self._button("share-approve", self.tr("&Approve and save …"), self.ask_approve, self.card)
        self.nonce = self._button("share-nonce", self.tr("Give a &nonce"), self.give_nonce, self.card)
        self.release = self._button("share-release", self.tr("&Release to a guest …"), self.ask_release, self.card)
        self.save = self._button("share-save", self.tr("&Save the release …"), self.ask_save, self.card)
        self.save.setProperty("kind", "primary")
        self.save.hide()
        self.given = ToneLabel("", Tone.PLAIN, self.card)
        self.given.setObjectName("share-given")
        self.given.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QHBoxLayout()
        buttons.setSpacing(SPACING)
        for button in (self.approve, self.nonce, self.release, self.save):
            buttons.addWidget(button)
        buttons.addStretch(1)
        inside = column(self.card, margin=14, spacing=SPACING)
        inside.addWidget(self._title)
        inside.addLayout(self._facts)
        inside.addLayout(buttons)
        inside.addWidget(self.given)
        page = QWidget(self)
        column(page, margin=0, spacing=0).addWidget(self.card, 0, Qt.AlignmentFlag.AlignTop)
        return page

    # Doing

    def ask_open(self) -> QFileDialog:
        return self._choose(self.tr("Open an agreement"), lambda paths: self.take(paths[0]))

    def take(self, path: Path) -> None:
        """Show the agreement in this file."""

        def read() -> Agreement:
            return Agreement.decode(read_file(path, "agreement", MOST_AGREEMENT))

        self._start(asyncio.to_thread(read), self._show)

    def ask_approve(self) -> QFileDialog:
        return self._choose(self.tr("Save the approved agreement"), lambda paths: self.approve_to(paths[0]), save=True)

    def approve_to(self, path: Path) -> None:
        """Sign the agreement, and write it."""
        agreement = self.agreement
        if agreement is None:
            return

        async def approve() -> Agreement:
            approved = await self._sharing.approve(agreement)
            await asyncio.to_thread(write_whole, path, [approved.encode()])
            return approved

        self._start(approve(), self._show)

    def give_nonce(self) -> None:
        """Show a nonce for whoever runs the guest."""
        if self.agreement is not None:
            self._start(self._sharing.nonce(self.agreement), lambda nonce: self._show_given(nonce.hex()))

    def ask_release(self) -> QFileDialog:
        title = self.tr("Choose the request and the data sets of all owners")
        return self._choose(title, self.release_to, several=True)

    def release_to(self, paths: Sequence[Path]) -> None:
        """Release this owner's share to the guest of a request; `paths`: the request and the data sets."""
        agreement = self.agreement
        if agreement is None:
            return

        def read() -> tuple[list[SealedSet], list[ReleaseRequest]]:
            files = [read_file(path, "sets", _MOST_FILE) for path in paths]
            sets = [SealedSet.decode(each) for each in files if each.startswith(_SET_MAGIC)]
            return sets, [ReleaseRequest.decode(each) for each in files if not each.startswith(_SET_MAGIC)]

        async def release() -> Release | None:
            sets, requests = await asyncio.to_thread(read)
            return await self._sharing.release(agreement, sets, requests[0]) if len(requests) == 1 else None

        self._start(release(), self._show_release)

    def ask_save(self) -> QFileDialog:
        return self._choose(self.tr("Save the release"), lambda paths: self.save_to(paths[0]), save=True)

    def save_to(self, path: Path) -> None:
        """Write what was released."""
        if self._release is not None:
            write = asyncio.to_thread(write_whole, path, [self._release.sealed])
            self._start(write, lambda _: self._show_given(self.tr("Written to {file}.").format(file=path)))

    def _choose(
        self, title: str, done: Callable[[Sequence[Path]], None], *, save: bool = False, several: bool = False
    ) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if save:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFiles if several else QFileDialog.FileMode.ExistingFile)
        dialog.filesSelected.connect(lambda names: done([Path(name) for name in names]))
        dialog.open()
        return dialog

    def _start(self, work: Coroutine[object, object, _Result], on_done: Callable[[_Result], None]) -> None:
        self.said.show_text("")
        self._tasks.start(_WORK, work, on_done=on_done, on_error=self.said.show_text)

    # Showing

    def _show(self, agreement: Agreement) -> None:
        self.agreement = agreement
        self._release = None
        self._stack.setCurrentIndex(1)
        self._title.setText(breakable(agreement.name))
        facts = self._told(agreement)
        while len(self._values) < len(facts):
            pair = ToneLabel("", Tone.MUTED, self.card), ToneLabel("", Tone.PLAIN, self.card)
            pair[0].setWordWrap(False)
            pair[1].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for at, label in enumerate(pair):
                self._facts.addWidget(label, len(self._values), at, Qt.AlignmentFlag.AlignTop)
            self._values.append(pair)
        for number, pair in enumerate(self._values):
            for at, label in enumerate(pair):
                label.setVisible(number < len(facts))
                label.setText(facts[number][at] if number < len(facts) else "")
        self._show_given("")

    def _told(self, agreement: Agreement) -> list[tuple[str, str]]:
        facts = []
        for owner, signature in zip(agreement.owners, agreement.signatures, strict=True):
            state = self.tr("has approved") if signature else self.tr("has not approved")
            facts.append((self.tr("Owner"), f"{breakable(owner.name)} · {state}\n{breakable(owner.fingerprint)}"))
        conditions = agreement.conditions
        facts.append((self.tr("May ask the guest"), breakable(agreement.owners[agreement.asker].name)))
        facts += [(self.tr("Launch digest"), breakable(each.hex())) for each in conditions.measurements]
        facts.append((self.tr("Policy"), ", ".join(conditions.policies) or self.tr("any without debugging")))
        floors = ", ".join(f"{name} {value}" for name, value in sorted(conditions.minimum.items()))
        facts.append((self.tr("At least"), floors or self.tr("no floor")))
        roots = ", ".join(
            self.tr("{root} (emulated)").format(root=one.name) if one.emulated else one.name for one in conditions.roots
        )
        facts.append((self.tr("Signed below"), roots or self.tr("AMD's own roots")))
        facts.append((self.tr("Agreement"), breakable(agreement.digest.hex())))
        return facts

    def _show_release(self, release: Release | None) -> None:
        if release is None:
            self.said.show_text(self.tr("Choose one request, and the data sets of all owners"))
        elif not release.given:
            self.said.show_text(release.reason)
        else:
            self._release = release
            self._show_given(self.tr("The guest meets what you approved. Your share is sealed to it."))

    def _show_given(self, text: str) -> None:
        self.given.setText(text)  # whole, to be copied
        self.given.setVisible(bool(text))
        self._show_rights()

    def _show_rights(self) -> None:
        keys, operate = (reason_against(self._session, each) for each in (Permission.MANAGE_KEYS, Permission.OPERATE))
        missing = self.agreement is not None and bool(self.agreement.missing)
        waits = self.tr("Not all owners have approved yet") if missing else ""
        for button, reason in (
            (self.approve, keys or ("" if missing else self.tr("All owners have approved"))),
            (self.nonce, operate or waits),
            (self.release, keys or waits),
        ):
            button.setEnabled(not reason)
            button.setToolTip(reason)
        self.save.setVisible(self._release is not None)
