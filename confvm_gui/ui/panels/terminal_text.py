"""Serial output as plain text: bytes in, characters out, with terminal control sequences taken out.

Works on a stream: a sequence or a character that is cut between two pieces is put together again.
Source of the grammar: ECMA-48, 5th edition, 5.4 (control sequences) and 8.3.89 (OSC).
"""

from __future__ import annotations

import codecs
import re

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, APC, PM, SOS
    r"|\x1b[ -/]*[0-Z\\^-~]"  # two-character escapes
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\x1b]*\x1b?|[ -/]*)\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONGEST = 4096
"""Characters after which an unfinished sequence is taken for text: a guest must not make the console wait forever."""


class TerminalText:
    """Turns pieces of serial output into text, line ends as `\\n`."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> str:
        """Text that `data` completes."""
        text = self._held + self._decode.decode(data)
        self._held = ""
        unfinished = _UNFINISHED.search(text)
        if unfinished and len(text) - unfinished.start() < _LONGEST:
            text, self._held = text[: unfinished.start()], text[unfinished.start() :]
        elif text.endswith("\r"):
            # The line feed may come with the next piece.
            text, self._held = text[:-1], "\r"
        text = _SEQUENCE.sub("", text)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return _CONTROLS.sub("", text)
