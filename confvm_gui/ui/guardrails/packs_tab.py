"""Packs of rules: those that came with the console and administrators' own, where each is on, and what can be done.

Object names for tests and the tour: `packs-tab`, `packs-list`, `packs-import`, `packs-signed-only`, `packs-message`,
`packs-copy-name`, `packs-copy-make`, and those of `pack_detail`, `switch_form` and `pack_editor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.daemon_thread import in_daemon_thread
from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.policy import Assignment, Mode, Pack
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.guard.shelf import PackProblem, pack_problems, read_pack_text
from confvm_gui.fleet.session import FleetSession
from confvm_gui.policy.pack_file import dump_pack, next_version
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.guardrails.pack_detail import PackDetail
from confvm_gui.ui.guardrails.pack_editor import PackEditor
from confvm_gui.ui.models.compliance_words import mode_word
from confvm_gui.ui.wizard.choices import Badge, Choice, ChoiceModel, choice_view
from confvm_gui.ui.wizard.looks import SPACING, Note, Tone
from confvm_gui.ui.wizard.page import column, field_label, scrolled

_MODE_TONES: Final = {Mode.ENFORCE: Tone.GOOD, Mode.WARN: Tone.WARNING, Mode.OFF: Tone.MUTED}
_LONGEST_NAME: Final = 64


def pack_key(pack: Pack) -> str:
    """`hygiene@1`, as the command line names it too."""
    return f"{pack.name}@{pack.version}"


class PacksTab(QWidget):
    """Everything about packs; what was refused stands in a note above them."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("packs-tab")
        self._session = session
        self._rules = session.guard.rules
        self._tasks = tasks
        self._signatures: dict[str, str] = {}
        self._wanted = ""
        self.model = ChoiceModel(self)
        self.message = Note("", Tone.BAD, self)
        self.message.setObjectName("packs-message")
        self.message.hide()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, SPACING + 4, 0, 0)
        rows.setSpacing(SPACING)
        rows.addWidget(self.message)
        both = QHBoxLayout()
        both.setSpacing(SPACING * 2)
        both.addWidget(self._build_side(), 10)
        both.addWidget(self._build_stack(), 24)
        rows.addLayout(both, 1)

    # Building

    def _build_side(self) -> QWidget:
        side = QWidget(self)
        inside = column(side, spacing=SPACING)
        self.view = choice_view(self.model, side)
        self.view.setObjectName("packs-list")
        self.view.setAccessibleName(self.tr("Packs of rules"))
        self.view.setMinimumSize(QSize(230, 160))
        self.view.selectionModel().currentChanged.connect(self._on_current)
        inside.addWidget(self.view, 1)
        self.copy_box = QWidget(side)
        copy_row = column(self.copy_box, spacing=4)
        self.copy_name = QLineEdit(self.copy_box)
        self.copy_name.setObjectName("packs-copy-name")
        self.copy_name.setMaxLength(_LONGEST_NAME)
        self.copy_name.setPlaceholderText(self.tr("our-rules"))
        self.copy_name.returnPressed.connect(self._copy)
        make = QPushButton(self.tr("&Make the copy"), self.copy_box)
        make.setObjectName("packs-copy-make")
        make.clicked.connect(self._copy)
        copy_row.addWidget(field_label(self.tr("&Name of the copy"), self.copy_name, self.copy_box))
        copy_row.addWidget(self.copy_name)
        copy_row.addWidget(make)
        self.copy_box.hide()
        inside.addWidget(self.copy_box)
        self.importing = QPushButton(self.tr("&Import a pack …"), side)
        self.importing.setObjectName("packs-import")
        self.importing.clicked.connect(self._ask_import)
        inside.addWidget(self.importing)
        self.signed_only = QCheckBox(self.tr("Only signed packs may be on"), side)
        self.signed_only.setObjectName("packs-signed-only")
        self.signed_only.clicked.connect(self._require_signed)
        inside.addWidget(self.signed_only)
        return side

    def _build_stack(self) -> QWidget:
        self._stack = QStackedWidget(self)
        page = QWidget(self._stack)
        body = QWidget(page)
        body.setObjectName("scrolled")
        inside = column(body)
        self.detail = PackDetail(self._session.guard, self._tasks, body)
        self.detail.act_wanted.connect(self._act)
        self.detail.assignments_wanted.connect(self._assign)
        inside.addWidget(self.detail)
        scrolled(body, page)
        self.editor = PackEditor(self._tasks, self._stack)
        self.editor.saved.connect(self._save)
        self.editor.cancelled.connect(self._end_editing)
        self._stack.addWidget(page)
        self._stack.addWidget(self.editor)
        return self._stack

    # Showing

    @property
    def _allowed(self) -> bool:
        return not self._session.readonly and self._session.access.permits(Permission.MANAGE_POLICY)

    def refresh(self) -> None:
        """Show what there is now."""
        if self.isVisible():
            self._tasks.start("packs", self._prepare(), on_done=self._show_packs)

    async def _prepare(self) -> dict[str, str]:
        await self._rules.prepare()
        return {pack_key(pack): await self._rules.signature_of(pack) for pack in self._rules.packs()}

    def _show_packs(self, signatures: dict[str, str]) -> None:
        self._signatures = signatures
        packs = [pack for pack in self._rules.packs() if pack_key(pack) in signatures]
        self.model.set_choices([self._choice(pack) for pack in packs])
        if self._wanted not in signatures:
            self._wanted = pack_key(packs[0]) if packs else ""
        index = self.model.index_of(self._wanted)
        if index.isValid() and index != self.view.currentIndex():
            self.view.setCurrentIndex(index)
        self.importing.setEnabled(self._allowed)
        self.signed_only.setEnabled(self._allowed)
        self.signed_only.setChecked(self._rules.signed_only)
        self._show_detail()

    def _choice(self, pack: Pack) -> Choice:
        modes = {one.mode for one in self._of(pack)}
        badges = [Badge(mode_word(mode), _MODE_TONES[mode]) for mode in Mode if mode in modes]
        if self._signatures[pack_key(pack)] == "bad":
            badges.append(Badge(self.tr("bad signature"), Tone.BAD))
        origin = self.tr("shipped") if pack.shipped else self.tr("own")
        subtitle = self.tr("{0} {1} · %n rule(s) · {2}", "", len(pack.rules)).format(pack.name, pack.version, origin)
        return Choice(pack_key(pack), pack.title, subtitle, tuple(badges))

    def _of(self, pack: Pack) -> list[Assignment]:
        return [one for one in self._rules.assignments() if (one.pack, one.version) == (pack.name, pack.version)]

    def _chosen(self) -> Pack | None:
        return next((pack for pack in self._rules.packs() if pack_key(pack) == self._wanted), None)

    def _show_detail(self) -> None:
        pack = self._chosen()
        if pack is not None:
            providers = [(status.name, status.title) for status in self._session.inventory.providers()]
            signature = self._signatures[pack_key(pack)]
            self.detail.show_pack(pack, self._of(pack), signature, providers, allowed=self._allowed)
            self.detail.buttons["sign"].setVisible(not pack.shipped and self._rules.signer is not None)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        choice = self.model.choice(current)
        if choice is not None and choice.key != self._wanted:
            self._wanted = choice.key
            self.copy_box.hide()
            self._end_editing()
            self._show_detail()

    # Doing

    def _tell(self, message: str, tone: Tone = Tone.BAD) -> None:
        self.message.show_text(message, tone)

    def _took(self, pack: Pack) -> None:
        """A pack is there now: show it."""
        self._wanted = pack_key(pack)
        self._tell("")
        self.copy_box.hide()
        self._end_editing()
        self.refresh()

    def _act(self, action: str) -> None:
        pack = self._chosen()
        if pack is None:
            return
        self._tell("")
        match action:
            case "copy":
                self.copy_box.show()
                self.copy_name.setFocus(Qt.FocusReason.OtherFocusReason)
            case "edit":
                text = dump_pack(next_version(pack, self._rules.packs()))
                self._edit(self.tr("{0}: its next version").format(pack.name), text)
            case "sign":
                work = self._rules.sign_pack(pack.name, pack.version)
                self._tasks.start("sign pack", work, on_done=self._took, on_error=self._tell)
            case "export":
                self._ask_export(pack)
            case "remove":
                try:
                    self._rules.remove_pack(pack.name, pack.version)
                except ConfvmError as error:
                    self._tell(error.message)
                self.refresh()

    def _copy(self) -> None:
        pack = self._chosen()
        if pack is None:
            return
        try:
            self._took(self._rules.copy_pack(pack.name, self.copy_name.text().strip(), pack.version))
        except ConfvmError as error:
            self._tell(error.message)

    def _edit(self, title: str, text: str, problems: Sequence[PackProblem] = ()) -> None:
        self._stack.setCurrentWidget(self.editor)
        self.editor.edit(title, text, problems)

    def _end_editing(self) -> None:
        self._stack.setCurrentIndex(0)

    def _save(self, text: str) -> None:
        try:
            self._took(self._rules.import_pack(text))
        except ConfvmError as error:
            self.editor.refuse([PackProblem(error.message)])

    def _assign(self, mine: Sequence[Assignment]) -> None:
        """Put these in place of what the shown pack had; other packs stay as they are."""
        pack = self._chosen()
        if pack is None:
            return
        kept = [one for one in self._rules.assignments() if (one.pack, one.version) != (pack.name, pack.version)]
        self._tell("")
        self._tasks.start(
            "assign", self._rules.assign([*kept, *mine]), on_done=lambda _: self.refresh(), on_error=self._refused
        )

    def _refused(self, message: str) -> None:
        self._tell(message)
        self.refresh()

    def _require_signed(self, on: bool) -> None:
        try:
            self._rules.require_signed(on)
        except ConfvmError as error:
            self._tell(error.message)
        self.refresh()

    # Files

    def _ask_import(self) -> None:
        dialog = QFileDialog(self, self.tr("Import a pack of rules"))
        dialog.setObjectName("packs-import-dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Packs (*.toml)"), self.tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.import_file(Path(path)))
        dialog.open()

    def import_file(self, path: Path) -> None:
        """Take in the pack in a file; one that is refused opens in the editor with what is wrong."""
        self._tell("")
        work = in_daemon_thread("guardrails-import", lambda _: _read(path))
        self._tasks.start("import pack", work, on_done=lambda found: self._imported(path, *found), on_error=self._tell)

    def _imported(self, path: Path, text: str, problems: Sequence[PackProblem]) -> None:
        if not problems:
            try:
                self._took(self._rules.import_pack(text))
                return
            except ConfvmError as error:
                problems = [PackProblem(error.message)]
        self._edit(self.tr("{0} was not taken in").format(path.name), text, problems)

    def _ask_export(self, pack: Pack) -> None:
        dialog = QFileDialog(self, self.tr("Export the pack"))
        dialog.setObjectName("pack-export-dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Packs (*.toml)")])
        dialog.setDefaultSuffix("toml")
        dialog.selectFile(f"{pack.name}-{pack.version}.toml")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.export_to(pack, Path(path)))
        dialog.open()

    def export_to(self, pack: Pack, path: Path) -> None:
        """Write `pack` to a file."""
        try:
            path.write_text(dump_pack(pack), encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._tell(self.tr("{0} cannot be written: {1}").format(path, reason))
            return
        self._tell(self.tr("The pack was written to {0}.").format(path), Tone.GOOD)


def _read(path: Path) -> tuple[str, Sequence[PackProblem]]:
    """The text of a file and what is wrong with it. Raises InvalidInput("pack")."""
    text = read_pack_text(path)
    return text, pack_problems(text)
