"""What the guardrails say of the draft: asked while somebody looks at the review, once for each request."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.keys import KeyState
from confvm_gui.domain.policy import ComplianceRecord, Outcome, RuleFinding
from confvm_gui.fleet.guard.fixes import FixOutcome, denials
from confvm_gui.fleet.guard.service import Guardrails
from confvm_gui.fleet.keys import KeyListing, Keys
from confvm_gui.fleet.launch import ForcedSetting
from confvm_gui.policy.facts import LOCAL_KEYS
from confvm_gui.ui.bridge.subscriptions import Subscriptions
from confvm_gui.ui.bridge.tasks import TaskKeeper
from confvm_gui.ui.wizard.draft import Draft

TASK = "guardrails"
KEYS = "keys for guardrails"


class Guarding(QObject):
    """Emits `changed` when more, or something else, is known."""

    changed = Signal()

    def __init__(
        self, draft: Draft, guard: Guardrails | None, keys: Keys | None, tasks: TaskKeeper, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._draft = draft
        self._guard = guard
        self._keys = keys
        self._disk_keys: tuple[str, ...] | None = None
        """Keys that a fix may choose from; None while nobody has asked for them."""
        self._tasks = tasks
        self._asked: LaunchRequest | None = None
        self._subscriptions = Subscriptions()
        self.record: ComplianceRecord | None = None
        """None while it is not known."""
        self.fixed: FixOutcome | None = None
        """The nearest request that passes, where one is needed and something can be changed."""
        self.problem = ""
        """Why the rules could not be asked."""
        if guard is not None:
            self._subscriptions.add(guard.rules.changes, lambda _: self._rules_changed())

    @property
    def asks(self) -> bool:
        """Whether there are guardrails at all in this session."""
        return self._guard is not None

    @property
    def denial(self) -> str:
        """Why the request as it stands would not be accepted, or ""."""
        if self.record is None or self._asked != self._draft.request or not self.record.denied:
            return ""
        first = denials(self.record)[0]
        return self.tr("Denied by the guardrail {0}/{1}: {2}").format(first.pack, first.rule, first.message)

    def look(self) -> None:
        """Ask about the request as it stands, unless that was asked already."""
        request = self._draft.request
        if self._guard is None or request == self._asked:
            return
        self._asked, self.record, self.fixed, self.problem = request, None, None, ""
        self.changed.emit()
        work = self._find(self._guard, request)
        self._tasks.start(TASK, work, on_done=lambda _: self.changed.emit(), on_error=self._failed)

    def apply(self) -> None:
        """Take the nearest request that passes."""
        if self.fixed is not None and self._asked == self._draft.request:
            self._draft.take_over(self.fixed.request, [change.field for change in self.fixed.changes])

    @property
    def wants_key(self) -> bool:
        """Whether one of the administrator's keys might satisfy a rule, and they were not looked for yet."""
        if self._keys is None or self._disk_keys is not None or self.record is None:
            return False
        return any(
            one.outcome is Outcome.FAILS and one.fix is not None and one.fix.field == "disk_key" and not one.fix.choices
            for one in self.record.findings
        )

    def find_keys(self) -> None:
        """Look for keys in all stores, for a fix to choose from. A token may ask a person for its PIN."""
        if self._keys is not None:
            self._tasks.start(KEYS, self._keys.listing(), on_done=self._keys_found, on_error=self._failed)

    def close(self) -> None:
        """Listen no longer."""
        self._subscriptions.clear()
        self._tasks.cancel(TASK)
        self._tasks.cancel(KEYS)

    def forced_settings(self) -> Sequence[ForcedSetting]:
        """The changes of the nearest request that passes, each with why."""
        if self.fixed is None or self.record is None:
            return ()
        return [
            ForcedSetting(change.field, change.before, change.after, self._why(change.field, self.record.findings))
            for change in self.fixed.changes
        ]

    def _why(self, field: str, findings: Sequence[RuleFinding]) -> str:
        rules = [f"{one.pack}/{one.rule}" for one in findings if one.fix is not None and one.fix.field == field]
        if rules:
            return self.tr("Asked for by {0}").format(", ".join(rules))
        return self.tr("Goes with the other changes")

    async def _find(self, guard: Guardrails, request: LaunchRequest) -> None:
        record = await guard.check(request)
        fixed: FixOutcome | None = None
        if any(one.outcome is Outcome.FAILS for one in record.findings):
            fixed = await guard.fix(request, disk_keys=self._disk_keys or (), warnings=not record.denied)
        if request == self._asked:
            self.record, self.fixed = record, fixed

    def _failed(self, problem: str) -> None:
        self.problem = problem
        self.changed.emit()

    def _keys_found(self, listing: KeyListing) -> None:
        """The customer's own first: those that this computer keeps satisfy no rule that asks for such."""
        usable = [info.ref for info in listing.keys if info.state is KeyState.ENABLED]
        self._disk_keys = tuple(sorted(usable, key=lambda ref: ref.startswith(f"{LOCAL_KEYS}:")))
        self._rules_changed()

    def _rules_changed(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self.look()
