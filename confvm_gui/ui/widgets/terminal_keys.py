"""Keys as the bytes that a terminal sends for them, and pasted text as a guest may have it.

Source: xterm's ctlseqs, "PC-Style Function Keys" (modifiers as 1 + shift + 2 alt + 4 control); DECCKM for cursor keys.
"""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt

MOST_PASTED: Final = 1 << 20
"""Characters."""

_Key = Qt.Key
_CURSOR: Final = {
    _Key.Key_Up: "A",
    _Key.Key_Down: "B",
    _Key.Key_Right: "C",
    _Key.Key_Left: "D",
    _Key.Key_Home: "H",
    _Key.Key_End: "F",
}
_FUNCTION: Final = {_Key.Key_F1: "P", _Key.Key_F2: "Q", _Key.Key_F3: "R", _Key.Key_F4: "S"}
_NUMBERED: Final = {
    _Key.Key_Insert: 2,
    _Key.Key_Delete: 3,
    _Key.Key_PageUp: 5,
    _Key.Key_PageDown: 6,
    _Key.Key_F5: 15,
    _Key.Key_F6: 17,
    _Key.Key_F7: 18,
    _Key.Key_F8: 19,
    _Key.Key_F9: 20,
    _Key.Key_F10: 21,
    _Key.Key_F11: 23,
    _Key.Key_F12: 24,
}
_PLAIN: Final = {
    _Key.Key_Return: b"\r",
    _Key.Key_Enter: b"\r",
    _Key.Key_Escape: b"\x1b",
    _Key.Key_Tab: b"\t",
    _Key.Key_Backtab: b"\x1b[Z",
    _Key.Key_Backspace: b"\x7f",
}
_CONTROL: Final = {
    _Key.Key_Space: 0,
    _Key.Key_At: 0,
    _Key.Key_2: 0,
    _Key.Key_BracketLeft: 27,
    _Key.Key_Backslash: 28,
    _Key.Key_BracketRight: 29,
    _Key.Key_AsciiCircum: 30,
    _Key.Key_Underscore: 31,
    _Key.Key_Slash: 31,
    _Key.Key_Backspace: 8,
}
_NOT_PASTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def key_bytes(key: int, modifiers: Qt.KeyboardModifier, text: str, *, application_cursor: bool = False) -> bytes:
    """What the terminal sends for a key press; nothing for a key that has no meaning to a guest.

    `text` is what the key types on the user's keyboard.
    """
    shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
    alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)
    control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
    modifier = 1 + shift + 2 * alt + 4 * control
    try:
        known = Qt.Key(key)
    except ValueError:
        known = Qt.Key.Key_unknown
    if known in _CURSOR or known in _FUNCTION:
        final = _CURSOR.get(known) or _FUNCTION[known]
        if modifier > 1:
            return f"\x1b[1;{modifier}{final}".encode()
        return f"\x1b{'O' if application_cursor or known in _FUNCTION else '['}{final}".encode()
    if known in _NUMBERED:
        return f"\x1b[{_NUMBERED[known]}{f';{modifier}' if modifier > 1 else ''}~".encode()
    before = b"\x1b" if alt else b""
    if control and known in _CONTROL:
        return before + bytes([_CONTROL[known]])
    if control and Qt.Key.Key_A.value <= key <= Qt.Key.Key_Z.value:
        return before + bytes([key & 0x1F])
    if known in _PLAIN:
        return before + _PLAIN[known]
    typed = _NOT_PASTED.sub("", text.replace("\r", "").replace("\n", ""))
    return before + typed.encode("utf-8", "ignore") if typed else b""


def pasted_bytes(text: str, *, bracketed: bool) -> bytes:
    """`text` as typed, at most `MOST_PASTED` of it, lines ended as by the Enter key.

    Control characters are taken out: pasted text cannot end the brackets (`bracketed`, xterm's mode 2004) nor press
    Ctrl+C.
    """
    clean = _NOT_PASTED.sub("", text[:MOST_PASTED].replace("\r\n", "\r").replace("\n", "\r"))
    data = clean.encode("utf-8", "ignore")
    return b"\x1b[200~" + data + b"\x1b[201~" if bracketed and data else data
