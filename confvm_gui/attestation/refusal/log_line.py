"""Reads `ret`, `fw_error` and the command out of what a person pastes from a log.

Forms that are met (QEMU target/i386/sev.c; Linux drivers/crypto/ccp/sev-dev.c; sevctl, snpguest, libvirt quote them):

    sev_launch_start: LAUNCH_START ret=1 fw_error=7 'Policy Failure'          decimal
    sev_common_kvm_init: failed to initialize ret=-22 fw_error=0 ''
    ccp 0000:22:00.1: SEV-SNP: failed to INIT rc -5, error 0x3                hexadecimal
    ccp 0000:22:00.1: sev command 0xa0 failed (0x00000007)
    ccp 0000:22:00.1: sev command 0x4 timed out, disabling PSP
    ioctl failed: ret -1, fw_error: 0x100000000                               a guest's, 64 bits
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from confvm_gui.attestation.refusal.explanation import Refusal
from confvm_gui.sev.commands import CommandId

LARGEST_TEXT: Final = 64 << 10
"""Characters that are looked at; a log has more lines of this than anybody wants explained."""
MOST_REFUSALS: Final = 100

_NUMBER: Final = r"([-+]?(?:0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}))(?![0-9A-Za-z])"
_SEPARATOR: Final = r"['\"]?\s{0,3}[:=]?\s{0,3}['\"]?\(?"
_FIRMWARE: Final = re.compile(
    rf"(?:\bfw_?err(?:or)?|\bfirmware[ _](?:error|status)|\bexitinfo2|\bexit_info_2|\bpsp_ret)\b{_SEPARATOR}{_NUMBER}",
    re.IGNORECASE,
)
_KERNEL: Final = re.compile(rf"\b(?:ret|rc|errno|r)\b{_SEPARATOR}{_NUMBER}", re.IGNORECASE)
_CCP_COMMAND: Final = re.compile(
    r"\b(?:sev|psp) command (0[xX][0-9a-fA-F]{1,4}) (?:failed \((0[xX][0-9a-fA-F]{1,8})\)|timed out)", re.IGNORECASE
)
_CCP_ERROR: Final = re.compile(
    rf"\b(?:SEV(?:-SNP|-ES)?\b.{{0,80}}?)\b(?:error|failed){_SEPARATOR}{_NUMBER}", re.IGNORECASE
)
_NAMES: Final = sorted((command.name for command in CommandId), key=len, reverse=True)
_COMMAND: Final = re.compile(r"(?<![A-Za-z0-9])(?:KVM_SEV_|KVM_|SEV_CMD_)?(" + "|".join(_NAMES) + r")(?![A-Za-z0-9_])")
_FUNCTION: Final = re.compile(r"\b(?:sev|snp|sev_snp)_([a-z_]{4,24})\b")
_FUNCTIONS: Final = {
    "launch_start": CommandId.LAUNCH_START,
    "launch_update_data": CommandId.LAUNCH_UPDATE_DATA,
    "launch_update_vmsa": CommandId.LAUNCH_UPDATE_VMSA,
    "launch_get_measure": CommandId.LAUNCH_MEASURE,
    "inject_launch_secret": CommandId.LAUNCH_SECRET,
    "launch_finish": CommandId.LAUNCH_FINISH,
    "send_start": CommandId.SEND_START,
    "receive_start": CommandId.RECEIVE_START,
    "get_attestation_report": CommandId.ATTESTATION,
}
_ERRNO_NAME: Final = re.compile(r"-?\b(E[A-Z0-9]{2,12})\b")
_BY_NAME: Final = {name: number for number, name in errno.errorcode.items()}


def find_refusals(text: str) -> tuple[Refusal, ...]:
    """What `text`, one log line or several, tells of refused commands, in order; empty if it tells of none.

    Never raises. The same refusal is told once.
    """
    lines = text[:LARGEST_TEXT].splitlines()
    return tuple(islice(dict.fromkeys(_refusals_of(lines)), MOST_REFUSALS))


def command_of(name: str) -> CommandId | None:
    """The command that a person calls `LAUNCH_START`, `KVM_SEV_LAUNCH_START` or `0x30`; None if there is none."""
    wanted = name.strip().upper().replace("-", "_")
    for prefix in ("KVM_SEV_", "SEV_CMD_", "KVM_", "SEV_"):
        wanted = wanted.removeprefix(prefix)
    if wanted in CommandId.__members__:
        return CommandId[wanted]
    try:
        return CommandId(int(wanted, 0))
    except ValueError:
        return None


def _refusals_of(lines: list[str]) -> Iterator[Refusal]:
    for whole in lines:
        line = whole[:2000]
        if (ccp := _CCP_COMMAND.search(line)) is not None:
            number, code = int(ccp[1], 16), ccp[2]
            command = CommandId(number) if number in set(CommandId) else None
            if code is None:
                yield Refusal(-errno.ETIMEDOUT, None, command)
            else:
                yield Refusal(None, _bounded(int(code, 16)), command)
            continue
        firmware = _FIRMWARE.search(line)
        kernel = _KERNEL.search(line)
        if firmware is None and (kernel is None or "sev" in line.lower()):
            firmware = _CCP_ERROR.search(line)
        fw_error = None if firmware is None else _bounded(_value(firmware[1]))
        ret = None if kernel is None else _value(kernel[1])
        if ret is not None and abs(ret) > 4095:
            ret = None
        if ret is None and (named := _ERRNO_NAME.search(line)) is not None and named[1] in _BY_NAME:
            ret = -_BY_NAME[named[1]]
        command = _command_in(line)
        if fw_error is None and (ret is None or not (command or "sev" in line.lower())):
            continue
        yield Refusal(ret, fw_error, command)


def _command_in(line: str) -> CommandId | None:
    if (named := _COMMAND.search(line)) is not None:
        command = CommandId[named[1]]
        if command is CommandId.INIT and "SNP" in line:
            return CommandId.SNP_INIT_EX  # ccp writes "SEV-SNP: failed to INIT"
        return command
    for function in _FUNCTION.findall(line):
        if function in _FUNCTIONS:
            return _FUNCTIONS[function]
    return None


def _value(text: str) -> int:
    lowered = text.lower()
    return int(text, 16) if "x" in lowered else int(text, 10)


def _bounded(value: int) -> int | None:
    """None for a number that is no firmware error."""
    return value if -1 <= value < 1 << 64 else None
