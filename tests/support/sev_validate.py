"""`virt-qemu-sev-validate` as a second opinion on SEV launches: Debian's and Ubuntu's `libvirt-clients-qemu`."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from confvm_gui.sev.measurement import FirmwareVersion

_TOOL = Path("/usr/bin/virt-qemu-sev-validate")
_PYTHON = "/usr/bin/python3"
"""The distribution's: the tool stands on its libvirt, lxml and cryptography."""


class Outcome(NamedTuple):
    """How the tool ended."""

    accepted: bool
    message: str


def validate(
    folder: Path,
    *,
    measurement: bytes,
    version: FirmwareVersion,
    policy: int,
    keys: bytes,
    firmware: bytes,
    options: Sequence[str | Path] = (),
) -> Outcome:
    """Let the tool compare `measurement` (48 bytes); `keys` are TEK || TIK."""
    assert _TOOL.is_file(), f"{_TOOL} is missing; install libvirt-clients-qemu, python3-lxml and python3-cryptography"
    (folder / "tk.bin").write_bytes(keys)
    (folder / "firmware.fd").write_bytes(firmware)
    command = [
        *(_PYTHON, str(_TOOL)),
        *("--measurement", base64.b64encode(measurement).decode()),
        *("--api-major", str(version.api_major), "--api-minor", str(version.api_minor)),
        *("--build-id", str(version.build), "--policy", str(policy)),
        *("--tk", str(folder / "tk.bin"), "--firmware", str(folder / "firmware.fd")),
        *map(str, options),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 or "ERROR: " in done.stderr, done.stderr
    return Outcome(done.returncode == 0, done.stdout + done.stderr)


def sealed_secret(folder: Path) -> tuple[bytes, bytes]:
    """Header and payload that the tool wrote to `header` and `payload` in `folder`."""
    header, payload = ((folder / name).read_bytes() for name in ("header", "payload"))
    return base64.b64decode(header), base64.b64decode(payload)
