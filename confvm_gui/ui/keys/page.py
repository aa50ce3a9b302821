"""The page `Keys`: all keys of all stores, the one that is selected, and a new one.

Object names for tests and the tour: `keys-page`, `keys-new`, `keys-look`, `keys-where`, `keys-list`, `keys-denied`,
`keys-problems`, and those of `create_form`, `places_form`, `detail` and `ending`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence

from PySide6.QtCore import QItemSelection, Signal
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QSplitter, QStackedWidget, QWidget

from confvm_gui.domain.errors import ConfvmError, NeedsApproval, Unsupported
from confvm_gui.domain.keys import KeyInfo
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.keys import KeyListing, Keys
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.empty_state import EmptyState
from confvm_gui.ui.guardrails.compliance_tab import quiet_table
from confvm_gui.ui.icons import bind_icon
from confvm_gui.ui.keys.create_form import KeyForm
from confvm_gui.ui.keys.detail import KeyDetail
from confvm_gui.ui.keys.places_form import PlacesForm
from confvm_gui.ui.models.key_words import store_word
from confvm_gui.ui.models.keys_model import KeysModel
from confvm_gui.ui.rights import reason_against
from confvm_gui.ui.theme import UNIT
from confvm_gui.ui.wizard.looks import SPACING, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import column, scrolled

_SHOWN_COLUMNS = (0, 1, 2, 7)
"""The rest stands in the detail."""
_LOOK, _CHANGE = "look for keys", "change a key"
_TOKENS = "pkcs11"
_Outcome = tuple[str, Tone]


class KeysPage(QWidget):
    """Emits `problem` with a sentence for what went wrong."""

    problem = Signal(str)

    def __init__(self, session: FleetSession, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("keys-page")
        self._session = session
        self._keys = keys
        self._tasks = TaskKeeper("keys", self.problem.emit)
        self._subscriptions = Subscriptions()
        self._listing = KeyListing((), (), {})
        self._wanted = ""
        self._looked = False
        self._cannot: dict[tuple[str, str], str] = {}
        """Why a store cannot do an action with a key, as it said when it was asked."""
        body = QWidget(self)
        body.setObjectName("scrolled")
        rows = column(body, margin=UNIT * 2, spacing=SPACING + 4)
        rows.addLayout(self._build_head(body))
        about = self.tr(
            "Each disk is encrypted under a key of its own, and that key is stored only wrapped by one of these. "
            "Whoever ends a key ends the data that it holds."
        )
        rows.addWidget(ToneLabel(about, Tone.MUTED, body))
        self._denied = Note("", Tone.MUTED, body)
        self._denied.setObjectName("keys-denied")
        rows.addWidget(self._denied)
        self.form = KeyForm(keys, self._tasks, body)
        self.form.made.connect(self._made)
        self.form.cancelled.connect(self.form.hide)
        self.form.hide()
        rows.addWidget(self.form)
        self.places = PlacesForm(keys.places, body) if keys.places is not None else None
        if self.places is not None:
            self.places.saved.connect(self._places_saved)
            self.places.cancelled.connect(self.places.hide)
            self.places.hide()
            rows.addWidget(self.places)
        self._problem_note = Note("", Tone.WARNING, body)
        self._problem_note.setObjectName("keys-problems")
        self._problem_note.hide()
        rows.addWidget(self._problem_note)
        rows.addWidget(self._build_list(body), 1)
        scrolled(body, self)
        self._subscriptions.add(keys.changes, lambda _: self.refresh())
        self._subscriptions.add(session.access.changes, lambda _: self._show_all())
        self._show_all()

    async def aclose(self) -> None:
        """Stop listening, and what runs."""
        self._subscriptions.clear()
        await self._tasks.aclose()

    @property
    def busy(self) -> bool:
        """Whether keys are looked for, made or changed."""
        return self._tasks.is_running(_LOOK) or self._tasks.is_running(_CHANGE) or self.form.busy

    @property
    def denied(self) -> str:
        """Why nothing can be changed here; "" where it can."""
        return reason_against(self._session, Permission.MANAGE_KEYS)

    @property
    def problems(self) -> str:
        """What stores said that could not be asked."""
        return self._problem_note.text()

    def refresh(self) -> None:
        """Look for keys again, except in a store that refused before: it might ask a person for a PIN again."""
        self._look(without={scheme for scheme in self._listing.problems if scheme == _TOKENS})

    def look_everywhere(self) -> None:
        """Look for keys in all stores, also in those that refused before."""
        self._look(without=set())

    def select(self, key_ref: str) -> None:
        """Show the key as soon as it is known."""
        self._wanted = key_ref
        row = self.model.row_of(key_ref)
        if row is not None:
            self.table.selectRow(row)

    # Building

    def _build_head(self, parent: QWidget) -> QHBoxLayout:
        self._look_button = self._head_button("keys-look", self.tr("Look &again"), "retry", self.look_everywhere)
        self._where = self._head_button("keys-where", self.tr("&Places …"), "search", self._show_places)
        self.new = self._head_button("keys-new", self.tr("&New key …"), "add", self._show_form)
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(heading(self.tr("Keys"), parent, 1.5))
        row.addStretch(1)
        for button in (self._look_button, self._where, self.new):
            row.addWidget(button)
        return row

    def _head_button(self, name: str, text: str, icon: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        bind_icon(button, icon)
        button.clicked.connect(lambda _checked=False: act())
        return button

    def _build_list(self, parent: QWidget) -> QWidget:
        self._stack = QStackedWidget(parent)
        self._empty = EmptyState("key", "", "")
        self._stack.addWidget(self._empty)
        both = QSplitter(self._stack)
        both.setChildrenCollapsible(False)
        self.model = KeysModel(self)
        self.table = quiet_table("keys-list", self.tr("Keys"), both)
        self.table.setModel(self.model)
        for at in range(self.model.columnCount()):
            self.table.setColumnHidden(at, at not in _SHOWN_COLUMNS)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setMinimumSize(360, 180)
        self.table.selectionModel().selectionChanged.connect(self._on_selected)
        self.detail = KeyDetail(both)
        self.detail.act_wanted.connect(self._act)
        self.detail.rewrap_wanted.connect(self._rewrap)
        self.detail.destroy_wanted.connect(self._destroy)
        right = QWidget(both)
        inside = column(right)
        inside.addWidget(self.detail)
        inside.addStretch(1)
        right.setMinimumWidth(400)
        both.addWidget(self.table)
        both.addWidget(right)
        both.setStretchFactor(0, 11)
        both.setStretchFactor(1, 10)
        both.setHandleWidth(SPACING * 2)
        both.setSizes([11_000, 10_000])  # shares, whatever the width
        self._stack.addWidget(both)
        return self._stack

    # Showing

    def _look(self, without: set[str]) -> None:
        places = self._keys.places
        if places is not None and not places.module:
            without = {*without, _TOKENS}  # there is nothing to ask, and nothing wrong with that
        before = {scheme: text for scheme, text in self._listing.problems.items() if scheme in without}

        def done(listing: KeyListing) -> None:
            self._looked = True
            problems = {**before, **listing.problems}
            uses = tuple(sorted(listing.uses, key=lambda use: use.instance_name))
            self._listing = KeyListing(listing.keys, uses, problems)
            self._show_all()

        self._tasks.start(_LOOK, self._keys.listing(without=without), on_done=done, on_error=self._look_failed)
        self._show_all()

    def _look_failed(self, message: str) -> None:
        self._looked = True
        self._show_all()
        self.problem.emit(message)

    def _show_all(self) -> None:
        denied = self.denied
        self._denied.show_text(denied)
        self.new.setEnabled(not denied)
        self.new.setToolTip(denied)
        if denied:
            self.form.hide()
        elsewhere = reason_against(self._session, Permission.CHANGE_SETTINGS)
        self._where.setVisible(self.places is not None)
        self._where.setEnabled(not elsewhere)
        self._where.setToolTip(elsewhere)
        looking = self._tasks.is_running(_LOOK)
        self._look_button.setEnabled(not looking)
        listing = self._listing
        self._problem_note.show_text(
            "\n".join(f"{store_word(scheme)}: {text}" for scheme, text in sorted(listing.problems.items()))
        )
        self.model.show_listing(listing)
        self._stack.setCurrentIndex(1 if listing.keys else 0)
        if looking and not self._looked:
            self._empty.set_texts(self.tr("Looking for keys …"), "")
        else:
            text = self.tr("The first instance with records makes one on this computer. New key makes one anywhere.")
            self._empty.set_texts(self.tr("No key yet"), text)
        if self.model.row_of(self._wanted) is None and listing.keys and not looking:
            self._wanted = listing.keys[0].ref
        self.select(self._wanted)
        self._show_detail()

    def _show_detail(self) -> None:
        row = self.model.row_of(self._wanted)
        self.detail.setVisible(row is not None)
        if row is None:
            return
        info = self.model.info(row)
        self.detail.show_key(
            info,
            self._listing.uses_of(info.ref),
            [other for other in self._listing.keys if all(use.instance_id for use in self._listing.uses_of(other.ref))],
            allowed=not self.denied,
            busy=self._tasks.is_running(_CHANGE),
            cannot={action: why for (ref, action), why in self._cannot.items() if ref == info.ref},
        )

    def _on_selected(self, selected: QItemSelection, _before: QItemSelection) -> None:
        indexes = selected.indexes()
        if indexes:
            self._wanted = self.model.info(indexes[0].row()).ref
            self._show_detail()

    def _show_form(self) -> None:
        if self.places is not None:
            self.places.hide()
        self.form.begin()

    def _show_places(self) -> None:
        if self.places is not None:
            self.form.hide()
            self.places.begin()

    def _places_saved(self) -> None:
        if self.places is not None:
            self.places.hide()
        self._cannot.clear()
        self.look_everywhere()

    def _made(self, key_ref: str) -> None:
        self.form.hide()
        self._wanted = key_ref
        self.look_everywhere()

    # Doing

    def _act(self, key_ref: str, action: str) -> None:
        acts: dict[str, Callable[[str], Awaitable[KeyInfo]]] = {
            "rotate": self._keys.rotate,
            "disable": self._keys.disable,
            "enable": self._keys.enable,
            "restore": self._keys.restore,
        }
        self._start(key_ref, self._do(key_ref, action, acts[action]))

    async def _do(self, key_ref: str, action: str, act: Callable[[str], Awaitable[KeyInfo]]) -> _Outcome:
        try:
            await act(key_ref)
        except Unsupported as error:
            self._cannot[key_ref, action] = error.message
            return "", Tone.GOOD  # the button gives way to the reason
        said = {
            "rotate": self.tr(
                "A new version wraps from now on. What it holds stays as it is until it is wrapped anew."
            ),
            "disable": self.tr("Nothing can be wrapped or unwrapped by it now."),
            "enable": self.tr("It can be used again."),
            "restore": self.tr("It is not destroyed. Enable it to use it again."),
        }
        return said[action], Tone.GOOD

    def _rewrap(self, key_ref: str, target: str) -> None:
        self._start(key_ref, self._do_rewrap(key_ref, target))

    async def _do_rewrap(self, key_ref: str, target: str) -> _Outcome:
        result = await self._keys.rewrap(key_ref, target)
        if result.failed:
            told = "\n".join(f"{name}: {why}" for name, why in result.failed.items())
            return self.tr("Some stay as they were:\n{0}").format(told), Tone.WARNING
        return self.tr("%n key(s) wrapped anew", "", len(result.done)), Tone.GOOD

    def _destroy(self, key_ref: str, days: float, lose: Sequence[str]) -> None:
        self._start(key_ref, self._do_destroy(key_ref, days, lose))

    async def _do_destroy(self, key_ref: str, days: float, lose: Sequence[str]) -> _Outcome:
        try:
            await self._keys.destroy(key_ref, after_seconds=days * 86400, lose=lose)
        except NeedsApproval as error:
            return error.message, Tone.WARNING
        return "", Tone.GOOD  # its state says it

    def _start(self, key_ref: str, work: Coroutine[object, object, _Outcome]) -> None:
        if self._tasks.is_running(_CHANGE):  # one is not broken off halfway by the next
            work.close()
            return

        async def told() -> _Outcome:
            try:
                return await work
            except ConfvmError as error:
                return error.message, Tone.BAD

        def done(outcome: _Outcome) -> None:
            if self.detail.key_ref == key_ref:
                self.detail.tell(*outcome)
            self.refresh()

        self.detail.tell("", Tone.MUTED)
        self._tasks.start(_CHANGE, told(), on_done=done)
        self._show_detail()
