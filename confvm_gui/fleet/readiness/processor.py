"""Processor, BIOS settings and ASIDs (25481, CPUID Fn8000_001F; 24593, MSR C001_0010 SYSCFG)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from confvm_gui.domain.catalogue import Technology
from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import ALL, ES_AND_SNP, SNP, Item, missing, ok, unknown, warning
from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.snp_product import ProductLine

_ENCRYPTION_LEAF: Final = 0x8000_001F
_SYSCFG: Final = 0xC001_0010
_SMEE: Final = 1 << 23
_SNP_ENABLED: Final = 1 << 24


class Processor(NamedTuple):
    """What /proc/cpuinfo says of the first processor."""

    vendor: str
    name: str
    identity: CpuIdentity
    flags: frozenset[str]

    @property
    def is_amd(self) -> bool:
        return self.vendor == "AuthenticAMD"

    @property
    def technologies(self) -> frozenset[Technology]:
        """What the processor is made for, whatever its BIOS has turned on."""
        if not self.is_amd or self.identity.family < 23:
            return frozenset()
        if ProductLine.of_cpu(self.identity) is not None or "sev_snp" in self.flags:
            return ALL
        if self.identity == (23, 49, self.identity.stepping) or "sev_es" in self.flags:
            return frozenset({Technology.SEV, Technology.SEV_ES})
        if self.identity == (23, 1, self.identity.stepping) or "sev" in self.flags:
            return frozenset({Technology.SEV, Technology.SEV_ES})
        return frozenset()


def read_processor(host: Host) -> Processor | None:
    """None if /proc/cpuinfo cannot be read or is another architecture's."""
    fields: dict[str, str] = {}
    for line in (host.text("proc/cpuinfo") or "").split("\n\n", 1)[0].splitlines():
        name, separator, value = line.partition(":")
        if separator:
            fields.setdefault(name.strip(), value.strip())
    numbers = [_decimal(fields.get(name, "")) for name in ("cpu family", "model", "stepping")]
    if "vendor_id" not in fields or None in numbers:
        return None
    family, model, stepping = (number or 0 for number in numbers)
    return Processor(
        fields["vendor_id"],
        fields.get("model name", ""),
        CpuIdentity(family, model, stepping),
        frozenset(fields.get("flags", "").split()),
    )


def processor_items(host: Host) -> Iterator[Item]:
    """Items about the processor, its BIOS settings and its ASIDs."""
    processor = read_processor(host)
    if processor is None:
        yield missing(
            "cpu",
            "Processor",
            "/proc/cpuinfo names no x86 processor",
            "SEV is of AMD EPYC processors on Linux; run this on the machine that is to host the guests",
            ALL,
        )
        return
    if not processor.is_amd:
        yield missing(
            "cpu",
            "Processor",
            f"{processor.name or processor.vendor} is not AMD's",
            "SEV is of AMD EPYC processors; host the guests on one of those",
            ALL,
        )
        return
    lacking = ALL - processor.technologies
    found = f"{processor.name}, family {processor.identity.family}, model {processor.identity.model}"
    if lacking:
        names = ", ".join(sorted(technology.value for technology in lacking))
        hint = f"This generation has no {names}; SEV-SNP takes EPYC 7003 (Milan) or later"
        yield missing("cpu", "Processor", found, hint, lacking)
    else:
        yield ok("cpu", "Processor", found)
    if "hypervisor" in processor.flags:
        yield missing(
            "virtual",
            "Bare metal",
            "This is a virtual machine",
            "A VM has no secure processor to launch guests with: run this on the host, or rent a bare-metal machine",
            ALL,
        )
    yield _virtualization(processor)
    yield from _technology_flags(processor)
    yield _bios(host, processor)
    yield from _asids(host, processor)


def _virtualization(processor: Processor) -> Item:
    if "svm" in processor.flags:
        return ok("svm", "Virtualization (SVM)", "The processor's flags have svm")
    return missing("svm", "Virtualization (SVM)", "The processor's flags lack svm", "Enable SVM Mode in the BIOS", ALL)


