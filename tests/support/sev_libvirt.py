"""A stand-in for the libvirt calls of a SEV launch, whose answers come from the embedded secure processor.

Only what `providers.libvirt.sev_launch` calls is here. The host does what QEMU and KVM do: it reads policy, certificate
and session from the definition, encrypts and measures firmware and kernel hashes, and passes the secret on, so a wrong
firmware, session or secret is found by the firmware itself.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any, TypeVar

from confvm_gui.engine.guests.memory_map import SECRET_GPA
from confvm_gui.engine.launch_plan import LaunchPlan
from confvm_gui.engine.launch_sequence import launch_sev
from confvm_gui.engine.machine import Machine, MachineGuest
from confvm_gui.providers.libvirt.bounded_xml import parse
from confvm_gui.providers.libvirt.capabilities import HostCapabilities, SevPlatform
from confvm_gui.sev.expected_digest import LaunchMode

T = TypeVar("T")
RAM = 4 << 20


class SevDomain:
    """virDomain, and virConnect as far as it finds and defines this one domain."""

    def __init__(self, machine: Machine, xml: str, firmware: bytes, loader: str) -> None:
        """`firmware` is what the host really boots; `loader` the path that it names."""
        self._machine = machine
        self._firmware = firmware
        self._loader = loader
        self._xml = xml
        self.guest: MachineGuest | None = None
        self.running = False
        self.secret = b""
        """What the guest finds in its private secret page, once it runs."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        calls: dict[str, Callable[..., object]] = {
            "lookupByUUIDString": lambda _uuid: self,
            "XMLDesc": lambda _flags=0: self._xml,
            "defineXMLFlags": self._define,
            "createWithFlags": self._start,
            "isActive": lambda: self.guest is not None,
            "launchSecurityInfo": self._info,
            "setLaunchSecurityState": self._inject,
            "resume": self._resume,
            "destroy": self._destroy,
        }
        if name not in calls:
            raise AttributeError(name)
        return calls[name]

    def edit(self, before: str, after: str) -> None:
        """The host changes the definition behind the owner's back."""
        assert before in self._xml
        self._xml = self._xml.replace(before, after)

    def boot(self, firmware: bytes) -> None:
        """The host boots something else from now on."""
        self._firmware = firmware

    def destroy(self) -> None:
        """Switch it off."""
        self._destroy()

    def _define(self, xml: str, _flags: int) -> SevDomain:
        self._xml = xml
        return self

    def _start(self, _flags: int) -> None:
        root = parse(self._xml)
        policy = int(root.findtext("launchSecurity/policy") or "0", 0)
        plan = LaunchPlan(
            mode=LaunchMode.SEV_ES if policy & 4 else LaunchMode.SEV,
            image=self._firmware,
            ram_bytes=RAM,
            boot_info=b"",
            policy=policy,
            dh_cert=base64.b64decode(root.findtext("launchSecurity/dhCert") or ""),
            session=base64.b64decode(root.findtext("launchSecurity/session") or ""),
        )
        guest = self._machine.reserve(plan.mode, RAM, policy=policy)
        self.guest = guest
        launch_sev(guest, plan)
        self._xml = self._xml.replace("</os>", f"<loader>{self._loader}</loader></os>")

    def _info(self, _flags: int) -> dict[str, object]:
        assert self.guest is not None
        version = self._machine.model.version
        return {
            "sev-measurement": base64.b64encode(self.guest.measurement).decode(),
            "sev-api-major": version.api_major,
            "sev-api-minor": version.api_minor,
            "sev-build-id": version.build,
            "sev-policy": self.guest.policy,
        }

    def _inject(self, parameters: dict[str, str], _flags: int) -> None:
        assert self.guest is not None
        header, payload = (base64.b64decode(parameters[name]) for name in ("sev-secret-header", "sev-secret"))
        spa = self.guest.memory.spa + SECRET_GPA
        self._machine.processor.launch_secret(self.guest.handle, header, payload, spa=spa)
        self.secret = self._machine.controller.guest_read(self.guest.memory, SECRET_GPA, len(payload)).tobytes()

    def _resume(self) -> None:
        self.running = True

    def _destroy(self) -> None:
        self.guest, self.running = None, False


class SevConnection:
    """providers.libvirt.capabilities.Connection to a host with one domain."""

    host = "sev-host"

    def __init__(self, domain: SevDomain) -> None:
        self._domain = domain

    async def open(self, *, at_once: bool = False) -> None:
        return None

    async def call(self, work: Callable[[Any], T], *, seconds: float | None = None) -> T:
        return await asyncio.to_thread(work, self._domain)


def sev_host(machine: Machine) -> HostCapabilities:
    """What the stand-in's host offers: SEV and SEV-ES."""
    chain = machine.platform_certificates()
    return HostCapabilities(
        hostname="sev-host", cpus=2, memory_mib=4096, cpu_model="EPYC", cpu_signature=0, libvirt_version=0,
        qemu_version=0, kvm=True, machine="q35", max_vcpus=8, uefi=True, secure_boot=False, firmware=(),
        tpm_models=frozenset(), cpu_modes=frozenset(), networks=frozenset(),
        sev=SevPlatform(51, 1, chain[:2084], chain[2084:]),
    )  # fmt: skip
