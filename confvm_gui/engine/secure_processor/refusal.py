"""How the firmware says no."""

from __future__ import annotations

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.status import Status


def refusal(command: CommandId, status: Status, advice: str) -> FirmwareError:
    """The error for `command` ended with `status`: the firmware's wording and, behind it, what to do."""
    return FirmwareError(command.name, status.value, status.name, f"{command.name}: {status.wording}; {advice}")
