"""Event logs against registers that somebody quoted.

1. the log is well-formed, and its separators stand where they must
2. replaying it gives the quoted value of every register that it has events for
3. only then are its facts claimed: Secure Boot, firmware, applications, GRUB and kernel, and every event in a line
"""

from __future__ import annotations

from collections.abc import Mapping

from confvm_gui.attestation.codes import Code
from confvm_gui.attestation.eventlog.algorithms import HashAlgorithm
from confvm_gui.attestation.eventlog.boot_facts import BootFacts, boot_facts
from confvm_gui.attestation.eventlog.canonical import CC_REGISTER, PCR, parse_canonical_log, replay_canonical
from confvm_gui.attestation.eventlog.event_lines import event_lines
from confvm_gui.attestation.eventlog.log import EventLog, parse_event_log
from confvm_gui.attestation.eventlog.registers import RTMR, TPM, RegisterMap
from confvm_gui.attestation.eventlog.replay import (
    CC_REGISTER_COUNT,
    PCR_COUNT,
    repaired,
    replay_pcrs,
    replay_registers,
)
from confvm_gui.attestation.eventlog.secure_boot import SecureBootState, secure_boot_state, separator_problems
from confvm_gui.attestation.inquiry import Inquiry
from confvm_gui.domain.attestation import Evidence

_MAX_PROBLEMS = 20
_BANKS = (HashAlgorithm.SHA384, HashAlgorithm.SHA256, HashAlgorithm.SHA512, HashAlgorithm.SM3_256, HashAlgorithm.SHA1)
"""In the order of preference for reading facts."""


def check_tpm_log(inquiry: Inquiry, raw: bytes, banks: Mapping[HashAlgorithm, Mapping[int, bytes]]) -> EventLog:
    """Check a log against quoted PCRs, by bank; InvalidInput("evidence")."""
    log = parse_event_log(raw)
    matched: set[HashAlgorithm] = set()
    for algorithm, quoted in banks.items():
        if algorithm not in log.algorithms:
            continue
        fits = True
        for pcr, value in sorted(replay_pcrs(log, algorithm).items()):
            if pcr in quoted and value != quoted[pcr]:
                fits &= _mismatch(inquiry, f"PCR {pcr} ({algorithm.label})", pcr, algorithm, value, quoted[pcr])
        if fits:
            matched.add(algorithm)
    if not matched and not set(banks) & set(log.algorithms):
        inquiry.error(
            Code.EVENT_LOG_MISMATCH,
            "event log",
            expected=", ".join(algorithm.label for algorithm in banks),
            actual=", ".join(algorithm.label for algorithm in log.algorithms),
        )
    chosen = next((algorithm for algorithm in _BANKS if algorithm in matched), None)
    if chosen is not None:
        quoted = banks[chosen]
        _facts(inquiry, log, chosen, TPM, frozenset(quoted))
    return log


def check_cc_log(inquiry: Inquiry, raw: bytes, rtmrs: tuple[bytes, ...]) -> EventLog:
    """Check a CC event log against RTMR0 to RTMR3; InvalidInput("evidence"). RTMR3 is extended at run time."""
    log = parse_event_log(raw)
    algorithm = HashAlgorithm.SHA384
    values = replay_registers(log, algorithm)
    fits = algorithm in log.algorithms
    if not fits:
        inquiry.error(Code.EVENT_LOG_MISMATCH, "CC event log", expected=algorithm.label)
    for index, quoted in enumerate(rtmrs, start=1):
        value = values.get(index, bytes(algorithm.size))
        if value != quoted and (index in values or index < CC_REGISTER_COUNT - 1):
            fits = False
            inquiry.error(Code.EVENT_LOG_MISMATCH, f"RTMR{index - 1}", expected=quoted.hex(), actual=value.hex())
    if fits:
        _facts(inquiry, log, algorithm, RTMR, frozenset(range(CC_REGISTER_COUNT)))
    return log


def verify_log_alone(inquiry: Inquiry, evidence: Evidence, *, confidential: bool) -> None:
    """Look at a log that nobody signed: claims for people, never trusted; InvalidInput("evidence")."""
    log = parse_event_log(evidence.data)
    inquiry.error(Code.NOT_SIGNED, "event log", expected="a quote of the registers")
    for algorithm in log.algorithms:
        values = replay_registers(log, algorithm) if confidential else replay_pcrs(log, algorithm)
        for index, value in sorted(values.items()):
            name = f"rtmr{index - 1}" if confidential else f"pcr.{algorithm.label}.{index}"
            inquiry.claim(name, value, "event log, replayed")
    chosen = next((algorithm for algorithm in _BANKS if algorithm in log.algorithms), None)
    if chosen is not None:
        _facts(inquiry, log, chosen, RTMR if confidential else TPM, frozenset(range(PCR_COUNT)))


