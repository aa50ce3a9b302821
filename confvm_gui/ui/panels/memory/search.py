"""Searching RAM for a text or bytes: is my secret readable by the host?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QFontDatabase, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.memory import PageKind, Viewer
from confvm_gui.domain.ports.memory_source import MemorySource
from confvm_gui.fleet.memory.needle import Pattern, hex_patterns, text_patterns
from confvm_gui.fleet.memory.search import SearchProgress, SearchResult, search
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.panels.memory import wording
from confvm_gui.ui.panels.memory.colours import Theme, css
from confvm_gui.ui.panels.memory.hits_model import HitsModel

TEXT, BYTES = "text", "bytes"
TASK = "search"


class SearchField(QLineEdit):
    """Enter searches, Escape goes back to the bytes."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class SearchTab(QWidget):
    """Field, what kind, in which view; progress; what was found and what it proves."""

    jump = Signal(object, object, int)
    """Viewer, GPA and length in bytes of a place that the user chose."""
    hits_changed = Signal(object, object)
    """Viewer and its hits (tuple of Hit), to be marked in the view."""
    started = Signal(object)
    """Viewers whose RAM is searched from now on, for the audit log."""
    finished = Signal()
    """A search has ended with a result for every view asked for."""
    left = Signal()

    def __init__(
        self,
        tasks: TaskKeeper,
        source_of: Callable[[Viewer], MemorySource | None],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._source_of = source_of
        self._theme = theme
        self._results: dict[Viewer, SearchResult] = {}
        self._digits = 8
        self.field = SearchField(self)
        self.field.setObjectName("memory-search-text")
        self.field.setAccessibleName(self.tr("What to search for"))
        self.field.setPlaceholderText(self.tr("A text from your records, a password, a key …"))
        self.field.setClearButtonEnabled(True)
        self.what = QComboBox(self)
        self.what.setAccessibleName(self.tr("How it is written"))
        self.what.addItem(self.tr("Text"), TEXT)
        self.what.addItem(self.tr("Hex bytes"), BYTES)
        self.what.setToolTip(self.tr("Text is searched in UTF-8 and in UTF-16LE"))
        self.where = QComboBox(self)
        self.where.setAccessibleName(self.tr("In which view"))
        self.run = QPushButton(self.tr("Search"), self)
        self.run.setObjectName("memory-search-run")
        self.stop = QPushButton(self.tr("Cancel"), self)
        self.stop.setObjectName("memory-search-cancel")
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setRange(0, 1000)
        self.summary = QLabel(self)
        self.summary.setObjectName("memory-search-summary")
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self.summary.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.model = HitsModel(self)
        self.table = self._make_table()
        self._lay_out()
        self.field.textChanged.connect(self._check)
        self.what.currentIndexChanged.connect(self._check)
        self.field.returnPressed.connect(self.start)
        self.field.left.connect(self.left)
        self.run.clicked.connect(self.start)
        self.stop.clicked.connect(self.cancel)
        self.set_viewers([])
        self._show_running(False)
        self._check()

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("memory-search-hits")
        table.setAccessibleName(self.tr("Places found"))
        table.setModel(self.model)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 5)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        em = table.fontMetrics().horizontalAdvance("0")
        for column, characters in enumerate((len("0x") + self._digits + 3, 14, 14, 11)):
            table.setColumnWidth(column, em * characters)
        table.clicked.connect(self._choose)
        table.activated.connect(self._choose)
        return table

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.addWidget(self.field, 1)
        for widget in (self.what, self.where, self.run, self.stop):
            bar.addWidget(widget)
        below = QGridLayout()
        scroll = QScrollArea(self)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.summary)
        below.addWidget(scroll, 0, 0)
        below.addWidget(self.table, 0, 1)
        below.setColumnStretch(0, 2)
        below.setColumnStretch(1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self.progress)
        layout.addLayout(below, 1)

    # --- what the panel tells it ---

    def set_viewers(self, viewers: Sequence[Viewer], digits: int = 8) -> None:
        """Which views can be searched; what was found before is no longer true."""
        self._tasks.cancel(TASK)
        self._digits = digits
        self.model.set_digits(digits)
        self.where.clear()
        if len(viewers) > 1:
            self.where.addItem(self.tr("Both views"), tuple(viewers))
        for viewer in viewers:
            self.where.addItem(self.tr("{viewer} only").format(viewer=wording.short_name(viewer)), (viewer,))
        self._forget()
        self._show_running(False)
        self._check()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._results:
            self._tell()
        else:
            self._check()

    def result(self, viewer: Viewer) -> SearchResult | None:
        """Of the last search, if it covered this view."""
        return self._results.get(viewer)

    # --- searching ---

    def patterns(self) -> tuple[Pattern, ...]:
        """What is asked for. Raises InvalidInput("search")."""
        text = self.field.text()
        return hex_patterns(text) if self.what.currentData() == BYTES else text_patterns(text)

    def start(self) -> None:
        """Search, if what is typed can be searched for."""
        try:
            patterns = self.patterns()
        except InvalidInput as error:
            self._say_error(error.message)
            return
        viewers = self.where.currentData()
        sources = [source for viewer in viewers or () if (source := self._source_of(viewer)) is not None]
        if not sources:
            return
        self._forget()
        self._show_running(True)
        self.started.emit([source.viewer for source in sources])
        self._tasks.start(TASK, self._search(sources, patterns), on_error=self._failed)

    def search_for(self, data: bytes) -> None:
        """Put `data` into the field as bytes, and search."""
        self.what.setCurrentIndex(self.what.findData(BYTES))
        self.field.setText(data.hex(" "))
        self.start()

    def cancel(self) -> None:
        """Stop searching; what was found by then is shown as incomplete."""
        self._tasks.cancel(TASK)

    def _failed(self, message: str) -> None:
        self._show_running(False)
        self._say_error(message)

    async def _search(self, sources: list[MemorySource], patterns: tuple[Pattern, ...]) -> None:
        completed = False
        try:
            for index, source in enumerate(sources):

                def report(done: SearchProgress, index: int = index) -> None:
                    share = done.searched / max(1, done.total)
                    self.progress.setValue(int((index + share) / len(sources) * 1000))

                result = await search(source, patterns, on_progress=report)
                self._results[source.viewer] = result
                self.model.add(source.viewer, result.hits)
                self.hits_changed.emit(source.viewer, result.hits)
                self._tell()
            completed = True
        finally:
            # Also when cancelled: by then another search may already have put its own state there.
            if completed or not self._tasks.is_running(TASK):
                self._show_running(False)
                if not completed:
                    self._tell(cancelled=True)
        self.finished.emit()

    def _forget(self) -> None:
        self._results = {}
        self.model.clear()
        self.progress.setValue(0)
        self.summary.setText("")
        for viewer in Viewer:
            self.hits_changed.emit(viewer, ())

    # --- words ---

    def _check(self) -> None:
        """Tell what is wrong with the text while it is typed."""
        problem = ""
        if self.field.text():
            try:
                self.patterns()
            except InvalidInput as error:
                problem = error.message
        self.run.setEnabled(bool(self.field.text()) and not problem and self.where.count() > 0)
        self.field.setAccessibleDescription(problem)
        if problem:
            self._say_error(problem)
        elif not self._results:
            self.summary.setText(
                self._quiet(
                    self.tr(
                        "Searches all RAM that the guest has used. Text is searched in UTF-8 and UTF-16LE; "
                        "click a place to go there."
                    )
                )
            )
        else:
            self._tell()

    def _say_error(self, message: str) -> None:
        self.summary.setText(f'<span style="color:{css(self._theme.error)}">{_escaped(message)}</span>')

    def _quiet(self, text: str) -> str:
        return f'<span style="color:{css(self._theme.quiet)}">{_escaped(text)}</span>'

    def _show_running(self, running: bool) -> None:
        self.stop.setEnabled(running)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the table must not jump when a search begins
        self.progress.setSizePolicy(policy)
        self.progress.setVisible(running)

    def _tell(self, *, cancelled: bool = False) -> None:
        paragraphs = [self._verdict(), *(self._sentence(result) for result in self._results.values())]
        skipped = max((result.skipped for result in self._results.values()), default=0)
        if skipped:
            words = self.tr("{amount} never used by the guest were not read.").format(amount=wording.size(skipped))
            paragraphs.append(self._quiet(words))
        if cancelled:
            paragraphs.append(self._quiet(self.tr("Cancelled: RAM was not searched to the end.")))
        self.summary.setText(
            "".join(f'<p style="margin:0 0 3px 0">{paragraph}</p>' for paragraph in paragraphs if paragraph)
        )

    def _verdict(self) -> str:
        """What both results mean together, where they mean something."""
        guest, host = self._results.get(Viewer.GUEST), self._results.get(Viewer.HYPERVISOR)
        if guest is None or host is None:
            return ""
        if host.count and not host.proves_nothing:
            return self._loud(self.tr("The host can read it."), self._theme.error)
        if guest.count and not host.count:
            return self._loud(self.tr("The guest has it; the host cannot read it."), self._theme.good)
        if not guest.count and not host.count:
            return self._loud(self.tr("Nowhere in the memory that the guest has used."), None)
        return ""

    def _loud(self, words: str, colour: int | None) -> str:
        style = "" if colour is None else f' style="color:{css(colour)}"'
        return f"<b{style}>{_escaped(words)}</b>"

    def _sentence(self, result: SearchResult) -> str:
        amount, who = wording.size(result.searched), wording.short_name(result.viewer)
        if result.count:
            one, many = self.tr("1 place in {amount}"), self.tr("{count} places in {amount}")
            found = (one if result.count == 1 else many).format(count=wording.number(result.count), amount=amount)
        else:
            found = self.tr("not found in {amount}").format(amount=amount)
        words = f"{_escaped(who)}: <b>{_escaped(found)}</b>."
        if len(result.hits) < result.count:
            listed = self.tr("The first {count} are listed.").format(count=wording.number(len(result.hits)))
            words += f" {_escaped(listed)}"
        if result.count:
            kinds = ", ".join(f"{wording.kind_label(kind)} {wording.number(count)}" for kind, count in result.counts)
            if len(result.counts) == 1:
                kinds = wording.kind_label(result.counts[0][0])
            words += " " + _escaped(self.tr("Pages: {kinds}.").format(kinds=kinds))
        return words + self._chance(result)

    def _chance(self, result: SearchResult) -> str:
        expected = result.expected_by_chance
        if expected < 1e-6:
            return ""
        about = wording.decimal(expected, 1) if expected >= 0.1 else f"{expected:.1g}"
        if result.proves_nothing and dict(result.counts).keys() <= {PageKind.CIPHERTEXT, PageKind.UNTOUCHED}:
            words = self.tr(
                "This proves nothing: so many random bytes hold it about {about} times by chance. "
                "Search for something longer."
            ).format(about=about)
            return f' <span style="color:{css(self._theme.error)}">{_escaped(words)}</span>'
        words = self.tr("By chance, as many random bytes would hold it about {about} times.").format(about=about)
        if result.proves_nothing:
            words += " " + self.tr("Only a longer text proves anything.")
        return f" {_escaped(words)}"

    def _choose(self, index: QModelIndex) -> None:
        viewer, hit = self.model.hit(index.row())
        self.jump.emit(viewer, hit.gpa, len(hit.pattern.data))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
