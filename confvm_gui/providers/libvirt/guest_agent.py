"""Programs run in a guest by its agent (QEMU Guest Agent Protocol: guest-exec, guest-exec-status).

The agent is the guest's own: all that it says is the guest's word, and is taken apart with care.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import GuestFault, Transient, Unsupported
from confvm_gui.providers.libvirt.connection import LONG_SECONDS
from confvm_gui.providers.libvirt.errors import wording

if TYPE_CHECKING:
    import libvirt

    from confvm_gui.providers.libvirt.capabilities import Connection

_ANSWER_SECONDS: Final = 5
"""That libvirt waits for one answer of the agent."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
_LONGEST_OUTPUT: Final = 8 << 20
"""Characters of base64; libvirt itself takes about 10 MB."""
_LONGEST_ERRORS: Final = 300
_REFUSED: Final = ("has been disabled", "is not found", "not allowed", "CommandNotFound")
"""How agents say that they do not run programs: distributions switch it off in the agent's configuration."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program in the guest ended."""

    code: int
    """Exit code; -1 if a signal ended it."""
    output: bytes
    errors: str
    """The last two lines of its standard error."""


async def run_in_guest(connection: Connection, instance_id: str, command: Sequence[str], *, seconds: float) -> Ended:
    """Run a program by its path and wait for its end, at most `seconds`.

    Raises Transient while no agent answers, Unsupported if it may not run programs, GuestFault for answers that are
    none and a program that does not end, NotFound.
    """
    run = partial(_run, instance_id=instance_id, command=command, seconds=seconds)
    # Long enough for a connection of its own: an agent that is silent holds up no other call.
    return await connection.call(run, seconds=seconds + LONG_SECONDS)


def read_answer(text: str) -> Mapping[str, object]:
    """What stands in an answer. Raises GuestFault."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise GuestFault("The guest's agent answers what is not JSON") from None
    found = answer.get("return") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise GuestFault("The guest's agent answers something else than what it was asked")
    return found


def ended_of(status: Mapping[str, object]) -> Ended:
    """The answer of guest-exec-status about a program that has ended. Raises GuestFault."""
    lines = _binary(status, "err-data").decode("utf-8", "replace").split("\n")
    said = "; ".join([line.strip() for line in lines if line.strip()][-2:])
    code = _integer(status, "exitcode") if "exitcode" in status else -1
    return Ended(code, _binary(status, "out-data"), said[-_LONGEST_ERRORS:])


def _integer(answer: Mapping[str, object], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 31) <= value < 1 << 31:
        raise GuestFault(f"The guest's agent gives no number as {name}")
    return value


def _binary(answer: Mapping[str, object], name: str) -> bytes:
    value = answer.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_OUTPUT:
        raise GuestFault(f"The guest's agent gives no text as {name}, or far too much")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise GuestFault(f"What the guest's agent gives as {name} is not base64") from None


# In a thread ------------------------------------------------------------------------------------------------------


def _run(conn: libvirt.virConnect, instance_id: str, command: Sequence[str], seconds: float) -> Ended:
    domain = conn.lookupByUUIDString(str(uuid.UUID(instance_id)))
    arguments = {"path": command[0], "arg": list(command[1:]), "capture-output": True}
    pid = _integer(_ask(domain, "guest-exec", arguments), "pid")
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while (status := _ask(domain, "guest-exec-status", {"pid": pid})).get("exited") is not True:
        if time.monotonic() > deadline:
            raise GuestFault(f"What the guest's agent was asked to run has not ended within {seconds:g} seconds")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return ended_of(status)


def _ask(domain: libvirt.virDomain, command: str, arguments: Mapping[str, object]) -> Mapping[str, object]:
    import libvirt
    import libvirt_qemu

    text = json.dumps({"execute": command, "arguments": arguments})
    try:
        return read_answer(libvirt_qemu.qemuAgentCommand(domain, text, _ANSWER_SECONDS, 0))
    except libvirt.libvirtError as error:
        said = wording(error)
        if any(word in said for word in _REFUSED):
            raise Unsupported(
                "The guest's agent may not run programs: allow guest-exec in its configuration, /etc/qemu/qemu-ga.conf "
                f"or /etc/sysconfig/qemu-ga (libvirt: {said})"
            ) from None
        if error.get_error_code() == libvirt.VIR_ERR_AGENT_UNRESPONSIVE:
            raise Transient(
                "No agent answers in the guest: it may still be starting, or qemu-guest-agent is not installed in it "
                f"(libvirt: {said})"
            ) from None
        raise
