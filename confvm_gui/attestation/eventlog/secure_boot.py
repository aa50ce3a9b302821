"""Was Secure Boot on, and by which keys? From the events of PCR 7 (PC Client profile, section 3.3.4.8).

What is asked of them, as go-attestation does (the event log disclosure there says why each matters):

    1. only types that belong there, and only one separator, which holds zeros and is measured as such
    2. every variable once, before the separator, and measured as it is logged
    3. SecureBoot holds 0 or 1
    4. if it is on, PK, KEK and db are not empty and some key was used
    5. no debugger was attached
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event
from confvm_gui.attestation.eventlog.registers import RegisterMap
from confvm_gui.attestation.eventlog.uefi import (
    DeviceNode,
    ImageLoad,
    Signature,
    UefiVariable,
    parse_authority,
    parse_signature_lists,
)
from confvm_gui.domain.errors import InvalidInput

_DATABASES = ("PK", "KEK", "db", "dbx")
_MAX_DRIVERS = 64
"""Whose origin is looked at; it is a hint only."""


@dataclass(slots=True)
class SecureBootState:
    """What the events say. To be believed if there are no problems and the register holds what they replay to."""

    enabled: bool | None = None
    """None: the SecureBoot variable is missing or empty."""
    databases: dict[str, tuple[Signature, ...]] = field(default_factory=dict)
    """`PK`, `KEK`, `db`, `dbx`."""
    early_authorities: list[bytes] = field(default_factory=list)
    """Certificates that let images run before the separator: option ROMs."""
    authorities: list[bytes] = field(default_factory=list)
    """Certificates that let images run after it."""
    authority_events: int = 0
    driver_origins: list[str] = field(default_factory=list)
    """`pci` for drivers out of a PCI device's memory, `unknown` for others; a hint, not measured."""
    dma_protection_disabled: bool = False
    problems: list[str] = field(default_factory=list)
    """What contradicts itself, in clauses."""

    def certificates(self, name: str) -> tuple[str, ...]:
        """SHA-256 of the certificates in a database, hex."""
        return tuple(
            hashlib.sha256(entry.data).hexdigest() for entry in self.databases.get(name, ()) if entry.is_certificate
        )


def secure_boot_state(events: tuple[Event, ...], algorithm: HashAlgorithm, registers: RegisterMap) -> SecureBootState:
    """Read the events of one bank."""
    state = SecureBootState()
    seen: set[str] = set()
    separated = drivers_separated = False
    for event in events:
        if event.register == registers.secure_boot:
            if event.type == EventType.EV_SEPARATOR:
                separated = True
            else:
                _read(state, event, algorithm, registers, seen, separated)
        if event.register == registers.drivers:
            if event.type == EventType.EV_SEPARATOR:
                drivers_separated = True
            elif (
                event.type == EventType.EV_EFI_BOOT_SERVICES_DRIVER
                and not drivers_separated
                and len(state.driver_origins) < _MAX_DRIVERS
            ):
                _read_driver(state, event)
    if state.enabled:  # 4.
        if not state.authority_events:
            state.problems.append("Secure Boot was on, but no key was used")
        state.problems += [
            f"Secure Boot was on, but {name} was empty" for name in ("PK", "KEK", "db") if not state.databases.get(name)
        ]
    return state


def separator_problems(events: tuple[Event, ...], algorithm: HashAlgorithm, registers: RegisterMap) -> list[str]:
    """1. for all registers that have one: exactly one separator, measured as it is logged."""
    problems = []
    seen: set[int] = set()
    separators = {algorithm.digest(data): data for data in (bytes(4), b"\xff" * 4)}
    for event in events:
        if event.register not in registers.separated or event.type == EventType.EV_NO_ACTION:
            continue
        where = f"event {event.number} in {registers.label} {event.register}"
        measured = separators.get(event.digests.get(algorithm, b""))
        if event.type == EventType.EV_SEPARATOR:
            if event.register in seen:
                problems.append(f"a second separator at {where}")
            seen.add(event.register)
            if measured is None:
                if event.data in separators.values() or event.register == registers.secure_boot:
                    problems.append(f"a separator with a wrong digest at {where}")
            elif measured != event.data:
                problems.append(f"a separator with wrong data at {where}")
        elif measured is not None and event.register == registers.secure_boot:
            problems.append(f"an event that is measured as a separator, but is none, at {where}")
    return problems


