"""INSERT of many rows by few statements.

The sqlite3 module gives up the interpreter's lock for each step of a statement, and gets it back only when another busy
thread has had it for 5 ms: row by row, a writer beside a busy event loop is slowed forty times. Many rows to a
statement cost it one such wait for all of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

_ROWS = (64, 8, 1)
"""Rows to a statement; few sizes, so that all stay in the connection's cache of prepared statements."""


class MultiRowInsert:
    """`INSERT … VALUES (…), (…) …` into `table`; `conflict` is `OR REPLACE` or so, `suffix` an ON CONFLICT clause.

    All are constants of the program, never values.
    """

    def __init__(self, table: str, columns: Sequence[str], *, conflict: str = "", suffix: str = "") -> None:
        one = "(" + ", ".join("?" * len(columns)) + ")"
        head = ("INSERT", conflict, "INTO", table, "(" + ", ".join(columns) + ")", "VALUES")
        self._statements = tuple((count, " ".join((*head, ", ".join([one] * count), suffix))) for count in _ROWS)

    def run(self, connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert `rows` in order."""
        at = 0
        for count, statement in self._statements:
            while len(rows) - at >= count:
                connection.execute(statement, [value for row in rows[at : at + count] for value in row])
                at += count
