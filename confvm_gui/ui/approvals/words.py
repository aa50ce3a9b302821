"""Approvals in the user's language."""

from __future__ import annotations

from confvm_gui.domain.approval import Approval, ApprovalStatus
from confvm_gui.ui.audit.changes import value_text
from confvm_gui.ui.text import duration, translate


def status_word(status: ApprovalStatus) -> str:
    return {
        ApprovalStatus.WAITING: translate("ApprovalStatus", "waiting"),
        ApprovalStatus.APPROVED: translate("ApprovalStatus", "approved"),
        ApprovalStatus.REJECTED: translate("ApprovalStatus", "refused"),
        ApprovalStatus.EXPIRED: translate("ApprovalStatus", "expired"),
        ApprovalStatus.DONE: translate("ApprovalStatus", "done"),
        ApprovalStatus.FAILED: translate("ApprovalStatus", "failed"),
    }[status]


def kind_word(kind: str) -> str:
    """What is asked, by its key in `fleet.roles.assignments.APPROVABLE`."""
    return {
        "instance.delete": translate("ApprovalKind", "Deleting an instance"),
        "key.destroy": translate("ApprovalKind", "Destroying a key"),
        "policy.exception": translate("ApprovalKind", "An exception from a guardrail"),
    }.get(kind, kind)


def left_text(seconds: float) -> str:
    """How long somebody has to decide."""
    if seconds <= 0:
        return translate("ApprovalKind", "now")
    return translate("ApprovalKind", "in {time}").format(time=duration(seconds))


def intent_rows(approval: Approval) -> list[tuple[str, str]]:
    """What is carried out, as names and values. What the request's subject says already is left out."""
    titles = {
        "after_seconds": translate("ApprovalIntent", "Destroyed"),
        "lose": translate("ApprovalIntent", "Data that are lost"),
        "pack": translate("ApprovalIntent", "Pack"),
        "rule": translate("ApprovalIntent", "Rule"),
        "subject": translate("ApprovalIntent", "For"),
        "reason": translate("ApprovalIntent", "Why"),
        "seconds": translate("ApprovalIntent", "Lasts"),
    }
    rows = []
    for name, value in approval.intent.items():
        if name == "name" or value in ("", [], ()):
            continue
        if name == "after_seconds" and isinstance(value, int | float):
            text = left_text(float(value)) if value else translate("ApprovalIntent", "at once")
        elif name == "seconds" and isinstance(value, int | float):
            text = duration(float(value))
        elif name == "lose" and isinstance(value, list | tuple):
            text = ", ".join(map(str, value))
        else:
            text = value_text(value)
        rows.append((titles.get(name, name), text))
    return rows
