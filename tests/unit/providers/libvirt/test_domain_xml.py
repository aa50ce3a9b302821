"""Definitions: accepted by libvirt's own schema, and nothing in a field can become markup."""

from __future__ import annotations

import contextlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.providers.libvirt.domain_read import read_domain
from confvm_gui.providers.libvirt.domain_xml import DirectKernel, DomainPlan, domain_xml, require_in_pool
from confvm_gui.providers.libvirt.launch_security import SevSecurity, SnpSecurity, TdxSecurity

VALIDATE = "import sys; from lxml import etree; etree.RelaxNG(file=sys.argv[1]).assertValid(etree.parse(sys.argv[2]))"
POOL = "/var/lib/libvirt/images/confvm"
PLAN = DomainPlan(
    instance_id="0123456789abcdef0123456789abcdef",
    name="probe",
    pool_path=POOL,
    memory_mib=1024,
    vcpus=2,
    kvm=False,
    operation_id="op-1",
    image="local:tiny",
    machine_type="small-1",
    created_at=1_700_000_000.5,
    disk=f"{POOL}/0123456789abcdef0123456789abcdef.qcow2",
    seed=f"{POOL}/0123456789abcdef0123456789abcdef-seed.iso",
)
SEV = SevSecurity(0x7, 51, 1, dh_cert=bytes(2084), session=bytes(128), kernel_hashes=True)
PLANS = {
    "plain": PLAN,
    "kernel": replace(PLAN, disk="", boot=DirectKernel(f"{POOL}/kernel", f"{POOL}/initrd", "console=ttyS0 a<b&c='\"")),
    "shielded": replace(PLAN, uefi=True, secure_boot=True, vtpm="tpm-crb", network="default", cpu_mode="maximum"),
    "sev": replace(PLAN, uefi=True, kvm=True, technology=Technology.SEV_ES, security=SEV, cpu_mode="host-passthrough"),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_libvirts_schema_accepts_it(plan: DomainPlan, tmp_path: Path) -> None:
    file = tmp_path / "domain.xml"
    file.write_text(domain_xml(plan))
    # lxml belongs to the system's Python, as libvirt's schema does.
    command = ["/usr/bin/python3", "-c", VALIDATE, "/usr/share/libvirt/schemas/domain.rng", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_what_is_written_is_read_back() -> None:
    facts = read_domain(domain_xml(replace(PLANS["kernel"], labels={"team": "clinic"}, vtpm="tpm-tis", uefi=True)))
    assert (facts.instance_id, facts.name, facts.memory_mib, facts.vcpus) == (PLAN.instance_id, "probe", 1024, 2)
    assert (facts.kernel, facts.command_line) == (f"{POOL}/kernel", "console=ttyS0 a<b&c='\"")
    assert facts.vtpm
    assert facts.uefi
    assert facts.own is not None
    assert (facts.own.operation_id, facts.own.created_at) == ("op-1", 1_700_000_000.5)
    assert dict(facts.own.labels) == {"team": "clinic"}


@pytest.mark.parametrize(
    ("technology", "security"),
    [
        (Technology.SEV_ES, SEV),
        (Technology.SEV_SNP, SnpSecurity(id_block=bytes(96), id_auth=bytes(4096), host_data=bytes(32))),
        (Technology.TDX, TdxSecurity(mr_owner=bytes(48))),
    ],
)
def test_the_technology_is_read_back(technology: Technology, security: SevSecurity | SnpSecurity | TdxSecurity) -> None:
    facts = read_domain(domain_xml(replace(PLAN, uefi=True, technology=technology, security=security)))
    assert facts.technology is technology
    assert facts.policy == security.policy


@pytest.mark.parametrize(
    "security",
    [SnpSecurity(host_data=b"short"), SnpSecurity(id_block=bytes(96)), TdxSecurity(mr_owner=bytes(47))],
)
def test_values_of_a_wrong_length_are_refused(security: SnpSecurity | TdxSecurity) -> None:
    technology = Technology.SEV_SNP if isinstance(security, SnpSecurity) else Technology.TDX
    with pytest.raises(InvalidInput):
        domain_xml(replace(PLAN, technology=technology, security=security))


HOSTILE = st.text(max_size=60) | st.sampled_from(
    ("'/><disk/>", "]]>", "<!--", "&lt;", "</domain>", "a\0b", "\ud800", "a\nb", "../../etc/shadow", "%s{0}")
)


@given(image=HOSTILE, operation=HOSTILE, machine=HOSTILE, network=HOSTILE, command_line=HOSTILE)
def test_hostile_values_stay_values(image: str, operation: str, machine: str, network: str, command_line: str) -> None:
    kernel = PLANS["kernel"]
    plan = replace(
        kernel,
        image=image,
        operation_id=operation,
        machine_type=machine,
        network=network,
        boot=DirectKernel(f"{POOL}/kernel", "", command_line),
    )
    try:
        xml = domain_xml(plan)
    except InvalidInput:
        return
    facts = read_domain(xml)
    assert facts.own is not None
    assert (facts.own.image, facts.own.operation_id, facts.own.machine_type) == (image, operation, machine)
    assert facts.command_line == command_line.strip()
    assert [disk.source for disk in facts.disks] == [PLAN.seed]
    assert len(facts.interfaces) == 1


@given(name=HOSTILE)
def test_a_hostile_name_is_refused(name: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert read_domain(domain_xml(replace(PLAN, name=name))).name == name


@pytest.mark.parametrize(
    "path",
    ["/etc/shadow", f"{POOL}/../x", f"{POOL}/a/b", f"{POOL}x/a", "a", POOL, f"{POOL}//a", f"{POOL}/", f"{POOL}/a\nb"],
)
def test_paths_outside_of_the_pool_are_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        require_in_pool(path, POOL, "disk")
    with pytest.raises(InvalidInput):
        domain_xml(replace(PLAN, disk=path))