def _read(
    state: SecureBootState,
    event: Event,
    algorithm: HashAlgorithm,
    registers: RegisterMap,
    seen: set[str],
    separated: bool,
) -> None:
    where = f"event {event.number}"
    match event.type:
        case EventType.EV_NO_ACTION:
            return
        case EventType.EV_EFI_VARIABLE_DRIVER_CONFIG:
            _read_variable(state, event, algorithm, seen, separated)
        case EventType.EV_EFI_VARIABLE_AUTHORITY:
            _read_authority(state, event, algorithm, separated)
        case EventType.EV_EFI_ACTION:
            if event.data == b"UEFI Debug Mode":  # 5.
                state.problems.append(f"a UEFI debugger was attached ({where})")
            elif event.data == b"DMA Protection Disabled":
                state.dma_protection_disabled = True
        case _ if not registers.shared:
            state.problems.append(f"{event.type_name} does not belong into this register ({where})")


def _read_variable(
    state: SecureBootState, event: Event, algorithm: HashAlgorithm, seen: set[str], separated: bool
) -> None:
    where = f"event {event.number}"
    try:
        variable = UefiVariable.parse(event.data)
    except InvalidInput:
        state.problems.append(f"a variable is malformed ({where})")
        return
    if variable.name in seen:  # 2.
        state.problems.append(f"the variable {variable.name} is measured twice ({where})")
        return
    seen.add(variable.name)
    if separated:
        state.problems.append(f"the variable {variable.name} is measured after the separator ({where})")
    if not event.digest_is_of(algorithm, event.data):
        state.problems.append(f"the variable {variable.name} is not what was measured ({where})")
        return
    if variable.name == "SecureBoot":  # 3.
        if len(variable.data) == 1 and variable.data[0] in (0, 1):
            state.enabled = variable.data == b"\x01"
        elif variable.data:
            state.problems.append(f"SecureBoot holds {variable.data[:8].hex()} ({where})")
    elif variable.name in _DATABASES:
        try:
            state.databases[variable.name] = parse_signature_lists(variable.data)
        except InvalidInput:
            state.problems.append(f"{variable.name} is malformed ({where})")


def _read_authority(state: SecureBootState, event: Event, algorithm: HashAlgorithm, separated: bool) -> None:
    where = f"event {event.number}"
    try:
        variable = UefiVariable.parse(event.data)
    except InvalidInput:
        state.problems.append(f"an authority is malformed ({where})")
        return
    # Versions of shim log one byte more than they measure (go-attestation issue 157).
    if not event.digest_is_of(algorithm, event.data) and not event.digest_is_of(algorithm, event.data[:-1]):
        state.problems.append(f"an authority is not what was measured ({where})")
        return
    state.authority_events += 1
    certificate = parse_authority(variable)
    if certificate:
        (state.authorities if separated else state.early_authorities).append(certificate)


def _read_driver(state: SecureBootState, event: Event) -> None:
    """A driver that comes from a PCI device has a path with a PCI node and, behind it, a relative offset."""
    try:
        nodes = ImageLoad.parse(event.data).path
    except InvalidInput:
        state.problems.append(f"a driver's image load event is malformed (event {event.number})")
        return
    first = next((at for at, node in enumerate(nodes) if (node.type, node.subtype) == (1, 1)), len(nodes))
    behind: tuple[DeviceNode, ...] = nodes[first:]
    from_pci = any((node.type, node.subtype) == (4, 8) for node in behind)
    state.driver_origins.append("pci" if from_pci else "unknown")
