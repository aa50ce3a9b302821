"""What an account may do in its project, asked before something fails for want of it.

Cloud Resource Manager v3, `projects.testIamPermissions`; the permissions are those that the reference of each method
of Compute Engine v1 names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from confvm_gui.providers.gce import errors
from confvm_gui.providers.gce.connection import Clients, GceConnection, resource_manager_host

LOOKING: Final[Mapping[str, str]] = {
    "compute.instances.list": "see the instances",
    "compute.instances.get": "see one instance",
    "compute.instances.getSerialPortOutput": "read serial ports",
    "compute.zones.list": "see the zones",
    "compute.machineTypes.list": "see the machine types",
    "compute.images.list": "see the project's images",
    "compute.zoneOperations.get": "follow operations",
    "logging.logEntries.list": "read the launch and integrity events",
    "orgpolicy.policy.get": "obey the organisation's policy before Google refuses",
    "compute.globalOperations.list": "see what others change",
}
CHANGING: Final[Mapping[str, str]] = {
    "compute.instances.create": "make instances",
    "compute.disks.create": "make their disks",
    "compute.subnetworks.use": "connect them to the network",
    "compute.instances.setLabels": "set labels",
    "compute.instances.start": "start instances",
    "compute.instances.stop": "stop instances",
    "compute.instances.reset": "reset instances",
    "compute.instances.resume": "resume suspended instances",
    "compute.instances.delete": "delete instances",
}


async def granted(connection: GceConnection, wanted: Sequence[str]) -> frozenset[str]:
    """Which of `wanted` the account has. Raises Forbidden where it may not even ask, Transient."""
    address = f"https://{resource_manager_host()}/v3/projects/{connection.project}:testIamPermissions"

    def ask(clients: Clients) -> frozenset[str]:
        answer = clients.session.post(address, json={"permissions": list(wanted)}, timeout=connection.patience.answer)
        if answer.status_code != 200:
            raise errors.of_status(answer.status_code, f"the permissions cannot be asked for ({answer.reason})")
        told = answer.json().get("permissions", [])
        return frozenset(str(each) for each in told if isinstance(told, list)) & frozenset(wanted)

    return await connection.call(ask)
