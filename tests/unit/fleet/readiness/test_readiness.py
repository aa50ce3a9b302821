"""The host checklist on made-up hosts: what is found, what is advised, and what it means for each technology."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.fleet.readiness import Host, HostReport, Item, ItemState, examine_host
from confvm_gui.fleet.readiness.platform_firmware import FirmwareReading, read_firmware_status
from confvm_gui.fleet.readiness.processor import misc_values
from tests.unit.fleet.readiness.made_up_hosts import AMD_FLAGS, cpuinfo, put, put_at, reading, ready_milan, refusing

SEV, ES, SNP = Technology.SEV, Technology.SEV_ES, Technology.SEV_SNP


def ready(report: HostReport) -> list[bool]:
    return [report.ready(technology) for technology in (SEV, ES, SNP)]


def item(report: HostReport, key: str) -> Item:
    (found,) = [entry for entry in report.items if entry.key == key]
    return found


def test_a_milan_host_that_lacks_nothing_is_ready(tmp_path: Path) -> None:
    report = examine_host(Host(ready_milan(tmp_path)), reading)
    assert ready(report) == [True, True, True]
    assert [entry.key for entry in report.items if entry.state is not ItemState.OK] == []
    assert item(report, "asids").found.startswith("410 for SEV, 99 for SEV-ES and SEV-SNP (CPUID")
    assert item(report, "firmware").found == (
        "API 1.55 build 21, 3 guests, reported TCB boot_loader=4 tee=0 snp=22 microcode=219"
    )
    assert not report.ready(Technology.TDX)


def test_every_failure_has_a_hint(tmp_path: Path) -> None:
    for entry in examine_host(Host(tmp_path), refusing).items:
        assert entry.hint
    put(tmp_path, "proc/cpuinfo", cpuinfo())
    for entry in examine_host(Host(tmp_path), refusing).items:
        assert entry.state is ItemState.OK or entry.hint
        assert not entry.hint.endswith(".")


def test_a_genoa_host_whose_bios_has_snp_off(tmp_path: Path) -> None:
    root = ready_milan(tmp_path)
    put(root, "proc/cpuinfo", cpuinfo(name="AMD EPYC 9354", model=17))
    put(root, "sys/module/kvm_amd/parameters/sev_snp", "N")
    put_at(root, "dev/cpu/0/msr", 0xC0010010, struct.pack("<Q", 1 << 23))
    report = examine_host(Host(root), reading)
    assert ready(report) == [True, True, False]
    assert {entry.key for entry in report.blocking(SNP)} == {"cpu-sev-snp", "kvm_amd-sev_snp", "bios"}
    assert "SEV-SNP Support" in item(report, "bios").hint


def test_an_intel_host_is_told_at_once(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", cpuinfo(vendor="GenuineIntel", name="Intel Xeon", family=6, model=143, flags="vmx"))
    report = examine_host(Host(tmp_path), refusing)
    assert ready(report) == [False, False, False]
    assert item(report, "cpu").state is ItemState.MISSING
    assert "dev-sev" not in {entry.key for entry in report.items}


def test_a_vm_without_sev_is_told_to_be_one(tmp_path: Path) -> None:
    put(tmp_path, "proc/cpuinfo", cpuinfo(flags="fpu hypervisor"))
    report = examine_host(Host(tmp_path), refusing)
    assert ready(report) == [False, False, False]
    assert "bare-metal" in item(report, "virtual").hint
    assert item(report, "asids").state is ItemState.UNKNOWN
    assert item(report, "bios").state is ItemState.UNKNOWN


def test_permissions_are_looked_at_as_the_user_who_asks(tmp_path: Path) -> None:
    root = ready_milan(tmp_path)
    group = (root / "dev/sev").stat().st_gid
    stranger = Host(root, uid=54321, groups=frozenset())
    report = examine_host(stranger, refusing)
    assert ready(report) == [False, False, False]
    assert {entry.key for entry in report.blocking(SNP)} == {"dev-kvm", "dev-sev"}
    assert item(report, "firmware").state is ItemState.UNKNOWN
    assert "Permission denied" in item(report, "firmware").found
    assert ready(examine_host(Host(root, uid=54321, groups=frozenset({group})), reading)) == [True, True, True]


@pytest.mark.parametrize(
    ("name", "content", "key", "expected"),
    [
        ("proc/sys/kernel/osrelease", "6.8.0-45-generic", "kernel", [True, True, False]),
        ("proc/sys/kernel/osrelease", "5.10.0", "kernel", [True, False, False]),
        ("proc/sys/kernel/osrelease", "4.4.0", "kernel", [False, False, False]),
        ("sys/module/kvm_amd/parameters/sev_es", "N", "kvm_amd-sev_es", [True, False, False]),
        ("sys/module/kvm_amd/parameters/sev", "0", "kvm_amd-sev", [False, False, False]),
        ("proc/cmdline", "quiet iommu=pt", "iommu", [True, True, False]),
        ("proc/cpuinfo", cpuinfo(family=23, model=49, name="AMD EPYC 7742"), "cpu", [True, True, False]),
        ("proc/cpuinfo", cpuinfo(family=23, model=113, name="AMD Ryzen 5", flags="svm"), "cpu", [False, False, False]),
        (
            "var/lib/dpkg/status",
            "Package: qemu-system-x86\nStatus: install ok installed\nVersion: 1:7.2+dfsg-7\n",
            "qemu",
            [True, True, False],
        ),
    ],
)
def test_one_thing_that_is_not_as_it_should_be(
    tmp_path: Path, name: str, content: str, key: str, expected: list[bool]
) -> None:
    put(ready_milan(tmp_path), name, content)
    report = examine_host(Host(tmp_path), reading)
    assert ready(report) == expected
    assert item(report, key).state is ItemState.MISSING


def test_asids_are_told_without_root_by_the_misc_cgroup(tmp_path: Path) -> None:
    root = ready_milan(tmp_path)
    (root / "dev/cpu/0/cpuid").unlink()
    assert item(examine_host(Host(root), reading), "asids").found.endswith("(misc cgroup)")
    put(root, "sys/fs/cgroup/misc.capacity", "sev 509\nsev_es 0\n")
    report = examine_host(Host(root), reading)
    assert ready(report) == [True, False, False]
    assert item(report, "asids").hint.startswith("Raise")
    put(root, "sys/fs/cgroup/misc.capacity", "sev 0\nsev_es 509\n")
    assert item(examine_host(Host(root), reading), "asids").hint.startswith("Lower")
    put(root, "sys/fs/cgroup/misc.current", "sev_es 509\n")
    assert item(examine_host(Host(root), reading), "asids-free").state is ItemState.WARNING


def test_software_that_is_missing_is_named(tmp_path: Path) -> None:
    root = ready_milan(tmp_path)
    (root / "usr/share/OVMF/OVMF.amdsev.fd").unlink()
    (root / "usr/bin/qemu-system-x86_64").unlink()
    report = examine_host(Host(root), reading)
    assert ready(report) == [True, False, False]
    assert item(report, "ovmf").found.startswith("0 builds")
    assert item(report, "qemu").state is ItemState.WARNING


def test_firmware_that_is_old_or_asleep_is_a_warning(tmp_path: Path) -> None:
    root = ready_milan(tmp_path)
    asleep = examine_host(Host(root), lambda _: FirmwareReading(1, 55, 21, 0, 0))
    assert "not initialized" in item(asleep, "firmware").found
    old = examine_host(Host(root), lambda _: FirmwareReading(1, 49, 3, 1, 0, 0))
    assert "Update the BIOS" in item(old, "firmware").hint


def test_a_file_in_place_of_the_device_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ioctl"):
        read_firmware_status(put(tmp_path, "sev"))
    with pytest.raises(FileNotFoundError):
        read_firmware_status(tmp_path / "nothing")


@given(st.text())
def test_any_misc_file_is_read(text: str) -> None:
    assert all(value >= 0 for value in misc_values(text).values())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "proc/cpuinfo",
                "proc/sys/kernel/osrelease",
                "proc/cmdline",
                "sys/module/kvm_amd/parameters/sev",
                "dev/sev",
                "sys/fs/cgroup/misc.capacity",
                "var/lib/dpkg/status",
                "usr/share/OVMF/x.fd",
                "dev/cpu/0/cpuid",
            ]
        ),
        st.binary(max_size=200) | st.just(cpuinfo(flags=AMD_FLAGS).encode()),
    )
)
def test_any_files_make_a_report(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        put(tmp_path, name, content)
    report = examine_host(Host(tmp_path), refusing)
    assert report.items
    assert all(entry.hint for entry in report.items if entry.state is not ItemState.OK)
