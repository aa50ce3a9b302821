"""Labels as one line of text: `team=genomics, env=test`."""

from __future__ import annotations

from collections.abc import Mapping

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.instance import check_labels


def parse_labels(text: str) -> Mapping[str, str]:
    """The labels that `text` names. Raises InvalidInput("labels")."""
    labels: dict[str, str] = {}
    for part in text.split(","):
        pair = part.strip()
        if not pair:
            continue
        key, equals, value = (piece.strip() for piece in pair.partition("="))
        if not equals:
            raise InvalidInput("labels", f"Write a label as key=value; {pair[:40]!r} has no equals sign")
        if key in labels:
            raise InvalidInput("labels", f"The label {key[:40]} is given twice; keep one")
        labels[key] = value
    return check_labels(labels)


def labels_line(labels: Mapping[str, str]) -> str:
    """The line that `parse_labels` reads back."""
    return ", ".join(f"{key}={value}" for key, value in labels.items())
