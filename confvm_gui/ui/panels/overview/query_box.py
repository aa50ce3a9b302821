"""Questions to the guest that works on the records, and its answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.ports.provider import Capability
from confvm_gui.domain.query import Query, QueryAnswer, QueryVerb
from confvm_gui.domain.roles import Permission
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.models.text_rows_model import TextRowsModel
from confvm_gui.ui.text import count_text, duration, translate
from confvm_gui.ui.theme import UNIT

_LEARN_AGAIN_MS = 2000
_WITHOUT_COLUMN = (QueryVerb.STATUS, QueryVerb.PREDICT)


def verb_word(verb: QueryVerb) -> str:
    return {
        QueryVerb.COUNT: translate("QueryVerb", "Count rows where"),
        QueryVerb.FIND: translate("QueryVerb", "Find rows where"),
        QueryVerb.PREFIX: translate("QueryVerb", "Rows beginning with"),
        QueryVerb.RANGE: translate("QueryVerb", "Rows in the range"),
        QueryVerb.PREDICT: translate("QueryVerb", "Predict for row no."),
        QueryVerb.STATUS: translate("QueryVerb", "Status of the guest"),
    }[verb]


class QueryBox(QFrame):
    """Verb, column and value; the answer below. Errors appear here, where one is looking."""

    answered = Signal(object)
    """A QueryAnswer came."""

    def __init__(self, session: FleetSession, tasks: TaskKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._instance: Instance | None = None
        self._columns_known = False
        self.setProperty("kind", "card")
        self.setObjectName("query-box")
        self.verb = QComboBox()
        self.verb.setObjectName("query-verb")
        self.verb.setAccessibleName(self.tr("Question"))
        for verb in QueryVerb:
            self.verb.addItem(verb_word(verb), verb)
        self.column = QComboBox()
        self.column.setObjectName("query-column")
        self.column.setAccessibleName(self.tr("Column"))
        self.column.setEditable(True)
        self.column.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        edit = self.column.lineEdit()
        if edit is not None:
            edit.setPlaceholderText(self.tr("column"))
            edit.setAccessibleName(self.tr("Column"))
        self.value = QLineEdit()
        self.value.setObjectName("query-value")
        self.value.setAccessibleName(self.tr("Value"))
        self.upper = QLineEdit()
        self.upper.setObjectName("query-upper")
        self.upper.setAccessibleName(self.tr("Upper end of the range"))
        self.upper.setPlaceholderText(self.tr("to"))
        self.ask = QPushButton(self.tr("Ask"))
        self.ask.setObjectName("query-ask")
        self.ask.setProperty("kind", "primary")
        self.message = QLabel()
        self.message.setObjectName("query-message")
        self.message.setWordWrap(True)
        self._model = TextRowsModel(self)
        self.table = QTableView()
        self.table.setObjectName("query-answer")
        self.table.setAccessibleName(self.tr("Answer"))
        self.table.setModel(self._model)
        self.table.verticalHeader().hide()
        self.table.setMinimumHeight(96)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.verticalHeader().setDefaultSectionSize(26)
        self.table.setShowGrid(False)
        self.table.hide()
        self._note = QLabel()
        self._note.setProperty("kind", "muted")
        self._note.setWordWrap(True)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_LEARN_AGAIN_MS)
        self._again.timeout.connect(self.learn_columns)
        self._lay_out()
        self.verb.currentIndexChanged.connect(self._verb_changed)
        self.ask.clicked.connect(self.send)
        self.value.returnPressed.connect(self.send)
        self.upper.returnPressed.connect(self.send)
        self._verb_changed()

    def _lay_out(self) -> None:
        title = QLabel(self.tr("Ask the guest"))
        title.setProperty("kind", "heading")
        first = QHBoxLayout()
        first.setSpacing(UNIT)
        first.addWidget(self.verb, 3)
        first.addWidget(self.column, 2)
        second = QHBoxLayout()
        second.setSpacing(UNIT)
        second.addWidget(self.value, 2)
        second.addWidget(self.upper, 1)
        second.addWidget(self.ask)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(UNIT * 2, UNIT + 4, UNIT * 2, UNIT + 4)
        rows.setSpacing(UNIT)
        rows.addWidget(title)
        rows.addLayout(first)
        rows.addLayout(second)
        rows.addWidget(self.message)
        rows.addWidget(self.table, 1)
        rows.addStretch(0)
        rows.addWidget(self._note)
        self.message.hide()

    # Which instance

    def show_instance(self, instance: Instance | None) -> None:
        """Another instance: forget columns and answers."""
        for asked in ("learn columns", "query"):
            self._tasks.cancel(asked)
        self._again.stop()
        self._columns_known = False
        self._model.show_rows((), ())
        self.table.hide()
        self.message.hide()
        self.column.clear()
        self._instance = None
        if instance is not None:
            self.update_instance(instance)

    def update_instance(self, instance: Instance) -> None:
        """The same instance, perhaps in another state."""
        before, self._instance = self._instance, instance
        provider = self._session.providers[instance.provider]
        reason = provider.reason_unsupported(Capability.GUEST_QUERIES)
        reason = reason or self._session.access.reason_denied(Permission.ASK_GUEST)
        if not reason and instance.state is not InstanceState.RUNNING:
            reason = self.tr("The guest answers while the instance runs.")
        usable = not reason
        for field in (self.verb, self.column, self.value, self.upper, self.ask):
            field.setEnabled(usable)
        if reason:
            self._say(reason, error=False)
        elif before is None or before.state is not instance.state:
            self.message.hide()
            self.learn_columns()
        if instance.confidential:
            note = self.tr("Question and answer travel through the mailbox encrypted; the host sees only ciphertext.")
        else:
            note = self.tr(
                "Question and answer travel encrypted, but a plain VM's host can read the key in its memory."
            )
        self._note.setText(note)

    def learn_columns(self) -> None:
        """Ask the guest for the names of its columns, once; a guest that still indexes is asked again later."""
        instance = self._instance
        if self._columns_known or instance is None or not self.isVisible() or not self.ask.isEnabled():
            return
        if not self._tasks.is_running("learn columns"):
            self._tasks.start(
                "learn columns",
                self._ask_for_columns(instance.id),
                on_done=self._put_columns,
                on_error=self._columns_unknown,
            )

    async def _ask_for_columns(self, instance_id: str) -> QueryAnswer:
        answer = await self._session.query(instance_id, Query(QueryVerb.STATUS))
        if answer.columns:
            return answer
        # Where the status does not name them, any answer about a row does.
        return await self._session.query(instance_id, Query(QueryVerb.PREDICT, value="0"))

    def _columns_unknown(self, _problem: str) -> None:
        self._again.start()

    def _put_columns(self, answer: QueryAnswer) -> None:
        if answer.columns and not self._columns_known:
            self._columns_known = True
            typed = self.column.currentText()
            self.column.clear()
            self.column.addItems(list(answer.columns))
            if typed:
                self.column.setCurrentText(typed)

    # Asking

    def _verb_changed(self) -> None:
        verb = self.chosen_verb()
        self.column.setVisible(verb not in _WITHOUT_COLUMN)
        self.value.setVisible(verb is not QueryVerb.STATUS)
        self.upper.setVisible(verb is QueryVerb.RANGE)
        placeholder = {
            QueryVerb.RANGE: self.tr("from"),
            QueryVerb.PREDICT: self.tr("row number, from 0"),
        }
        self.value.setPlaceholderText(placeholder.get(verb, self.tr("value")))

    def chosen_verb(self) -> QueryVerb:
        """The verb picked in the box."""
        chosen = self.verb.currentData()
        return chosen if isinstance(chosen, QueryVerb) else QueryVerb.COUNT

    def send(self) -> None:
        """Put the question to the guest."""
        if self._instance is None or not self.ask.isEnabled():
            return
        verb = self.chosen_verb()
        query = Query(
            verb,
            "" if verb in _WITHOUT_COLUMN else self.column.currentText().strip(),
            "" if verb is QueryVerb.STATUS else self.value.text(),
            self.upper.text() if verb is QueryVerb.RANGE else "",
        )
        self.ask.setEnabled(False)
        self._say(self.tr("Waiting for the guest …"), error=False)
        self._tasks.start(
            "query",
            self._session.query(self._instance.id, query),
            on_done=self._show_answer,
            on_error=self._show_error,
        )

    def _show_error(self, problem: str) -> None:
        self.ask.setEnabled(True)
        self._say(problem, error=True)

    def _show_answer(self, answer: QueryAnswer) -> None:
        self.ask.setEnabled(True)
        self._put_columns(answer)
        text = self.tr("%n match(es)", "", answer.count).replace(str(answer.count), count_text(answer.count))
        if self.chosen_verb() in _WITHOUT_COLUMN:
            text = ""
        parts = [
            part for part in (text, answer.note, self.tr("in {time}").format(time=duration(answer.seconds))) if part
        ]
        self._say(" · ".join(parts), error=False)
        self._model.show_rows(answer.columns, answer.rows)
        self.table.setVisible(bool(answer.rows))
        self.answered.emit(answer)

    def _say(self, text: str, *, error: bool) -> None:
        kind = "error" if error else "muted"
        if self.message.property("kind") != kind:
            self.message.setProperty("kind", kind)
            self.message.style().unpolish(self.message)
            self.message.style().polish(self.message)
        self.message.setText(text)
        self.message.show()
