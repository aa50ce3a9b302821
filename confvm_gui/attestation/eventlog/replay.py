"""What registers hold after the events of a log (TPM 2.0 library, part 1, section 11.4.7; PC Client profile, 2.3.4).

A register starts at zeros and takes one event after the other: R = H(R || digest). PCRs 17 to 22 start at ones. PCR 0
starts with the locality that started the measurement, if an EV_NO_ACTION event "StartupLocality" says so, and with
locality 4 after an H-CRTM event, which then must be its first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event, EventLog

PCR_COUNT: Final = 24
CC_REGISTER_COUNT: Final = 5
"""MRTD, RTMR0 to RTMR3."""

_STARTUP_LOCALITY: Final = b"StartupLocality\0"
_EBS_INVOCATION: Final = b"Exit Boot Services Invocation"
_EBS_SUCCESS: Final = b"Exit Boot Services Returned with Success"
_EBS_FAILURE: Final = b"Exit Boot Services Returned with Failure"
_EBS_PCR: Final = 5
_MISSING_EVENTS: Final = (
    (_EBS_INVOCATION, _EBS_SUCCESS),
    (_EBS_INVOCATION, _EBS_FAILURE),
    (_EBS_INVOCATION, _EBS_FAILURE, _EBS_SUCCESS),
)
"""Some firmware measures ExitBootServices but does not log it (go-attestation issue 103 and the like)."""


def replay_pcrs(log: EventLog, algorithm: HashAlgorithm) -> dict[int, bytes]:
    """Value of every PCR that the log has events for, in one bank."""
    return _replay(log.events, algorithm, PCR_COUNT)


def replay_registers(log: EventLog, algorithm: HashAlgorithm = HashAlgorithm.SHA384) -> dict[int, bytes]:
    """Value of every measurement register of a CC event log that has events."""
    return _replay(log.events, algorithm, CC_REGISTER_COUNT, localities=False)


def extend(algorithm: HashAlgorithm, register: bytes, digest: bytes) -> bytes:
    """A register after one more digest."""
    return algorithm.digest(register + digest)


def repaired(register: int, algorithm: HashAlgorithm, value: bytes, wanted: bytes) -> tuple[str, ...]:
    """Events that firmware is known to leave out, if adding them to the register gives what is wanted; else ()."""
    if register != _EBS_PCR:
        return ()
    for missing in _MISSING_EVENTS:
        after = value
        for data in missing:
            after = extend(algorithm, after, algorithm.digest(data))
        if after == wanted:
            return tuple(data.decode("ascii") for data in missing)
    return ()


def _replay(
    events: Iterable[Event], algorithm: HashAlgorithm, limit: int, *, localities: bool = True
) -> dict[int, bytes]:
    registers: dict[int, bytes] = {}
    size = algorithm.size
    zeros = bytes(size)
    start = zeros
    for event in events:
        if event.type == EventType.EV_NO_ACTION:
            if localities and event.register == 0 and event.data[:-1] == _STARTUP_LOCALITY and 0 not in registers:
                start = zeros[:-1] + event.data[-1:]
            continue
        digest = event.digests.get(algorithm)
        if digest is None or event.register >= limit:
            continue
        before = registers.get(event.register)
        if before is None:
            before = zeros
            if localities and event.register == 0:
                hcrtm = event.type == EventType.EV_EFI_HCRTM_EVENT
                before = zeros[:-1] + b"\x04" if hcrtm else start
            elif localities and 17 <= event.register <= 22:
                before = b"\xff" * size
        registers[event.register] = extend(algorithm, before, digest)
    return registers
