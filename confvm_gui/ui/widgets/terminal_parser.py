"""A guest's output: bytes taken apart into text, controls and sequences, which act on a `TerminalScreen`.

pyte's own stream is not used: it raises on sequences that no terminal expects, prints the content of DCS strings, and
collects the titles of OSC strings without end. Here strings (OSC, DCS, APC, PM, SOS) are read over and do nothing: no
title, no clipboard (OSC 52), no palette, no hyperlink. All numbers are bounded. The only answers are those of a VT102
to DA and DSR, at most `MOST_ANSWERS` for each piece, and they hold nothing that the guest chose except where the
cursor is.

Source of the states: Paul Williams' parser for DEC's terminals; ECMA-48 5.4 (sequences) and 5.6 (strings).
"""

from __future__ import annotations

import codecs
import re
import time
from collections import deque
from typing import Final

from confvm_gui.ui.widgets.terminal_screen import TerminalScreen
from confvm_gui.ui.widgets.terminal_style import rendition

MOST_ANSWERS: Final = 16
_PIECE: Final = 2048
"""Bytes that are decoded at a time."""
_MOST_NUMBER: Final = 9999
_MOST_PARAMETERS: Final = 128
"""Characters; a sequence with more is ignored."""
_MOST_STRING: Final = 65_536
"""Characters after which a string that nobody ended is over: a guest must not silence its console for ever."""
_AT_ONCE: Final = 32
"""Steps between two looks at the clock."""

_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f]{1,256}")
_SEQUENCE = re.compile(r"\x1b\[([<-?]?)([0-9:;]{0,64})([ -/]{0,2})([@-~])")
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
_GROUND, _ESCAPE, _CSI, _STRING = range(4)
_C1: Final = {"\x84": "D", "\x85": "E", "\x88": "H", "\x8d": "M", "\x90": "P", "\x98": "X", "\x9b": "[", "\x9d": "]"}


