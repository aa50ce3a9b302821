"""What was booted: firmware version, memory encryption as GCE's firmware states it, applications, GRUB, kernel.

Only what the register proves is taken: data whose hash is the measured digest, before the point from which on later
software could have written the event itself (the separator for firmware, ExitBootServices for applications).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.event_types import EventType
from confvm_gui.attestation.eventlog.log import Event
from confvm_gui.attestation.eventlog.registers import RegisterMap
from confvm_gui.attestation.eventlog.text import plain_text, tagged
from confvm_gui.domain.errors import InvalidInput

_NON_HOST_INFO: Final = b"GCE NonHostInfo\0"
_EMULATED_INFO: Final = b"CVM NonHostInfo\0"
"""The embedded emulator's statement: of the same form, under a name of its own."""
_GCE_FIRMWARE: Final = "GCE Virtual Firmware v".encode("utf-16-le")
_TECHNOLOGIES: Final = {0: "none", 1: "sev", 2: "sev-es", 3: "tdx", 4: "sev-snp", 5: "tdx"}
"""Of GceNonHostInfo. TDX is 5 in go-tpm-tools' attest.proto, and 3 in what GCE's firmware measures."""
_GRUB_COMMAND_LINES: Final = (b"kernel_cmdline: ", b"grub_kernel_cmdline ")
_GRUB_PREFIXES: Final = (*_GRUB_COMMAND_LINES, b"grub_cmd: ", b"module_cmdline: ", b"grub_cmd ")
_EXIT: Final = b"Exit Boot Services Invocation"
_LOAD_OPTIONS_TAG: Final = 0x8F3B22ED
_INITRD_TAG: Final = 0x8F3B22EC
"""Tags of Linux's EFI stub; the stub measures the command line and the initrd, and logs only their names."""


@dataclass(slots=True)
class BootFacts:
    """What the events of one bank prove."""

    firmware_version: str = ""
    gce_firmware: int | None = None
    """GCE's firmware version, or None on other machines."""
    technology: str = ""
    """Memory encryption, as GCE's firmware states it: `sev`, `sev-es`, `sev-snp`, `tdx`, `none`; "" elsewhere."""
    emulated_technology: str = ""
    """Likewise, as the embedded emulator states it; "" elsewhere."""
    applications: list[str] = field(default_factory=list)
    """Digests of EFI applications (shim, boot loader, kernel) in order, if ExitBootServices was measured after them."""
    grub_commands: list[str] = field(default_factory=list)
    grub_files: list[str] = field(default_factory=list)
    """Digest and name of each file that GRUB read; the name is not measured."""
    kernel_command_line: str = ""
    load_options_digest: str = ""
    initrd_digest: str = ""
    agent_events: list[str] = field(default_factory=list)
    """What attestation agents measured at run time (AAEL): domain, operation, content."""
    problems: list[str] = field(default_factory=list)
    """What contradicts itself, in clauses."""
    firmware_problems: list[str] = field(default_factory=list)


def boot_facts(events: tuple[Event, ...], algorithm: HashAlgorithm, registers: RegisterMap) -> BootFacts:
    """Read the events of one bank."""
    facts = BootFacts()
    _read_firmware(facts, events, algorithm, registers)
    _read_applications(facts, events, algorithm, registers)
    for event in events:
        if event.type == EventType.EV_IPL and event.register == registers.grub_commands:
            _read_grub_command(facts, event, algorithm)
        if event.type == EventType.EV_IPL and event.register == registers.grub_files:
            _read_grub_file(facts, event, algorithm, registers)
        if event.type == EventType.EV_EVENT_TAG:
            _read_tag(facts, event, algorithm)
    return facts


def technology_of(non_host_info: bytes, signature: bytes = _NON_HOST_INFO) -> str:
    """Memory encryption in a non-host information event of GCE's form, or "" if it is under another signature."""
    if len(non_host_info) <= len(signature) or not non_host_info.startswith(signature):
        return ""
    return _TECHNOLOGIES.get(non_host_info[len(signature)], "")


