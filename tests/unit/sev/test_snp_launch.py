"""What is launched: firmware images, VMSAs and the digests over them."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.expected_digest import FirmwareDigests, LaunchInputs, LaunchMode, expected_launch_digest
from confvm_gui.sev.kernel_hashes import KernelHashes
from confvm_gui.sev.ovmf_image import SVSM_INFO_GUID, OvmfImage, SectionType
from confvm_gui.sev.snp_launch_digest import KVM_VMSA_GPA, PageType, SnpLaunchDigest, page_info
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.vmsa import REGISTERS, SEGMENTS, Segment, SevFeatures, VmmType, Vmsa
from tests.unit.sev.firmware_images import AMD_SEV_SECTIONS, make_image


class TestFirmwareImage:
    def test_what_the_footer_says(self) -> None:
        image = OvmfImage.parse(make_image(2))
        assert image.gpa == 0xFFFFE000
        assert image.reset_eip == 0x80B004
        assert [tuple(section) for section in image.sections] == list(AMD_SEV_SECTIONS)
        assert image.has_section(SectionType.SNP_KERNEL_HASHES)
        assert image.hash_table_area == (0x810C00, 0x400)
        assert image.secret_area == (0x810000, 0xC00)

    def test_what_it_leaves_out(self) -> None:
        plain = OvmfImage.parse(bytes(5))
        assert (plain.table, plain.sections, plain.reset_eip, plain.hash_table_area) == ({}, (), None, None)
        modest = OvmfImage.parse(make_image(1, sections=None, hash_table=0, reset_eip=None))
        assert modest.hash_table_area is None
        assert modest.reset_eip is None
        assert not modest.has_section(SectionType.CPUID)

    @pytest.mark.parametrize(
        "sections",
        [
            [(0x800000, 0x1000, 9)],
            [(0x800001, 0x1000, 1)],
            [(0x800000, 0x1001, 1)],
            [(0xFFFFF000, 0x2000, 1)],
            [(0x800000, 0x2000, 2)],
            [(0x800000, 0x2000, 0x10)],
            [(0, 0xFFFFF000, 1)],
            [(0, 0x1000, 1)] * 65,
        ],
    )
    def test_metadata_that_cannot_be(self, sections: list[tuple[int, int, int]]) -> None:
        with pytest.raises(InvalidInput) as caught:
            OvmfImage.parse(make_image(1, sections=sections))
        assert caught.value.field == "ovmf"

    def test_damaged_tables(self) -> None:
        good = make_image(1)
        footer = len(good) - 32 - 18
        for patch in (
            (footer, b"\x11\x00"),
            (footer, b"\xff\xff"),
            (footer - 18, b"\x11\x00"),
            (footer - 18, b"\xff\x00"),
            (footer - 22, struct.pack("<I", 0)),
            (footer - 22, struct.pack("<I", 5000)),
            (256, b"VESA"),
            (256 + 4, struct.pack("<I", 16)),
            (256 + 4, struct.pack("<I", 5000)),
            (256 + 8, struct.pack("<I", 2)),
        ):
            bad = bytearray(good)
            bad[patch[0] : patch[0] + len(patch[1])] = patch[1]
            with pytest.raises(InvalidInput) as caught:
                OvmfImage.parse(bytes(bad))
            assert caught.value.field == "ovmf"
        doubled = make_image(1, extra={SVSM_INFO_GUID: bytes(4), UUID(int=1): b""})
        assert len(OvmfImage.parse(doubled).table) == 6
        twice = doubled.replace(UUID(int=1).bytes_le, SVSM_INFO_GUID.bytes_le)
        with pytest.raises(InvalidInput, match="two entries"):
            OvmfImage.parse(twice)
        for size in (b"", bytes((64 << 20) + 1)):
            with pytest.raises(InvalidInput):
                OvmfImage.parse(size)


class TestVmsa:
    def test_names(self) -> None:
        vmsa = Vmsa.at_reset(0x80B004, cpu_signature=0x800F12, sev_features=SevFeatures.SNP_ACTIVE)
        assert vmsa.segment("cs") == Segment(0xF000, 0x9B, 0xFFFF, 0x800000)
        assert vmsa.register("rip") == 0xB004
        assert vmsa.register("rdx") == 0x800F12
        assert vmsa.page[0x3B0:0x3B8] == b"\x01" + bytes(7)
        assert Vmsa(vmsa.page) == vmsa
        assert hash(Vmsa(vmsa.page)) == hash(vmsa)
        assert vmsa.page[0x670:] == bytes(4096 - 0x670)
        places = sorted([(offset, 16) for offset in SEGMENTS.values()] + list(REGISTERS.values()))
        assert all(offset + size <= after for (offset, size), (after, _) in pairwise(places))

    def test_differences(self) -> None:
        one = Vmsa.at_reset(cpu_signature=1)
        assert one.differences(one) == ()
        other = one.replaced({"tr": Segment(1, 0x83, 0xFFFF, 0)}, {"rdx": 2})
        assert [name for name, _, _ in one.differences(other)] == ["tr", "rdx"]
        odd = Vmsa(one.page[:-1] + b"\x01")
        assert [name for name, _, _ in one.differences(odd)] == ["other bytes"]
        ec2, gce = (Vmsa.at_reset(vmm=vmm) for vmm in (VmmType.EC2, VmmType.GCE))
        assert {name for name, _, _ in ec2.differences(gce)} == {"cs", "ss", "tr", "g_pat"}

    def test_refused(self) -> None:
        vmsa = Vmsa.at_reset()
        with pytest.raises(InvalidInput):
            Vmsa(bytes(4095))
        with pytest.raises(InvalidInput, match="no register"):
            vmsa.register("eflags")
        with pytest.raises(InvalidInput, match="no segment"):
            vmsa.segment("rip")
        with pytest.raises(InvalidInput, match="8 bits"):
            vmsa.replaced(registers={"cpl": 256})
        with pytest.raises(InvalidInput, match="fit"):
            vmsa.replaced({"cs": Segment(1 << 16, 0, 0, 0)})


class TestLaunchDigest:
    def test_page_info(self) -> None:
        current, contents = b"c" * 48, b"p" * 48
        info = page_info(current, PageType.NORMAL, 0x1234000, contents=contents, imi=True, vmpl_permissions=(1, 2, 3))
        assert len(info) == 0x70
        assert info[:0x60] == current + contents
        assert info[0x60:0x68] == bytes((0x70, 0, 1, 1, 0, 1, 2, 3))
        assert info[0x68:] == (0x1234000).to_bytes(8, "little")

    def test_runs_are_pages(self) -> None:
        run, single = SnpLaunchDigest(), SnpLaunchDigest()
        page, other = b"\xff" * 4096, b"\x01" * 4096
        run.add_normal(0x1000, page + page + other + page)
        for index, content in enumerate((page, page, other, page)):
            single.add_normal(0x1000 * (index + 1), content)
        assert run.digest == single.digest
        run.add_vmsa(page, count=2)
        single.add_vmsa(page)
        single.add_vmsa(page)
        assert run.digest == single.digest
        for bad in ((1, bytes(4096)), (0, bytes(1)), (-4096, bytes(4096))):
            with pytest.raises(InvalidInput):
                run.add_normal(*bad)
        with pytest.raises(InvalidInput):
            SnpLaunchDigest(b"short")

    def inputs(self, **changes: Any) -> LaunchInputs:
        base = LaunchInputs(LaunchMode.SEV_SNP, OvmfImage.parse(make_image(2)), 2, 0x800F12)
        return base._replace(**changes)

    def test_every_input_counts(self) -> None:
        kernel = KernelHashes.of(b"kernel")
        variants = [
            self.inputs(),
            self.inputs(vcpus=3),
            self.inputs(cpu_signature=0xA00F11),
            self.inputs(vmm=VmmType.EC2),
            self.inputs(vmm=VmmType.GCE),
            self.inputs(vmm=VmmType.GCE, vmsa_gpa=(1 << 52) - 4096),
            self.inputs(guest_features=0x21),
            self.inputs(kernel=kernel),
            self.inputs(kernel=kernel._replace(initrd=bytes(32))),
            self.inputs(fpu_reset=False),
            self.inputs(firmware=OvmfImage.parse(make_image(2, seed=2))),
            self.inputs(mode=LaunchMode.SEV),
            self.inputs(mode=LaunchMode.SEV_ES),
            self.inputs(mode=LaunchMode.SEV_ES, fpu_reset=False),
            self.inputs(mode=LaunchMode.SEV_ES, kernel=kernel),
        ]
        known = FirmwareDigests()
        digests = [expected_launch_digest(variant) for variant in variants]
        assert len(set(digests)) == len(variants)
        assert [expected_launch_digest(variant, known) for variant in variants] == digests
        assert [expected_launch_digest(variant, known) for variant in variants] == digests
        assert ProductLine.MILAN.physical_address_bits == KVM_VMSA_GPA.bit_length()

    def test_images_are_forgotten_in_order_of_use(self) -> None:
        known = FirmwareDigests(capacity=2)
        images = [OvmfImage.parse(make_image(1, seed=seed, reset_eip=seed << 12)) for seed in range(1, 5)]
        for image in (*images, images[0], images[3], *images):
            inputs = self.inputs(firmware=image)
            assert expected_launch_digest(inputs, known) == expected_launch_digest(inputs)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"vcpus": 0}, "vcpus"),
            ({"vcpus": 5000}, "vcpus"),
            ({"guest_features": 1 << 64}, "guest-features"),
            ({"cpu_signature": -1}, "vcpu-sig"),
            ({"firmware_digest": b"short"}, "snp-ovmf-hash"),
            ({"mode": LaunchMode.SEV, "firmware_digest": bytes(48)}, "snp-ovmf-hash"),
            ({"firmware": OvmfImage.parse(make_image(1) + bytes(1))}, "ovmf"),
            ({"firmware": OvmfImage.parse(make_image(1, reset_eip=None))}, "ovmf"),
            ({"firmware": OvmfImage.parse(make_image(1, reset_eip=0))}, "ovmf"),
            ({"firmware": OvmfImage.parse(make_image(1, hash_table=0x810FF0)), "kernel": KernelHashes.of(b"")}, "ovmf"),
        ],
    )
    def test_launches_that_cannot_be(self, changes: dict[str, object], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            expected_launch_digest(self.inputs(**changes))
        assert caught.value.field == field

    def test_one_vcpu_needs_no_second_start(self) -> None:
        firmware = OvmfImage.parse(make_image(1, reset_eip=0))
        assert len(expected_launch_digest(self.inputs(firmware=firmware, vcpus=1))) == 48

    def test_command_line_of_other_bytes(self) -> None:
        assert KernelHashes.of(b"", b"", "a\udcff").command_line != KernelHashes.of(b"", b"", "a").command_line
        with pytest.raises(InvalidInput, match="command line"):
            KernelHashes.of(b"", b"", "\ud800")
