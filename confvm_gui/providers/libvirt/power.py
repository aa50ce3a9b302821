"""Calls that switch domains on and off and remove them. All block and run in a connection's threads.

Each looks first and does only what is not done yet, so that an operation taken up again after a crash confirms.
A domain is named by its UUID as 32 hex digits; NO_DOMAIN is raised as libvirtError where there is none.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from confvm_gui.providers.libvirt.inventory import DomainRow

if TYPE_CHECKING:
    import libvirt


def lookup(conn: libvirt.virConnect, instance_id: str) -> libvirt.virDomain:
    """The domain; for use inside of one call, never handed out of its thread."""
    return conn.lookupByUUIDString(str(uuid.UUID(instance_id)))


def look(conn: libvirt.virConnect, instance_id: str) -> DomainRow | None:
    """One domain as it is now, or None if there is none any more."""
    import libvirt

    try:
        domain = lookup(conn, instance_id)
        state, reason = domain.state()
        vcpus, memory = 0, 0
        with suppress(libvirt.libvirtError):  # a busy one tells only its state
            _, memory, _, vcpus, _ = domain.info()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return None
        raise
    return DomainRow(instance_id, domain.name(), state, reason, vcpus, memory >> 10)


def read_xml(conn: libvirt.virConnect, instance_id: str) -> str:
    """Its definition without secrets: of the running machine, where there is one."""
    return lookup(conn, instance_id).XMLDesc(0)


def start_paused(conn: libvirt.virConnect, instance_id: str) -> None:
    """Switch it on with its vCPUs held: `resume` lets them run, once whoever is to see its first output does."""
    import libvirt

    domain = lookup(conn, instance_id)
    if domain.isActive():
        return
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        domain.create()  # a driver without real machines knows no flags


def request_shutdown(conn: libvirt.virConnect, instance_id: str) -> bool:
    """Press the power button; False where the machine is off, or has none that could be pressed."""
    import libvirt

    domain = lookup(conn, instance_id)
    if not domain.isActive():
        return False
    try:
        domain.shutdown()
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_NO_SUPPORT):
            return False
        raise
    return True


def power_off(conn: libvirt.virConnect, instance_id: str) -> None:
    import libvirt

    domain = lookup(conn, instance_id)
    if not domain.isActive():
        return
    try:
        domain.destroy()
    except libvirt.libvirtError:
        if domain.isActive():  # it may have ended by itself in between
            raise


def reset(conn: libvirt.virConnect, instance_id: str) -> None:
    """Press the reset button of a machine that is on, and let its vCPUs run."""
    import libvirt

    domain = lookup(conn, instance_id)
    try:
        domain.reset(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        domain.destroy()
        domain.create()
        return
    resume(conn, instance_id)


def pause(conn: libvirt.virConnect, instance_id: str) -> None:
    import libvirt

    domain = lookup(conn, instance_id)
    if domain.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
        domain.suspend()


def resume(conn: libvirt.virConnect, instance_id: str) -> None:
    import libvirt

    domain = lookup(conn, instance_id)
    state = domain.state()[0]
    if state == libvirt.VIR_DOMAIN_PMSUSPENDED:
        domain.pMWakeup(0)
    elif state != libvirt.VIR_DOMAIN_RUNNING:
        domain.resume()


def undefine(conn: libvirt.virConnect, instance_id: str) -> None:
    """Forget a domain that is off: its definition, firmware variables, TPM state, saved RAM and snapshots' metadata.

    The flags are those that the host's libvirt knows, tried from many to few.
    """
    import libvirt

    domain = lookup(conn, instance_id)
    everything = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    )
    for flags in (
        everything | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_TPM,
        everything | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
        everything,
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
    ):
        try:
            domain.undefineFlags(flags)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return
            if error.get_error_code() not in (libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_SUPPORT):
                raise
            refused = error
        else:
            return
    raise refused