class TerminalParser:
    """Give it bytes with `take`, let it work with `work`, fetch answers for the guest with `answers`."""

    def __init__(self, screen: TerminalScreen) -> None:
        self.screen = screen
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._may_answer = True
        self.waiting = 0
        """Bytes taken and not worked on."""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at = 0
        self._state = _GROUND
        self._parameters = ""
        self._between = ""
        self._string_left = 0
        self._answers: list[bytes] = []

    def take(self, data: bytes, *, answer: bool = True) -> None:
        """Output of the guest, to be worked on. Questions in it are answered unless it is old output (`answer`)."""
        for start in range(0, len(data), _PIECE):
            self._waiting.append((data[start : start + _PIECE], answer))
        self.waiting += len(data)

    def work(self, seconds: float) -> bool:
        """Work for about `seconds`; whether there is more to do."""
        until = time.perf_counter() + seconds
        while True:
            for _ in range(_AT_ONCE):
                if self._at >= len(self._text) and not self._next_piece():
                    return False
                self._step()
            if time.perf_counter() >= until:
                return self._at < len(self._text) or bool(self._waiting)

    def feed(self, data: bytes) -> None:
        """Take `data` and work until all is done."""
        self.take(data)
        while self.work(1.0):
            pass

    def answers(self) -> bytes:
        """What the guest asked the terminal since the last call."""
        found = b"".join(self._answers)
        self._answers.clear()
        return found

    def _next_piece(self) -> bool:
        while self._waiting:
            data, self._may_answer = self._waiting.popleft()
            self.waiting -= len(data)
            self._text, self._at = self._decode.decode(data), 0
            if self._text:
                return True
        return False

    def _step(self) -> None:
        if self._state == _GROUND:
            self._ground()
        elif self._state == _STRING:
            self._string()
        else:
            character = self._text[self._at]
            self._at += 1
            self._in_sequence(character)

    # States

    def _ground(self) -> None:
        found = _TEXT.match(self._text, self._at)
        if found:
            self._at = found.end()
            self.screen.draw(found[0])
            return
        character = self._text[self._at]
        if character == "\x1b":
            sequence = _SEQUENCE.match(self._text, self._at)
            if sequence:
                self._at = sequence.end()
                self._control_sequence(sequence[1], sequence[2], sequence[3], sequence[4])
                return
            self._state, self._between = _ESCAPE, ""
        elif character < " ":
            self._control(character)
        elif character in _C1:
            self._between = ""
            self._escape(_C1[character])
        self._at += 1

    def _string(self) -> None:
        found = _STRING_END.search(self._text, self._at)
        end = found.start() if found else len(self._text)
        self._string_left -= end - self._at
        self._at = end
        if found:
            self._at += 1
            # An ESC ends the string as well; the `\` that makes it ST does nothing by itself.
            self._state, self._between = (_ESCAPE if found[0] == "\x1b" else _GROUND), ""
        elif self._string_left <= 0:
            self._state = _GROUND

    def _in_sequence(self, character: str) -> None:
        if character == "\x1b":
            self._state, self._between = _ESCAPE, ""
        elif character in "\x18\x1a":
            self._state = _GROUND
        elif character < " ":
            self._control(character)
        elif character > "~":
            if character != "\x7f":
                self._state = _GROUND
                self._at -= 1  # no sequence has it: it is text, or a C1 control
        elif character < "0":
            self._between = (self._between + character)[:4]
        elif self._state == _ESCAPE:
            self._escape(character)
        elif character < "@":
            self._parameters = (self._parameters + character)[: _MOST_PARAMETERS + 1]
        else:
            self._state = _GROUND
            parameters = self._parameters
            if len(parameters) <= _MOST_PARAMETERS:
                private = parameters[:1] if parameters[:1] in ("<", "=", ">", "?") else ""
                self._control_sequence(private, parameters[len(private) :], self._between, character)

    # What they do

    def _control(self, character: str) -> None:
        screen = self.screen
        if character in "\n\v\f":
            screen.linefeed()
        elif character == "\r":
            screen.carriage_return()
        elif character == "\b":
            screen.backspace()
        elif character == "\t":
            screen.tab()
        elif character == "\x0e":
            screen.shift_out()
        elif character == "\x0f":
            screen.shift_in()

    def _escape(self, character: str) -> None:
        """ESC, intermediate characters, `character`."""
        screen, between = self.screen, self._between
        self._state = _GROUND
        if between:
            if between in ("(", ")"):
                screen.define_charset(character, between)
            elif between == "#" and character == "8":
                screen.alignment_display()
        elif character == "[":
            self._state, self._parameters = _CSI, ""
        elif character in "]PX^_":
            self._state, self._string_left = _STRING, _MOST_STRING
        elif character == "D":
            screen.index()
        elif character == "E":
            screen.carriage_return()
            screen.index()
        elif character == "H":
            screen.set_tab_stop()
        elif character == "M":
            screen.reverse_index()
        elif character == "7":
            screen.save_cursor()
        elif character == "8":
            screen.restore_cursor()
        elif character == "c":
            screen.reset()
        elif character in "=>":
            screen.keypad = character == "="

    def _control_sequence(self, private: str, parameters: str, between: str, final: str) -> None:
        if between:
            if (between, final) == ("!", "p"):
                self.screen.soft_reset()
            return
        if final == "m":
            if not private:
                groups = [[_number(value) for value in group.split(":")] for group in parameters.split(";")]
                self.screen.cursor.attrs = rendition(self.screen.cursor.attrs, groups)
            return
        numbers = [_number(value) for value in parameters.replace(":", ";").split(";")]
        first = numbers[0]
        screen = self.screen
        if private:
            if private == "?" and final in "hl":
                screen.set_private(numbers, on=final == "h")
            elif private == "?" and final in "JK":
                self._erase(final, first)
            return
        count = max(1, first)
        if final in "JK":
            self._erase(final, first)
        elif final in "Hf":
            screen.cursor_position(first, numbers[1] if len(numbers) > 1 else 1)
        elif final in "hl":
            known = [number for number in numbers if number in (4, 20)]  # IRM, LNM
            (screen.set_mode if final == "h" else screen.reset_mode)(*known)
        elif final == "r":
            screen.set_margins(first or 1, numbers[1] if len(numbers) > 1 and numbers[1] else screen.lines)
        elif final == "n":
            self._report(first)
        elif final == "c":
            if first == 0:
                self._answer("\x1b[?6c")
        elif final == "g":
            screen.clear_tab_stop(first)
        elif final == "s":
            screen.save_cursor()
        elif final == "u":
            screen.restore_cursor()
        else:
            self._count(final, count)

    def _count(self, final: str, count: int) -> None:
        """Sequences with one number of how often or where."""
        screen = self.screen
        if final == "A":
            screen.cursor_up(count)
        elif final in "Be":
            screen.cursor_down(count)
        elif final in "Ca":
            screen.cursor_forward(count)
        elif final == "D":
            screen.cursor_back(count)
        elif final == "E":
            screen.cursor_down1(count)
        elif final == "F":
            screen.cursor_up1(count)
        elif final in "G`":
            screen.cursor_to_column(count)
        elif final == "d":
            screen.cursor_to_line(count)
        elif final == "@":
            screen.insert_characters(min(count, screen.columns))
        elif final == "P":
            screen.delete_characters(min(count, screen.columns))
        elif final == "X":
            screen.erase_characters(count)
        elif final == "L":
            screen.insert_lines(min(count, screen.lines))
        elif final == "M":
            screen.delete_lines(min(count, screen.lines))
        elif final == "S":
            screen.scroll(count)
        elif final == "T":
            screen.scroll(-count)
        elif final == "I":
            for _ in range(min(count, screen.columns)):
                screen.tab()
        elif final == "Z":
            screen.back_tab(count)
        elif final == "b":
            screen.repeat(count)

    def _erase(self, final: str, how: int) -> None:
        if final == "K" and how <= 2:
            self.screen.erase_in_line(how)
        elif final == "J" and how <= 3:
            self.screen.erase_in_display(how)

    def _report(self, what: int) -> None:
        if what == 5:
            self._answer("\x1b[0n")
        elif what == 6:
            cursor = self.screen.cursor
            self._answer(f"\x1b[{cursor.y + 1};{min(cursor.x + 1, self.screen.columns)}R")

    def _answer(self, text: str) -> None:
        if self._may_answer and len(self._answers) < MOST_ANSWERS:
            self._answers.append(text.encode())


def _number(text: str) -> int:
    return min(int(text[:6]), _MOST_NUMBER) if text.isascii() and text.isdigit() else 0