def verify_canonical_alone(inquiry: Inquiry, evidence: Evidence) -> None:
    """Look at a canonical log that nobody signed; InvalidInput("evidence")."""
    records = parse_canonical_log(evidence.data)
    inquiry.error(Code.NOT_SIGNED, "canonical event log", expected="a quote of the registers")
    inquiry.claim("events", len(records), "canonical event log")
    for algorithm in HashAlgorithm:
        for kind, label in ((PCR, f"pcr.{algorithm.label}."), (CC_REGISTER, "rtmr")):
            for index, value in sorted(replay_canonical(records, kind, algorithm).items()):
                inquiry.claim(
                    f"{label}{index - 1 if kind == CC_REGISTER else index}", value, "canonical event log, replayed"
                )
    for record in records:
        if not record.digest_matches():
            inquiry.error(Code.EVENT_INVALID, f"canonical event log, record {record.number}", expected="its own digest")
            continue
        pair = record.cos()
        if pair is not None:
            inquiry.claim(
                f"container.{pair[0]}.{record.number}", pair[1], f"canonical event log, record {record.number}"
            )


def _mismatch(
    inquiry: Inquiry, source: str, register: int, algorithm: HashAlgorithm, value: bytes, quoted: bytes
) -> bool:
    """Record that a register does not fit; True if events that firmware leaves out explain it."""
    added = repaired(register, algorithm, value, quoted)
    if added:
        inquiry.warning(Code.EVENT_LOG_REPAIRED, source, actual=", ".join(added))
        return True
    inquiry.error(Code.EVENT_LOG_MISMATCH, source, expected=quoted.hex(), actual=value.hex())
    return False


def _facts(
    inquiry: Inquiry, log: EventLog, algorithm: HashAlgorithm, registers: RegisterMap, quoted: frozenset[int]
) -> None:
    """3. Facts out of registers that were quoted."""
    events = tuple(event for event in log.events if event.register in quoted)
    inquiry.claim("events", len(log.events), "event log")
    _report(inquiry, "event log", separator_problems(events, algorithm, registers))
    if registers.secure_boot in quoted:
        _claim_secure_boot(inquiry, secure_boot_state(events, algorithm, registers), registers)
    _claim_boot(inquiry, boot_facts(events, algorithm, registers), registers)
    for register, lines in sorted(event_lines(events, algorithm).items()):
        if registers is TPM:
            inquiry.claim(f"events.pcr.{register}", lines, f"event log, PCR {register}")
        elif register:  # a TD's register 0 is MRTD, which no event goes into
            inquiry.claim(f"events.rtmr{register - 1}", lines, f"event log, RTMR{register - 1}")


def _report(inquiry: Inquiry, source: str, problems: list[str]) -> None:
    """An error for each problem, up to a number that a person can read."""
    for problem in problems[:_MAX_PROBLEMS]:
        inquiry.error(Code.EVENT_INVALID, source, actual=problem)
    if len(problems) > _MAX_PROBLEMS:
        inquiry.error(Code.EVENT_INVALID, source, actual=f"{len(problems) - _MAX_PROBLEMS} more")


def _claim_secure_boot(inquiry: Inquiry, state: SecureBootState, registers: RegisterMap) -> None:
    source = f"event log, {registers.label} {registers.secure_boot}"
    _report(inquiry, source, state.problems)
    if state.enabled is None:
        inquiry.warning(Code.SECURE_BOOT_UNKNOWN, source, expected="SecureBoot with 0 or 1")
    elif not state.problems:
        inquiry.claim("secure_boot", state.enabled, source)
        for name in ("PK", "KEK", "db"):
            inquiry.claim(f"secure_boot.{name.lower()}", state.certificates(name), source)
        inquiry.claim("secure_boot.dbx_entries", len(state.databases.get("dbx", ())), source)
        inquiry.claim("secure_boot.authorities", len(state.authorities), source)
        inquiry.claim("secure_boot.early_authorities", len(state.early_authorities), source)
        if not state.enabled:
            inquiry.warning(Code.SECURE_BOOT_OFF, source)
    if state.dma_protection_disabled:
        inquiry.claim("dma_protection_disabled", True, source)


def _claim_boot(inquiry: Inquiry, facts: BootFacts, registers: RegisterMap) -> None:
    _report(inquiry, "event log", facts.problems)
    for problem in facts.firmware_problems[:_MAX_PROBLEMS]:
        inquiry.warning(Code.EVENT_INVALID, f"event log, {registers.label} {registers.firmware}", actual=problem)
    for name, value, source in (
        ("firmware.version", facts.firmware_version, f"{registers.label} {registers.firmware}"),
        ("gce.technology", facts.technology, f"{registers.label} {registers.firmware}"),
        ("confvm.technology", facts.emulated_technology, f"{registers.label} {registers.firmware}"),
        ("efi_applications", tuple(facts.applications), f"{registers.label} {registers.applications}"),
        ("grub.commands", tuple(facts.grub_commands), f"{registers.label} {registers.grub_commands}"),
        ("grub.files", tuple(facts.grub_files), f"{registers.label} {registers.grub_files}"),
        ("kernel_command_line", facts.kernel_command_line, f"{registers.label} {registers.grub_commands}"),
        ("load_options_digest", facts.load_options_digest, "EV_EVENT_TAG"),
        ("initrd_digest", facts.initrd_digest, "EV_EVENT_TAG"),
        ("agent_events", tuple(facts.agent_events), "EV_EVENT_TAG"),
    ):
        if value:
            inquiry.claim(name, value, f"event log, {source}")
    if facts.gce_firmware is not None:
        inquiry.claim("gce.firmware", facts.gce_firmware, f"event log, {registers.label} {registers.firmware}")
