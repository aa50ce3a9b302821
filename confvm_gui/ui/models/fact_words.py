"""What rules can look at, in words that can be translated: a layer without Qt cannot mark its own."""

from __future__ import annotations

from functools import cache

from confvm_gui.policy.facts import FACTS, FactType
from confvm_gui.ui.text import translate


@cache
def fact_meaning(name: str) -> str:
    """What a fact (`vm.region` …) says, one line."""
    return _meanings().get(name) or FACTS[name].meaning


def translated_facts() -> dict[str, str]:
    """By name, those that can be translated: all, which a test sees to."""
    return dict(_meanings())


@cache
def fact_type_word(kind: FactType) -> str:
    return {
        FactType.TEXT: translate("FactType", "text"),
        FactType.FLAG: translate("FactType", "true or false"),
        FactType.NUMBER: translate("FactType", "whole number"),
        FactType.TEXTS_BY_KEY: translate("FactType", "texts by key"),
    }[kind]


@cache
def _meanings() -> dict[str, str]:
    return {
        "vm.name": translate("RuleFacts", "Its name"),
        "vm.provider": translate("RuleFacts", "Who runs it: embedded, libvirt-…"),
        "vm.cloud": translate(
            "RuleFacts", "Whose catalogue its names are from: gce, azure, aws, oci, vsphere, libvirt"
        ),
        "vm.region": translate("RuleFacts", "Region, as the cloud names it"),
        "vm.country": translate("RuleFacts", "Country of the region, ISO 3166-1 alpha-2; empty where nobody can tell"),
        "vm.zone": translate("RuleFacts", "Zone, as the cloud names it"),
        "vm.machine_type": translate("RuleFacts", "Machine type"),
        "vm.series": translate(
            "RuleFacts", "Series of the machine type: n2d, DCasv5 …; empty where the catalogue has it not"
        ),
        "vm.cpu_platform": translate(
            "RuleFacts", "The CPU platform that it needs at least, or that its technology forces"
        ),
        "vm.vcpus": translate("RuleFacts", "Virtual CPUs; -1 where the catalogue has the machine type not"),
        "vm.memory_mib": translate("RuleFacts", "Memory in MiB; -1 where the catalogue has the machine type not"),
        "vm.image": translate("RuleFacts", "Image, or local:ID for one of this console's library"),
        "vm.image_os": translate("RuleFacts", "linux or windows; empty for an image that the catalogue has not"),
        "vm.image_project": translate(
            "RuleFacts", "Who publishes the image; empty for an image that the catalogue has not"
        ),
        "vm.image_supported": translate(
            "RuleFacts", "In the catalogue, and its end of support is not known to have passed"
        ),
        "vm.technology": translate("RuleFacts", "none, sev, sev-es, sev-snp, tdx, sgx or nitro"),
        "vm.technology_rank": translate(
            "RuleFacts",
            "0 none, 1 memory is encrypted or isolated (sev, nitro), 2 and registers (sev-es), "
            "3 and integrity (sev-snp, tdx, sgx)",
        ),
        "vm.confidential": translate("RuleFacts", "Whether its memory is protected while in use"),
        "vm.secure_boot": translate("RuleFacts", "Secure Boot is on"),
        "vm.vtpm": translate("RuleFacts", "It has a vTPM"),
        "vm.integrity_monitoring": translate("RuleFacts", "Its measured boot is compared with a baseline"),
        "vm.host_maintenance": translate(
            "RuleFacts", "MIGRATE or TERMINATE; empty where it was not made by this console"
        ),
        "vm.disk_key": translate("RuleFacts", "Reference of the key that wraps its disk's; empty where nobody knows"),
        "vm.key_store": translate("RuleFacts", "local, pkcs11, gcpkms, awskms or azurekv; empty where nobody knows"),
        "vm.customer_managed_key": translate(
            "RuleFacts", "The disk key is kept in a key management service or HSM (CMEK)"
        ),
        "vm.attest": translate(
            "RuleFacts", "What is launched is verified before keys are released; or it was verified"
        ),
        "vm.debug": translate("RuleFacts", "Its policy lets the host read its memory (evidence says so)"),
        "vm.labels": translate("RuleFacts", "Labels: vm.labels.env; ask has(vm.labels.env) first"),
        "vm.state": translate("RuleFacts", "running, stopped …; requested for a request"),
        "vm.observed": translate("RuleFacts", "It exists; false for a request"),
        "vm.emulated": translate("RuleFacts", "It runs on the emulated platform; false for a request"),
        "vm.trust": translate("RuleFacts", "not applicable, unknown, measured, trusted or untrusted"),
        "vm.attestation_age_hours": translate("RuleFacts", "Full hours since evidence was verified last; -1 for never"),
        "vm.tcb_boot_loader": translate(
            "RuleFacts", "Reported TCB, SVN of the boot loader; -1 where no evidence tells"
        ),
        "vm.tcb_tee": translate(
            "RuleFacts", "Reported TCB, SVN of the secure processor's system; -1 where no evidence tells"
        ),
        "vm.tcb_snp": translate("RuleFacts", "Reported TCB, SVN of the SNP firmware; -1 where no evidence tells"),
        "vm.tcb_microcode": translate("RuleFacts", "Reported TCB, microcode patch level; -1 where no evidence tells"),
        "vm.exposure": translate("RuleFacts", "Last exposure scan: clean, found, or never"),
    }
