"""Tells at the top of the window that jobs failed, and that a launch was refused before its keys were released."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from confvm_gui.domain.attestation_record import AttestationRecord, Occasion
from confvm_gui.domain.event import Event
from confvm_gui.domain.operation import Operation, OperationStatus
from confvm_gui.fleet.session import FleetSession
from confvm_gui.ui.banner import Banner, BannerStack, Tone
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.text import operation_word
from confvm_gui.ui.theme import UNIT

JOBS = "jobs"
"""Where the banner of failed jobs stands in the stack."""
_REFUSED = "attestation.launch-refused"
_MOST = 3
"""Refused launches that are told of at the same time: more would leave no room for the window."""
_HELD = 32
"""Refused launches of which a failing job is known to tell nothing new."""


def refusal_slot(instance_id: str) -> str:
    """Where the banner of a refused launch stands in the stack."""
    return f"refused-{instance_id}"


class RefusalBanner(Banner):
    """The sentence; both digests when it is opened; the way to everything that was found."""

    def __init__(
        self, sentence: str, expected: str, actual: str, note: str, on_evidence: Callable[[], None] | None
    ) -> None:
        super().__init__(Tone.ERROR, sentence)
        self.setProperty("refusal", True)
        self.details: QWidget | None = None
        self.opener: QToolButton | None = None
        self.evidence: QPushButton | None = None
        self._values = (expected, actual)
        self._note = note
        if expected and actual:
            self.opener = QToolButton()
            self.opener.setObjectName("refusal-open")
            self.opener.setText(self.tr("Both digests"))
            self.opener.setToolTip(self.tr("The digest that was expected over the one that was found, in full"))
            self.opener.setCheckable(True)
            self.opener.setArrowType(Qt.ArrowType.RightArrow)
            self.opener.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            self.opener.toggled.connect(self._open)
            self.add_button(self.opener)
        if on_evidence is not None:
            self.evidence = QPushButton(self.tr("Show the evidence"))
            self.evidence.setObjectName("refusal-evidence")
            self.evidence.clicked.connect(lambda _checked=False: on_evidence())
            self.add_button(self.evidence)

    def _open(self, on: bool) -> None:
        if self.opener is not None:
            self.opener.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        if on and self.details is None:
            self.details = self._make_details()
            self.rows.addWidget(self.details)
        if self.details is not None:
            self.details.setVisible(on)

    def _make_details(self) -> QWidget:
        from confvm_gui.ui.panels.attestation.digest_compare import DigestCompare, nearest

        expected, actual = self._values
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(18 + UNIT, 0, UNIT, UNIT // 2)
        row.setSpacing(UNIT * 2)
        closest = nearest(expected, actual)
        compare = DigestCompare(closest, actual) if closest else None
        if compare is not None:
            row.addWidget(compare, 3)
        words = self._note or (compare.summary if compare is not None else f"{expected}\n{actual}")
        note = QLabel(words)
        note.setProperty("kind", "muted")
        note.setWordWrap(True)
        note.setMinimumWidth(110)
        note.setTextFormat(Qt.TextFormat.PlainText)
        row.addWidget(note, 1, Qt.AlignmentFlag.AlignTop)
        return frame


class FailureNotices(QObject):
    """Each refused launch has a banner of its own, which stays until it is put away or the instance is trusted."""

    def __init__(
        self,
        session: FleetSession,
        banners: BannerStack,
        show_jobs: Callable[[], None],
        show_record: Callable[[str, str], None],
    ) -> None:
        """`show_record` shows a record: the instance's id, the record's."""
        super().__init__(banners)
        self._banners = banners
        self._show_jobs = show_jobs
        self._show_record = show_record
        self._failed = 0
        self._told: dict[str, str] = {}
        """Instance id → the sentence of its refusal, the newest last."""
        self._shown: list[str] = []
        """Instances whose banner was put up, oldest first."""
        self._details: dict[str, Mapping[str, object]] = {}
        """Record id → what its event says, until the record comes, right behind it."""
        self._subscriptions = Subscriptions()
        self._subscriptions.add(session.events.changes, self._event_came)
        self._subscriptions.add(session.attestations.changes, self._record_came)
        self._subscriptions.add(session.jobs.changes, self._job_changed)

    def close_subscriptions(self) -> None:
        """Listen to nothing any more."""
        self._subscriptions.clear()

    # A launch that was refused

    def _event_came(self, event: Event) -> None:
        if event.action != _REFUSED:
            return
        self._told.pop(event.subject, None)
        self._told[event.subject] = event.message
        while len(self._told) > _HELD:
            del self._told[next(iter(self._told))]
        record_id = event.detail.get("record")
        if isinstance(record_id, str) and record_id:
            self._details = {record_id: event.detail}
        else:
            self._put(event.subject, RefusalBanner(event.message, "", "", "", None))

    def _record_came(self, record: AttestationRecord) -> None:
        if record.occasion is not Occasion.LAUNCH:
            return
        if record.verdict.trusted:
            self._banners.remove(refusal_slot(record.instance_id))
            self._told.pop(record.instance_id, None)
            return
        detail = self._details.pop(record.id, {})
        expected, actual = str(detail.get("expected") or ""), str(detail.get("actual") or "")
        note = ""
        if actual and actual == record.verdict.claim("launch_measure"):
            note = self.tr("What was found is the keyed measurement: which digest it is made of is not known.")
        banner = RefusalBanner(
            self._told.get(record.instance_id, ""),
            expected,
            actual,
            note,
            lambda: self._show_record(record.instance_id, record.id),
        )
        self._put(record.instance_id, banner)

    def _put(self, instance_id: str, banner: RefusalBanner) -> None:
        self._shown = [one for one in self._shown if one != instance_id and self._banners.banner(refusal_slot(one))]
        for oldest in self._shown[: max(0, len(self._shown) + 1 - _MOST)]:
            self._banners.remove(refusal_slot(oldest))
        self._shown.append(instance_id)
        self._banners.put(refusal_slot(instance_id), banner)

    # A job that failed

    def _job_changed(self, operation: Operation) -> None:
        if operation.status not in (OperationStatus.FAILED, OperationStatus.ROLLED_BACK):
            return
        if operation.error and operation.error == self._told.get(operation.instance_id):
            return  # the banner of the refusal says the same, and more
        self._failed = self._failed + 1 if self._banners.banner(JOBS) is not None else 1
        text = self.tr("{job} {name} failed: {reason}").format(
            job=operation_word(operation.kind),
            name=operation.instance_name,
            reason=operation.error or self.tr("no reason was given"),
        )
        if self._failed > 1:
            text = self.tr("%n jobs failed. The last one: ", "", self._failed) + text
        self._banners.put(JOBS, Banner(Tone.ERROR, text, self.tr("Show the jobs"), self._show_jobs))
