"""OVMF pre-flight: what an image serves, what it lacks, and what is wrong with it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.attestation.firmware_preflight import FirmwarePreflight, examine_firmware
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.ovmf_image import TDX_METADATA_GUID, OvmfImage
from tests.unit.sev.firmware_images import AMD_SEV_SECTIONS, DEBIAN, debian_image, make_image


def examine(data: bytes) -> FirmwarePreflight:
    return examine_firmware(OvmfImage.parse(data))


def served(preflight: FirmwarePreflight) -> set[str]:
    return {entry.key for entry in preflight.capabilities if entry.served}


ALL = {"sev", "sev-es", "sev-snp", "launch-secret", "kernel-hashes", "snp-kernel-hashes"}


def test_an_amdsev_build_serves_all() -> None:
    preflight = examine(make_image())
    assert served(preflight) == ALL
    assert preflight.problems == ()
    assert [region.name for region in preflight.regions][4:6] == ["SVSM_CAA", "SNP_KERNEL_HASHES"]
    assert {name for _, name, _ in preflight.entries} == {
        "SEV-ES reset block",
        "kernel hashes table",
        "launch secret area",
        "SEV metadata",
    }


@pytest.mark.parametrize("path", DEBIAN)
def test_debians_builds_measure_no_kernel(path: str) -> None:
    preflight = examine(debian_image(path))
    assert served(preflight) >= {"sev", "sev-es"}
    assert not served(preflight) & {"kernel-hashes", "snp-kernel-hashes"}
    assert preflight.problems == ()


@pytest.mark.parametrize(
    ("image", "lost"),
    [
        (make_image(hash_table=None), {"kernel-hashes", "snp-kernel-hashes"}),
        (make_image(hash_table=0), {"kernel-hashes", "snp-kernel-hashes"}),
        (make_image(reset_eip=None), {"sev-es", "sev-snp"}),
        (make_image(reset_eip=0), {"sev-es", "sev-snp"}),
        (make_image(sections=None), {"sev-snp", "snp-kernel-hashes"}),
        (make_image(sections=[s for s in AMD_SEV_SECTIONS if s[2] != 3]), {"sev-snp"}),
        (make_image(sections=[s for s in AMD_SEV_SECTIONS if s[2] != 0x10]), {"snp-kernel-hashes"}),
        (bytes(4096), ALL),
        (make_image(reset_eip=None, extra={TDX_METADATA_GUID: bytes(4)}), {"sev", "sev-es", "sev-snp"}),
    ],
)
def test_what_an_image_lacks_is_told_with_a_reason(image: bytes, lost: set[str]) -> None:
    preflight = examine(image)
    assert served(preflight) == ALL - lost
    assert all(entry.reason for entry in preflight.capabilities)
    assert not preflight.serves("nonsense")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (make_image(sections=[*AMD_SEV_SECTIONS, (0x80D000, 0x2000, 1)]), "overlap"),
        (make_image(sections=[*AMD_SEV_SECTIONS, (0x900000, 0x1000, 2)]), "2 sections SNP_SECRETS"),
        (make_image(sections=[*AMD_SEV_SECTIONS, (0x900000, 0, 1)]), "is empty"),
        (make_image(sections=[*AMD_SEV_SECTIONS, (0xFFFFF000, 0x1000, 1)]), "reaches into the image"),
        (make_image(hash_table=0x900C00), "does not lie in section SNP_KERNEL_HASHES"),
        (make_image(hash_table=0x810FF0), "over the end of its page"),
        (make_image(hash_table=0x810800), "a secret would overwrite the hashes"),
    ],
)
def test_what_is_wrong_is_told(image: bytes, words: str) -> None:
    assert words in " ".join(examine(image).problems)


def test_a_table_that_is_too_small_is_told() -> None:
    image = bytearray(make_image())
    position = image.rindex(struct.pack("<II", 0x810C00, 0x400))
    struct.pack_into("<I", image, position + 4, 0x10)
    assert "16 bytes" in examine(bytes(image)).problems[0]


@given(st.binary(max_size=5000), st.integers(0, 4095), st.binary(min_size=1, max_size=8))
def test_any_bytes_are_examined_or_refused(data: bytes, offset: int, patch: bytes) -> None:
    damaged = bytearray(make_image(pages=2))
    at = len(damaged) - 4096 + offset
    damaged[at : at + len(patch)] = patch
    for content in (data, bytes(damaged)):
        try:
            image = OvmfImage.parse(content)
        except InvalidInput:
            continue
        assert examine_firmware(image).capabilities
