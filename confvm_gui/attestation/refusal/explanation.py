"""What a pair of `ret` and `fw_error` means, for a command and the states in which it is legal."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from confvm_gui.attestation.refusal.causes import (
    CODE_CHECKS,
    COMMAND_CAUSES,
    ERRNO_CAUSES,
    GUEST_VMM_ERRORS,
    NO_FIRMWARE_CALL,
    YOUNGER_CODES,
    Cause,
)
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.states import guest_states_for, platform_states_for
from confvm_gui.sev.status import Status

_LARGEST_ERRNO: Final = 4095
_SNP_GUEST_ERROR: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a log line or an exit code tells. None: not told."""

    ret: int | None = None
    """The kernel's result, a negative error number. A positive one is taken as such too."""
    fw_error: int | None = None
    """The firmware's status, -1 if it was not called. From a guest: 64 bits, the upper half the hypervisor's error."""
    command: CommandId | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """For a person."""

    refusal: Refusal
    errno_name: str
    """`EIO`, "" without one."""
    status_name: str
    """`POLICY_FAILURE`, "" without one."""
    summary: str
    """What happened, in a sentence or two."""
    states: str
    """In which states the command is legal, "" if that does not matter here."""
    checks: tuple[str, ...]
    """What to look at and do, the most promising first."""


def explain(refusal: Refusal) -> Explanation:
    """What `refusal` means; InvalidInput("ret", "fw-error") if nothing is told or a number is out of range."""
    ret, fw_error, command = refusal.ret, refusal.fw_error, refusal.command
    if ret is None and fw_error is None:
        raise InvalidInput("fw-error", "Say which ret or which fw_error was reported")
    if ret is not None and abs(ret) > _LARGEST_ERRNO:
        raise InvalidInput("ret", f"The kernel's error numbers are -{_LARGEST_ERRNO} to 0, not {ret}")
    if fw_error is not None and not NO_FIRMWARE_CALL <= fw_error < 1 << 64:
        raise InvalidInput("fw-error", f"A firmware error is -1 or has up to 64 bits; {fw_error} does not fit")
    if fw_error == 0xFFFF_FFFF:  # -1 as some tools print it
        fw_error = NO_FIRMWARE_CALL
    sentences: list[str] = []
    checks: list[str] = []
    states = ""
    status_name = ""
    firmware_spoke = fw_error is not None and fw_error > 0
    if fw_error is not None and fw_error >= _SNP_GUEST_ERROR:
        _add(_hypervisor_error(fw_error >> 32), sentences, checks)
        fw_error &= 0xFFFF_FFFF
    if fw_error:
        firmware_spoke = fw_error != NO_FIRMWARE_CALL
    if fw_error is not None and firmware_spoke and fw_error:
        status_name, cause = _firmware_cause(command, fw_error)
        _add(cause, sentences, checks)
        if command is not None and fw_error in (Status.INVALID_GUEST_STATE, Status.INVALID_PLATFORM_STATE):
            states = legal_states(command)
    elif fw_error == NO_FIRMWARE_CALL:
        status_name = "NO_FW_CALL"
        sentences.append("The firmware was not called: the kernel stopped before")
    elif fw_error == 0 and ret and not firmware_spoke:
        status_name = Status.SUCCESS.name
        sentences.append("The firmware did not refuse anything (fw_error 0): the kernel did, or it was not asked")
    elif fw_error == 0:
        status_name = Status.SUCCESS.name
        if not sentences:
            sentences.append("Nothing failed")
    errno_name = ""
    if ret:
        errno_name = errno.errorcode.get(abs(ret), f"error {abs(ret)}")
        cause = ERRNO_CAUSES.get(abs(ret), Cause("The kernel refused it with an error that SEV's code does not use"))
        if not firmware_spoke:
            _add(cause, sentences, checks)
        elif abs(ret) not in (errno.EIO, errno.EPERM):  # those say no more than that it failed
            _add(Cause(cause.meaning), sentences, checks)
    elif ret == 0 and fw_error is None:
        sentences.append("Nothing failed")
    return Explanation(
        refusal, errno_name, status_name, "; ".join(sentences) + ".", states, tuple(dict.fromkeys(checks))
    )


def legal_states(command: CommandId) -> str:
    """In which states `command` is legal, one sentence; "" for SNP's, which have machines of their own."""
    if command.name.startswith("SNP_"):
        return ""
    guest = sorted(guest_states_for(command))
    if guest:
        return f"{command.name} is legal while the guest is {_either(state.name for state in guest)}."
    platform = sorted(platform_states_for(command))
    return f"{command.name} is legal while the platform is {_either(state.name for state in platform)}."


def code_name(fw_error: int) -> str:
    """Published name of a firmware status, "" if it is unknown."""
    if fw_error in YOUNGER_CODES:
        return YOUNGER_CODES[fw_error][0]
    try:
        return Status(fw_error).name
    except ValueError:
        return ""


def _firmware_cause(command: CommandId | None, code: int) -> tuple[str, Cause]:
    name = code_name(code)
    if not name:
        return "", Cause(
            f"The firmware answered {code:#x}, which no public specification names",
            ("See whether the number is decimal: QEMU prints decimal, the kernel hexadecimal",),
        )
    meaning = YOUNGER_CODES[code][1] if code in YOUNGER_CODES else Status(code).wording
    checks = CODE_CHECKS.get(code, ())
    specific = None if command is None else COMMAND_CAUSES.get((command, code))
    if command is None:
        return name, Cause(f"The firmware refused with {name} ({code:#x}): {meaning}", checks)
    said = f"The firmware refused {command.name} with {name} ({code:#x}): {meaning}"
    if specific is None:
        return name, Cause(said, checks)
    return name, Cause(f"{said}; {_lower(specific.meaning)}", (*specific.checks, *checks))


def _hypervisor_error(code: int) -> Cause:
    return GUEST_VMM_ERRORS.get(code, Cause(f"The hypervisor answered the guest's request with {code:#x}"))


def _add(cause: Cause, sentences: list[str], checks: list[str]) -> None:
    sentences.append(_lower(cause.meaning) if sentences else cause.meaning)
    checks.extend(cause.checks)


def _lower(sentence: str) -> str:
    word = sentence.split(" ", 1)[0]
    return sentence if word.isupper() or any(c.isdigit() for c in word) else sentence[0].lower() + sentence[1:]


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