def gce_version_of(s_crtm_version: bytes) -> int | None:
    """Firmware version in GCE's S-CRTM version event, or None if it is another's."""
    if not s_crtm_version.startswith(_GCE_FIRMWARE) or len(s_crtm_version) % 2:
        return None
    digits = s_crtm_version[len(_GCE_FIRMWARE) :].decode("utf-16-le", "replace").rstrip("\0")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None


def _read_firmware(
    facts: BootFacts, events: tuple[Event, ...], algorithm: HashAlgorithm, registers: RegisterMap
) -> None:
    for event in events:
        if event.register != registers.firmware or event.type == EventType.EV_NO_ACTION:
            continue
        if event.type == EventType.EV_SEPARATOR or event.digest_is_of(algorithm, bytes(4)):
            return  # what comes later is not the firmware's
        if event.type not in (EventType.EV_S_CRTM_VERSION, EventType.EV_NONHOST_INFO):
            continue
        if not event.digest_is_of(algorithm, event.data):
            facts.firmware_problems.append(f"{event.type_name} is not what was measured (event {event.number})")
        elif event.type == EventType.EV_S_CRTM_VERSION:
            facts.gce_firmware = gce_version_of(event.data)
            text = event.data.decode("utf-16-le", "replace").rstrip("\0")
            facts.firmware_version = text if text.isprintable() else event.data.hex()
        else:
            facts.technology = technology_of(event.data)
            facts.emulated_technology = technology_of(event.data, _EMULATED_INFO)


def _read_applications(
    facts: BootFacts, events: tuple[Event, ...], algorithm: HashAlgorithm, registers: RegisterMap
) -> None:
    leaving = algorithm.digest(_EXIT)
    found: list[str] = []
    for event in events:
        digest = event.digests.get(algorithm, b"")
        if event.register == registers.exit_boot_services and digest == leaving:
            if event.type != EventType.EV_EFI_ACTION or event.data != _EXIT:
                facts.problems.append(f"ExitBootServices is logged as something else (event {event.number})")
            facts.applications = found
            return
        if event.register == registers.applications and event.type == EventType.EV_EFI_BOOT_SERVICES_APPLICATION:
            found.append(digest.hex())


def _read_grub_command(facts: BootFacts, event: Event, algorithm: HashAlgorithm) -> None:
    prefix = next((item for item in _GRUB_PREFIXES if event.data.startswith(item)), None)
    if prefix is None:
        return
    command = event.data[len(prefix) :]
    if not _measures(event, algorithm, command):
        facts.problems.append(f"a GRUB command is not what was measured (event {event.number})")
        return
    text = command.split(b"\0")[0].decode("utf-8", "replace")
    facts.grub_commands.append(text)
    if prefix in _GRUB_COMMAND_LINES:
        if facts.kernel_command_line:
            facts.problems.append(f"a second kernel command line (event {event.number})")
        facts.kernel_command_line = text


def _read_grub_file(facts: BootFacts, event: Event, algorithm: HashAlgorithm, registers: RegisterMap) -> None:
    shared = registers.grub_files == registers.grub_commands
    if shared and any(event.data.startswith(prefix) for prefix in _GRUB_PREFIXES):
        return
    digest = event.digests.get(algorithm)
    if digest is not None:
        facts.grub_files.append(f"{digest.hex()} {plain_text(event.data)}".rstrip())


def _read_tag(facts: BootFacts, event: Event, algorithm: HashAlgorithm) -> None:
    try:
        tag, content = tagged(event.data)
    except InvalidInput:
        return
    digest = event.digests.get(algorithm, b"").hex()
    if tag == _LOAD_OPTIONS_TAG:
        facts.load_options_digest = digest
    elif tag == _INITRD_TAG:
        facts.initrd_digest = digest
    elif event.data.startswith(b"LEAA") and event.digest_is_of(algorithm, event.data):
        facts.agent_events.append(content.decode("utf-8", "replace"))


def _measures(event: Event, algorithm: HashAlgorithm, text: bytes) -> bool:
    """Whether the digest is that of `text`: with or without its final NUL, or the stray byte that some GRUBs log."""
    bare = text.split(b"\0")[0]
    return any(event.digest_is_of(algorithm, form) for form in dict.fromkeys((text, bare, bare + b"\0")))
