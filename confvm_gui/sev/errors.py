"""The errors that this package raises: the foot of the tree that `domain.errors` draws.

They are defined here because no layer is below this one; everybody else imports them from `domain.errors`.
"""

from __future__ import annotations


class ConfvmError(Exception):
    """Root of every error that the console raises on purpose."""

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return str(self)


class InvalidInput(ConfvmError):
    """What was typed or given is wrong.

    `field` names the input in the words of the request (`name`, `records`, `image` …), so that a window can
    show the message at the field and a command line can name the option.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[str, str]]:
        return type(self), (self.field, str(self))


class MeasurementMismatch(ConfvmError):
    """The launch measurement is not the expected one; no secret was released."""


class BugError(ConfvmError):
    """An assumption of ours did not hold."""


def require_length(data: bytes, length: int, field: str, what: str) -> None:
    """Raise InvalidInput(`field`) unless `data` has exactly `length` bytes."""
    if len(data) != length:
        raise InvalidInput(field, f"{what} has {length} bytes, but {len(data)} were given")
