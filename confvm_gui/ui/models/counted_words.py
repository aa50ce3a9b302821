"""Words that depend on a number. Methods of a QObject, because only of its `tr` are plural forms collected."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QObject


class CountedWords(QObject):
    """`1 error`, `3 minutes ago` … in the language of the window."""

    def errors(self, count: int) -> str:
        return self.tr("%n error(s)", "", count)

    def warnings(self, count: int) -> str:
        return self.tr("%n warning(s)", "", count)

    def seconds_ago(self, count: int) -> str:
        return self.tr("%n second(s) ago", "", count)

    def minutes_ago(self, count: int) -> str:
        return self.tr("%n minute(s) ago", "", count)

    def hours_ago(self, count: int) -> str:
        return self.tr("%n hour(s) ago", "", count)

    def days_ago(self, count: int) -> str:
        return self.tr("%n day(s) ago", "", count)

    def bytes_differ(self, count: int, size: int) -> str:
        return self.tr("%n byte(s) of {size} differ", "", count).format(size=size)

    def problems(self, errors: int, warnings: int) -> str:
        """`2 errors, 1 warning`, or ""."""
        counts = [self.errors(errors)] if errors else []
        counts += [self.warnings(warnings)] if warnings else []
        return ", ".join(counts)


@cache
def counted() -> CountedWords:
    """The one that everybody uses."""
    return CountedWords()