def _technology_flags(processor: Processor) -> Iterator[Item]:
    for technology, blocks, hint in (
        (
            Technology.SEV,
            ALL,
            "Enable SMEE (Secure Memory Encryption) in the BIOS, and take mem_encrypt=off and nosev off the kernel's "
            "command line",
        ),
        (Technology.SEV_ES, ES_AND_SNP, "Enable SMEE and set `SEV-ES ASID Space Limit` above 1 in the BIOS"),
        (
            Technology.SEV_SNP,
            SNP,
            "Enable `SEV-SNP Support` and `SNP Memory (RMP Table) Coverage` in the BIOS, with the IOMMU; the kernel "
            "must be 6.11 or later and clears the flag when it cannot use SNP",
        ),
    ):
        if technology not in processor.technologies:
            continue
        flag = technology.value.replace("-", "_")
        key = f"cpu-{technology.value}"
        if flag in processor.flags:
            yield ok(key, f"{technology.title} in the processor", f"The processor's flags have {flag}")
        else:
            yield missing(
                key, f"{technology.title} in the processor", f"The processor's flags lack {flag}", hint, blocks
            )


def _bios(host: Host, processor: Processor) -> Item:
    title = "BIOS settings (SYSCFG)"
    raw = host.bytes_at("dev/cpu/0/msr", _SYSCFG, 8)
    if raw is None:
        return unknown(
            "bios",
            title,
            "MSR C001_0010 cannot be read by this user, and the kernel's log is not looked at",
            "As root: `modprobe msr`, then run this again; or see `dmesg | grep -iE 'SEV|RMP|ccp'`",
        )
    value = int.from_bytes(raw, "little")
    found = f"SYSCFG is {value:#x}: SMEE {_on(value & _SMEE)}, SNP {_on(value & _SNP_ENABLED)}"
    if not value & _SMEE:
        return missing("bios", title, found, "Enable SMEE (Secure Memory Encryption) in the BIOS", ALL)
    if Technology.SEV_SNP in processor.technologies and not value & _SNP_ENABLED:
        hint = "Enable `SEV-SNP Support` and `SNP Memory (RMP Table) Coverage` in the BIOS"
        return missing("bios", title, found, hint, SNP)
    return ok("bios", title, found)


def _asids(host: Host, processor: Processor) -> Iterator[Item]:
    raw = host.bytes_at("dev/cpu/0/cpuid", _ENCRYPTION_LEAF, 16)
    capacity = misc_values(host.text("sys/fs/cgroup/misc.capacity"))
    current = misc_values(host.text("sys/fs/cgroup/misc.current"))
    if raw is not None:
        _, ebx, count, first_sev = struct.unpack("<IIII", raw)
        es = max(min(first_sev, count + 1) - 1, 0)
        sev = count - es
        source = f"CPUID 8000001F: C-bit {ebx & 0x3F}, {count} ASIDs, SEV from {first_sev} on"
    elif "sev" in capacity or "sev_es" in capacity:
        sev, es = capacity.get("sev", 0), capacity.get("sev_es", 0)
        source = "misc cgroup"
    else:
        yield unknown(
            "asids",
            "ASIDs",
            "Neither CPUID nor the misc cgroup tells how many guests there can be",
            "As root: `modprobe cpuid`; or see /sys/fs/cgroup/misc.capacity with kvm_amd loaded (cgroup version 2)",
        )
        return
    found = f"{sev} for SEV, {es} for SEV-ES and SEV-SNP ({source})"
    blocks = (frozenset() if sev else frozenset({Technology.SEV})) | (frozenset() if es else ES_AND_SNP)
    blocks &= processor.technologies
    if not sev and not es:
        yield missing("asids", "ASIDs", found, "Enable SMEE in the BIOS", ALL)
    elif blocks:
        how = "Lower" if es else "Raise"
        kind = "SEV guests" if es else "SEV-ES and SEV-SNP guests"
        hint = f"{how} `SEV-ES ASID Space Limit` in the BIOS for {kind}: ASIDs below it are for SEV-ES and SEV-SNP"
        yield missing("asids", "ASIDs", found, hint, blocks)
    else:
        yield ok("asids", "ASIDs", found)
    full = [name for name, used in current.items() if name in ("sev", "sev_es") and 0 < capacity.get(name, 0) <= used]
    if full:
        names = " and ".join(full)
        yield warning("asids-free", "Free ASIDs", f"All of {names} are in use", "Shut a guest down before the next")


def misc_values(text: str | None) -> dict[str, int]:
    """Lines `sev 410` of a misc cgroup's file; others (`max`) are left out."""
    found = {}
    for line in (text or "").splitlines():
        words = line.split()
        if len(words) == 2 and (value := _decimal(words[1])) is not None:
            found[words[0]] = value
    return found


def _on(bit: int) -> str:
    return "on" if bit else "off"


def _decimal(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
