"""The New instance wizard.

Six pages (Where, Machine, Image, Confidential, Data, Review) write to one `Draft`. The window is not modal and never
runs a loop of its own: `open()` shows it; `submitted` carries the finished `LaunchRequest`. It then waits, all input
kept, until whoever accepted the request calls `accepted_request()`, which closes it, or `refuse(error)`, which shows
the error at its field. Pages are built when they are first visited, so that opening costs one page.

Object names, for tests and the tour (`findChild`; pages other than the first exist once visited):

    wizard.steps            list of pages        wizard.reason           why Next or Create is disabled
    wizard.back .next .create .cancel            wizard.discard .keepEditing (after Escape or Cancel with input)
    Where         wizard.name .nameError .useSuggestion .provider .cloud .regionSearch
                  .region (QListView on a ChoiceModel: `index_of(key)`) .map .zone .regionError
    Machine       wizard.machineSearch .series .machineType (QTableView on a MachineTable: `index_of(name)`)
                  .machineDetail .machineError
    Image         wizard.imageSearch .image (QListView on a ChoiceModel) .imageDetail .imageError
    Confidential  wizard.confidential (checkbox) .technology (group) .technology.sev .technology.sev-es
                  .technology.sev-snp … .technologyError .forced .forcedList .apply .keepPlain
                  .secureBoot .vtpm .integrityMonitoring .shieldedNote
    Data          wizard.useSample .useFile .noRecords .records (path) .browse .recordsStatus .preview
                  .indexColumn .labelColumn .diskKey .keyProtection
    Review        wizard.headline .summary.where … .forcedApplied .labels .labelsError .exports
                  .export.gcloud .export.rest .copy.gcloud .copy.rest .saveRequest
                  .guard .guardState .guardFixes .applyFix .guardKeys .guardChange.FIELD

Keys: Alt+Right and Alt+Left go on and back, Enter is Next, Ctrl+Enter creates, Escape cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.domain.ports.provider import LearnsAbilities
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.on_screen import fitting
from confvm_gui.ui.wizard.draft import Draft, Step
from confvm_gui.ui.wizard.guarding import Guarding
from confvm_gui.ui.wizard.looks import SPACING, Note, Tone, ToneLabel, heading
from confvm_gui.ui.wizard.page import WizardPage
from confvm_gui.ui.wizard.session import Inspect, WizardSession
from confvm_gui.ui.wizard.steps import StepList, StepModel, StepState
from confvm_gui.ui.wizard.where_page import WherePage

_LEARN = "learn what the host offers"


class LaunchWizard(QDialog):
    """See the module. `inspect` and `sample` default to those of `fleet.records`."""

    submitted = Signal(object)
    """The finished `LaunchRequest`."""
    cancelled = Signal()

    def __init__(
        self,
        session: WizardSession,
        parent: QWidget | None = None,
        *,
        inspect: Inspect | None = None,
        sample: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("wizard")
        self.setWindowTitle(self.tr("New instance"))
        self.setModal(False)
        self.setMinimumSize(880, 560)
        if inspect is None:
            from confvm_gui.fleet.records import SAMPLE_RECORDS, inspect_records

            inspect = inspect_records
            sample = sample or SAMPLE_RECORDS
        self._inspect: Inspect = inspect
        self.draft = Draft(session, sample, self)
        self._tasks = TaskKeeper("wizard", self.draft.records_failed)
        self.guarding = Guarding(self.draft, session.guard, session.keys, self._tasks, self)
        self.guarding.changed.connect(self._guarding_changed)
        self._subscriptions = Subscriptions()
        self._pages: dict[Step, WizardPage] = {}
        self._visited: set[Step] = {Step.WHERE}
        self._current = Step.WHERE
        self._busy = False
        self._over = False
        self._leaving = False
        self._close_images: Callable[[], None] = lambda: None
        self._learning = ""
        """Provider whose abilities are waited for."""
        self._build()
        self._shortcuts()
        self.draft.changed.connect(self._show_state)
        self._subscriptions.add(session.inventory.changes, lambda _change: self.draft.recheck())
        self.go_to(Step.WHERE)

    # From outside

    def open(self) -> None:
        """Show the window beside the others; returns at once."""
        if self.isVisible():
            self.raise_()
        else:
            self.show()
        self.activateWindow()
        self.page(Step.WHERE).first_field().setFocus(Qt.FocusReason.ActiveWindowFocusReason)

    def accepted_request(self) -> None:
        """The request was accepted and is on disk: close."""
        self._busy = False
        self._finish()

    def refuse(self, error: ConfvmError) -> None:
        """The request was not accepted: show `error` where it belongs and let the person go on."""
        self._busy = False
        step = self.draft.complain(error)
        if step is not self._current:
            self.go_to(step)
        self._show_state()

    async def aclose(self) -> None:
        """Close and await what runs for it."""
        self._finish()
        await self._tasks.aclose()

    def page(self, step: Step) -> WizardPage:
        """The page, built now if it was not yet."""
        page = self._pages.get(step)
        if page is None:
            page = self._make(step)
            self._pages[step] = page
            self._stack.addWidget(page)
        return page

    def current_step(self) -> Step:
        return self._current

    def go_to(self, step: Step) -> None:
        """Make `step` the current page."""
        self._current = step
        self._visited.add(step)
        page = self.page(step)
        self._title.setText(page.title())
        self._subtitle.setText(page.subtitle())
        self._stack.setCurrentWidget(page)
        page.enter()
        self._steps.setCurrentIndex(self._step_model.index(int(step), 0))
        self._show_state()
        if self.isVisible():
            page.first_field().setFocus(Qt.FocusReason.OtherFocusReason)

    def sizeHint(self) -> QSize:
        return fitting(QSize(1180, 760), self.screen())

    # Building

    def _build(self) -> None:
        titles = {
            Step.WHERE: self.tr("Where"),
            Step.MACHINE: self.tr("Machine"),
            Step.IMAGE: self.tr("Image"),
            Step.CONFIDENTIAL: self.tr("Confidential"),
            Step.DATA: self.tr("Data"),
            Step.REVIEW: self.tr("Review"),
        }
        self._step_model = StepModel(titles, self)
        side = QFrame(self)
        side.setProperty("kind", "rail")
        side.setFixedWidth(212)
        self._steps = StepList(self._step_model, side)
        self._steps.setObjectName("wizard.steps")
        self._steps.setAccessibleName(self.tr("Steps"))
        self._steps.wanted.connect(self._on_step_wanted)
        side_layout = QVBoxLayout(side)
        side_layout.setContentsMargins(6, 18, 6, 12)
        side_layout.setSpacing(12)
        name = heading(self.tr("New instance"), side, 1.15)
        name.setContentsMargins(10, 0, 0, 0)
        side_layout.addWidget(name)
        side_layout.addWidget(self._steps)
        side_layout.addStretch(1)

        main = QWidget(self)
        main_layout = QVBoxLayout(main)
        main_layout.setContentsMargins(20, 16, 20, 14)
        main_layout.setSpacing(SPACING + 2)
        self._title = heading("", main, 1.5)
        self._subtitle = ToneLabel("", Tone.MUTED, main)
        self._stack = QStackedWidget(main)
        main_layout.addWidget(self._title)
        main_layout.addWidget(self._subtitle)
        main_layout.addWidget(self._stack, 1)
        main_layout.addWidget(self._build_leave_bar(main))
        main_layout.addLayout(self._build_buttons(main))

        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side)
        layout.addWidget(main, 1)

    def _build_leave_bar(self, parent: QWidget) -> QWidget:
        self._leave_bar = QFrame(parent)
        self._leave_bar.setProperty("banner", "warning")
        row = QHBoxLayout(self._leave_bar)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(
            Note(self.tr("Discard what you have entered?"), Tone.WARNING, self._leave_bar),
            1,
            Qt.AlignmentFlag.AlignVCenter,
        )
        self._discard = self._button(self.tr("&Discard"), "wizard.discard", self._finish_cancelled)
        self._keep = self._button(self.tr("&Keep editing"), "wizard.keepEditing", self._stay)
        row.addWidget(self._discard)
        row.addWidget(self._keep)
        self._leave_bar.hide()
        return self._leave_bar

    def _build_buttons(self, parent: QWidget) -> QHBoxLayout:
        self._reason = Note("", Tone.WARNING, parent)
        self._reason.setObjectName("wizard.reason")
        self._cancel = self._button(self.tr("Cancel"), "wizard.cancel", self.reject)
        self._back = self._button(self.tr("< &Back"), "wizard.back", self.back)
        self._next = self._button(self.tr("&Next >"), "wizard.next", self.next)
        self._create = self._button(self.tr("C&reate"), "wizard.create", self.create_instance)
        for primary in (self._next, self._create):
            primary.setProperty("kind", "primary")
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self._reason, 1)
        row.addStretch(0)
        for button in (self._cancel, self._back, self._next, self._create):
            row.addWidget(button)
        return row

    def _button(self, text: str, name: str, on_click: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked: on_click())
        return button

    def _shortcuts(self) -> None:
        for keys, action in (
            ("Alt+Right", self.next),
            ("Alt+Left", self.back),
            ("Ctrl+Return", self.create_instance),
            ("Ctrl+Enter", self.create_instance),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(action)

    def _make(self, step: Step) -> WizardPage:
        match step:
            case Step.WHERE:
                return WherePage(self.draft, self._stack)
            case Step.MACHINE:
                from confvm_gui.ui.wizard.machine_page import MachinePage

                return MachinePage(self.draft, self._stack)
            case Step.IMAGE:
                from confvm_gui.ui.wizard.image_page import ImagePage

                images = ImagePage(self.draft, self._tasks, self._stack)
                self._close_images = images.close_subscriptions
                return images
            case Step.CONFIDENTIAL:
                from confvm_gui.ui.wizard.confidential_page import ConfidentialPage

                return ConfidentialPage(self.draft, self._stack)
            case Step.DATA:
                from confvm_gui.ui.wizard.data_page import DataPage

                return DataPage(self.draft, self._inspect, self._tasks, self._stack)
            case Step.REVIEW:
                from confvm_gui.ui.wizard.review_page import ReviewPage

                page = ReviewPage(self.draft, self.guarding, self._stack)
                page.change_wanted.connect(self._on_step_wanted)
                return page

    # Moving

    def next(self) -> None:
        """The next page, if this one is done."""
        if self._current is not Step.REVIEW and not self._busy and not self.draft.problem(self._current):
            self.go_to(Step(self._current + 1))

    def back(self) -> None:
        """The page before; nothing that was entered is lost."""
        if self._current is not Step.WHERE and not self._busy:
            self.go_to(Step(self._current - 1))

    def create_instance(self) -> None:
        """Submit the request, if everything is right and this is the last page."""
        if self._busy or self._current is not Step.REVIEW or self.guarding.denial:
            return
        try:
            request = self.draft.finished()
        except InvalidInput:
            self._show_state()
            return
        self._busy = True
        self._show_state()
        self.submitted.emit(request)

    def reject(self) -> None:
        """Escape, Cancel and the window's close button: ask first when there is something to lose."""
        if self._busy or self._over:
            return
        if self.draft.touched and not self._leaving:
            self._leaving = True
            self._leave_bar.show()
            self._keep.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if self._leaving:
            self._stay()
            return
        self._finish_cancelled()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._over:
            event.accept()  # QDialog's own would reject once more
            return
        event.ignore()
        self.reject()

    def _stay(self) -> None:
        self._leaving = False
        self._leave_bar.hide()
        self.page(self._current).first_field().setFocus(Qt.FocusReason.OtherFocusReason)

    def _finish_cancelled(self) -> None:
        self._finish()
        self.cancelled.emit()

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._subscriptions.clear()
        self.guarding.close()
        self._close_images()
        self._tasks.cancel("check records")
        self._tasks.cancel("image library")
        self._tasks.cancel(_LEARN)
        self.close()

    def _on_step_wanted(self, number: int) -> None:
        step = Step(number)
        if not self._busy and self._reachable(step):
            self.go_to(step)
        else:
            self._steps.setCurrentIndex(self._step_model.index(int(self._current), 0))

    def _reachable(self, step: Step) -> bool:
        return step in self._visited or all(
            earlier in self._visited and not self.draft.problem(earlier) for earlier in Step if earlier < step
        )

    # Showing

    def _show_state(self) -> None:
        draft = self.draft
        self._learn_provider()
        self._subtitle.setText(self.page(self._current).subtitle())
        states: dict[Step, StepState] = {}
        first_problem = ""
        problem_step = self._current
        for step in Step:
            problem = draft.problem(step)
            if problem and not first_problem:
                first_problem, problem_step = problem, step
            if step in self._visited:
                done = StepState.OPEN if step is Step.REVIEW else StepState.DONE
                states[step] = StepState.ATTENTION if problem else done
            else:
                states[step] = StepState.OPEN if self._reachable(step) else StepState.AHEAD
        self._step_model.show_states(states, self._summaries(), self._current)

        last = self._current is Step.REVIEW
        problem = draft.problem(self._current)
        if last and first_problem:
            where = "" if problem_step is self._current else str(self._step_model.index(problem_step, 0).data()) + ": "
            problem = where + first_problem
        elif last:
            problem = self.guarding.denial
        self._back.setEnabled(self._current is not Step.WHERE and not self._busy)
        self._cancel.setEnabled(not self._busy)
        self._next.setVisible(not last)
        self._create.setVisible(last)
        self._next.setEnabled(not problem and not self._busy)
        self._create.setEnabled(not problem and not self._busy)
        self._create.setText(self.tr("Creating …") if self._busy else self.tr("C&reate"))
        default = self._create if last else self._next
        if not default.isDefault():
            default.setDefault(True)
        for button in (self._next, self._create):
            button.setToolTip(problem)
        self._reason.show_text(problem, Tone.WARNING)

    def _guarding_changed(self) -> None:
        if self._current is Step.REVIEW:
            self._show_state()

    def _learn_provider(self) -> None:
        """A host tells what it can do some time after it was connected: look again then."""
        provider = self.draft.provider
        waits = provider is not None and isinstance(provider, LearnsAbilities) and not provider.known
        wanted = provider.name if provider is not None and waits else ""
        if wanted == self._learning:
            return
        self._learning = wanted
        self._tasks.cancel(_LEARN)
        if wanted and provider is not None and isinstance(provider, LearnsAbilities):
            self._tasks.start(_LEARN, provider.learnt(), on_done=lambda _: self.draft.provider_learnt())

    def _summaries(self) -> dict[Step, str]:
        request = self.draft.request
        summary = self.draft.summary
        records = summary.path.name if summary is not None and request.records is not None else ""
        texts = {
            Step.WHERE: self.draft.host_title if self.draft.on_host else request.region,
            Step.MACHINE: request.machine_type,
            Step.IMAGE: request.image,
            Step.CONFIDENTIAL: request.technology.title if request.confidential else self.tr("plain"),
            Step.DATA: records,
            Step.REVIEW: "",
        }
        return {step: text if step in self._visited else "" for step, text in texts.items()}
