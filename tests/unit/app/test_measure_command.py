"""`confvm measure`: the peer's options give the peer's digests, and what is wrong is told in one line."""

from __future__ import annotations

import argparse
import base64
import importlib
import io
import json
import sys
import warnings
from pathlib import Path

import pytest

from confvm_gui.app.measure_command import add_measure_parser, run_measure
from confvm_gui.domain.errors import InvalidInput
from tests.unit.sev.firmware_images import DEBIAN, make_image

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its layouts are of a kind that newer versions of Python warn of
    PEER = importlib.import_module("sevsnpmeasure.cli")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a firmware that measures kernels, a kernel and an initrd."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "firmware.fd").write_bytes(make_image(3))
    (tmp_path / "vmlinuz").write_bytes(b"a kernel")
    (tmp_path / "initrd").write_bytes(b"an initrd" * 300_000)
    return tmp_path


def measure(line: str, *more: str) -> str:
    parser = argparse.ArgumentParser()
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--json", action="store_true")
    add_measure_parser(parser.add_subparsers(), [everywhere])
    out = io.StringIO()
    assert run_measure(parser.parse_args(["measure", *line.split(), *more]), out) == 0
    return out.getvalue()


def peer(line: str, *more: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["sev-snp-measure", *line.split(), *more])
    assert PEER.main() == 0
    return capsys.readouterr().out


LINES = [
    "--mode sev --ovmf firmware.fd",
    "--mode sev --ovmf firmware.fd --kernel vmlinuz --output-format base64",
    "--mode sev --ovmf firmware.fd --kernel /dev/null --initrd /dev/null -v",
    "--mode seves --ovmf firmware.fd --vcpus 3 --vcpu-type EPYC-Rome",
    "--mode seves --ovmf firmware.fd --vcpus 2 --vcpu-sig 0x800f12 --kernel vmlinuz --initrd initrd --verbose",
    "--mode snp --ovmf firmware.fd --vcpus 255 --vcpu-type EPYC-Genoa-v1 --guest-features 0x21",
    "--mode snp --ovmf firmware.fd --vcpus 4 --vcpu-family 26 --vcpu-model 2 --vcpu-stepping 1 --kernel vmlinuz",
    "--mode snp --ovmf firmware.fd --vcpus 4 --vmm-type ec2 --kernel vmlinuz --initrd initrd",
    "--mode snp --ovmf firmware.fd --vcpus 4 --vmm-type gce --output-format base64",
    f"--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-sig 8392466 --snp-ovmf-hash {'ab' * 48}",
    "--mode snp:ovmf-hash --ovmf firmware.fd",
    f"--mode snp:ovmf-hash --ovmf {DEBIAN[0]}",
]


