"""What is used of libvirt's functions for QEMU alone."""

import libvirt

def qemuAgentCommand(domain: libvirt.virDomain, cmd: str, timeout: int, flags: int) -> str: ...
