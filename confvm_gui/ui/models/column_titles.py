"""What a table's horizontal header says: one title a column, to the left like the text below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt


def column_title(titles: Sequence[str], section: int, orientation: Qt.Orientation, role: int) -> Any:
    """For `headerData`."""
    if orientation is not Qt.Orientation.Horizontal:
        return None
    if role == Qt.ItemDataRole.TextAlignmentRole:
        return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    return titles[section] if role == Qt.ItemDataRole.DisplayRole and 0 <= section < len(titles) else None