@pytest.mark.parametrize("line", LINES)
def test_output_is_the_peers(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder.is_dir()
    more = ("--append", "console=ttyS0 grüße") if "--kernel vmlinuz" in line else ()
    assert measure(line, *more) == peer(line, *more, monkeypatch=monkeypatch, capsys=capsys)


def test_dumped_vmsas_are_the_peers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "--mode snp --ovmf firmware.fd --vcpus 3 --vcpu-type EPYC --dump-vmsa"
    peer(line, monkeypatch=monkeypatch, capsys=capsys)
    theirs = [(folder / f"vmsa{index}.bin").read_bytes() for index in range(3)]
    for index in range(3):
        (folder / f"vmsa{index}.bin").unlink()
    measure(line)
    assert [(folder / f"vmsa{index}.bin").read_bytes() for index in range(3)] == theirs
    (folder / "vmsa1.bin").unlink()
    (folder / "vmsa1.bin").mkdir()
    with pytest.raises(InvalidInput, match=r"vmsa1\.bin cannot be written"):
        measure(line)


def test_json(folder: Path) -> None:
    assert folder.is_dir()
    line = "--mode snp --ovmf firmware.fd --vcpus 2 --vcpu-type EPYC-Milan --kernel vmlinuz"
    answer = json.loads(measure(line + " --json"))
    assert answer == {
        "mode": "snp",
        "output_format": "hex",
        "measurement": measure(line).strip(),
        "kernel_hashes": True,
        "vcpus": 2,
        "vmm_type": "QEMU",
        "vcpu_sig": "0xa00f11",
        "guest_features": "0x1",
    }
    plain = json.loads(measure("--mode sev --ovmf firmware.fd --json --output-format base64"))
    assert set(plain) == {"mode", "output_format", "measurement", "kernel_hashes"}
    assert len(base64.b64decode(plain["measurement"], validate=True)) == 32
    assert json.loads(measure("--mode snp:ovmf-hash --ovmf firmware.fd --json"))["mode"] == "snp:ovmf-hash"


def test_newer_types_and_spellings(folder: Path) -> None:
    assert folder.is_dir()
    line = "--mode snp --ovmf firmware.fd --vcpus 2 --vcpu-type "
    assert measure(line + "EPYC-Milan-v3") == measure(line + "EPYC-Milan")
    gce = "--mode snp --ovmf firmware.fd --vcpus 2 --vmm-type "
    assert measure(gce + "GCE") == measure(gce + "gce")


@pytest.mark.parametrize(
    ("line", "field", "why"),
    [
        ("--mode snp:svsm --ovmf firmware.fd --vcpus 1 --svsm svsm.bin --vars-size 3", "mode", "SVSM"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-type EPYC --svsm svsm.bin", "mode", "SVSM"),
        ("--mode snp --ovmf firmware.fd --vcpu-type EPYC", "vcpus", "how many"),
        ("--mode snp --ovmf firmware.fd --vcpus 0 --vcpu-type EPYC", "vcpus", "1 to"),
        ("--mode snp --ovmf firmware.fd --vcpus 1", "vcpu-type", "which vCPU"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-type Opteron", "vcpu-type", "EPYC-Rome"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-family 25", "vcpu-family", "--vcpu-model"),
        ("--mode seves --ovmf firmware.fd --vcpus 1 --vcpu-sig 0x100000000", "vcpu-sig", "32 bits"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vmm-type xen", "vmm-type", "QEMU, ec2, gce"),
        ("--mode sev --ovmf firmware.fd --initrd initrd", "initrd", "--kernel"),
        ("--mode sev --ovmf firmware.fd --append quiet", "append", "--kernel"),
        ("--mode sev --ovmf nowhere.fd", "ovmf", "No such file"),
        ("--mode sev --ovmf .", "ovmf", "directory"),
        ("--mode sev --ovmf /dev/null", "ovmf", "1 byte"),
        ("--mode sev --ovmf /dev/zero", "ovmf", "64 MiB"),
        ("--mode snp --ovmf initrd --vcpus 1 --vcpu-type EPYC", "ovmf", "whole pages"),
        ("--mode seves --ovmf initrd --vcpus 1 --vcpu-type EPYC", "ovmf", "reset block"),
        ("--mode sev --ovmf initrd --kernel vmlinuz", "ovmf", "does not measure"),
        ("--mode sev --ovmf firmware.fd --kernel nowhere", "kernel", "No such file"),
        ("--mode sev --ovmf firmware.fd --kernel vmlinuz --initrd nowhere", "initrd", "No such file"),
        ("--mode sev --ovmf firmware.fd --dump-vmsa", "dump-vmsa", "no VMSA"),
        ("--mode sev --ovmf firmware.fd --snp-ovmf-hash abcd", "snp-ovmf-hash", "SEV-SNP only"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-type EPYC --snp-ovmf-hash ab", "snp-ovmf-hash", "48 bytes"),
        ("--mode snp --ovmf firmware.fd --vcpus 1 --vcpu-type EPYC --snp-ovmf-hash xy", "snp-ovmf-hash", "hexadecimal"),
    ],
)
def test_what_is_wrong_is_told(line: str, field: str, why: str, folder: Path) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        measure(line)
    assert caught.value.field == field
    assert "\n" not in caught.value.message
    assert not list(folder.glob("vmsa*"))
