"""tpm2-tools as a second opinion on TPM quotes and event logs: Debian's and Ubuntu's package `tpm2-tools`."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_ALGORITHMS = {"sha256": (0x000B, 32), "sha384": (0x000C, 48)}
_BANKS = 16
_DIGESTS = 8
"""Sizes of the C arrays that the tool's file of PCR values is written out of."""


class Outcome(NamedTuple):
    """How a tool ended."""

    accepted: bool
    message: str
    """What it said on its standard error."""


class QuoteFiles(NamedTuple):
    """What `check_quote` hands to the tool."""

    attest: bytes
    signature: bytes
    public: bytes
    """TPM2B_PUBLIC."""
    selection: Mapping[str, Sequence[int]]
    """Bank → PCRs."""
    pcrs: bytes
    """Their digests, one after the other."""


def check_quote(folder: Path, quote: QuoteFiles, nonce: bytes, *, event_log: bytes | None = None) -> Outcome:
    """`tpm2_checkquote`, which verifies signature, nonce, PCR values and, if one is given, the event log."""
    command = ["tpm2_checkquote", "--qualification", nonce.hex(), "--hash-algorithm", "sha256"]
    files = {
        "message": quote.attest,
        "signature": quote.signature,
        "public": quote.public,
        "pcr": _serialised(quote.selection, quote.pcrs),
    }
    if event_log is not None:
        files["eventlog"] = event_log
    for option, content in files.items():
        (folder / option).write_bytes(content)
        command += [f"--{option}", str(folder / option)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return Outcome(done.returncode == 0, done.stderr)


def replay_log(folder: Path, event_log: bytes) -> tuple[Outcome, str, dict[str, dict[int, bytes]]]:
    """`tpm2_eventlog`: how it ended, its YAML, and the PCR values by bank that it replays the log to."""
    path = folder / "event_log"
    path.write_bytes(event_log)
    done = subprocess.run(["tpm2_eventlog", str(path)], capture_output=True, text=True, timeout=20, check=False)
    found: dict[str, dict[int, bytes]] = {}
    bank = ""
    for line in done.stdout.partition("\npcrs:\n")[2].splitlines():
        if name := re.fullmatch(r" +(\w+):", line):
            bank = name[1]
        elif value := re.fullmatch(r" +(\d+) *: 0x([0-9a-f]+)", line):
            # The tool leaves a leading zero out.
            found.setdefault(bank, {})[int(value[1])] = int(value[2], 16).to_bytes(_ALGORITHMS[bank][1], "big")
    return Outcome(done.returncode == 0, done.stderr), done.stdout, found


def _serialised(selection: Mapping[str, Sequence[int]], pcrs: bytes) -> bytes:
    """PCR values as `tpm2_quote --pcr` writes them: TPML_PCR_SELECTION and TPML_DIGESTs as C structures.

    Not the bare digests with `--pcr-list`: of these the tool (5.4) reads no more than seven.
    """
    entries = [
        struct.pack("<HB4s", _ALGORITHMS[bank][0], 3, sum(1 << pcr for pcr in wanted).to_bytes(4, "little")) + b"\0"
        for bank, wanted in selection.items()
    ]
    digests = []
    position = 0
    for bank, wanted in selection.items():
        size = _ALGORITHMS[bank][1]
        for _ in wanted:
            digests.append(struct.pack("<H64s", size, pcrs[position : position + size]))
            position += size
    lists = [digests[at : at + _DIGESTS] for at in range(0, len(digests), _DIGESTS)]
    written = struct.pack("<I", len(entries)) + b"".join(entries) + bytes(8 * (_BANKS - len(entries)))
    written += struct.pack("<I", len(lists))
    return written + b"".join(
        struct.pack("<I", len(items)) + b"".join(items) + bytes(66 * (_DIGESTS - len(items))) for items in lists
    )
