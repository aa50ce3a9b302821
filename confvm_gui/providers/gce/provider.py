"""The Compute Engine provider: one project, by one account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import ConfvmError, NotFound
from confvm_gui.domain.guest_evidence import GuestEvidence
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Capability, OperationContext
from confvm_gui.providers.cloud.connection import Patience
from confvm_gui.providers.cloud.provider import CloudProvider
from confvm_gui.providers.cloud.table import OWN_LABELS, Entry, Seen
from confvm_gui.providers.gce import org_policy
from confvm_gui.providers.gce.connection import Clients, GceConnection
from confvm_gui.providers.gce.console import SerialConsole
from confvm_gui.providers.gce.create import Body, create, delete, find_named
from confvm_gui.providers.gce.instance_read import CLOUD, read_instance
from confvm_gui.providers.gce.integrity import evidence_formats, integrity_evidence
from confvm_gui.providers.gce.operations import request_id, to_the_end
from confvm_gui.providers.gce.org_policy import CONFIDENTIAL_ONLY, OrgPolicy
from confvm_gui.providers.gce.polling import Poller

_log: Final = logging.getLogger(__name__)
_MEMORY: Final = (
    "Google's hypervisor shows nobody the memory of its guests, neither as it sees it nor in the clear; what can be "
    "known of a launch is in the instance's evidence"
)
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.SEV_ES: "Compute Engine offers AMD SEV, AMD SEV-SNP and Intel TDX; SEV-ES is not among its types",
    Technology.SGX: "Compute Engine runs whole virtual machines; it offers no SGX enclaves",
    Technology.NITRO: "Nitro Enclaves are part of AWS's own hypervisor",
    Capability.PAUSE: "Compute Engine cannot suspend Confidential VMs; stop the instance instead",
    Capability.MEMORY_HYPERVISOR: _MEMORY,
    Capability.MEMORY_GUEST: _MEMORY,
    Capability.MEMORY_WRITE: "Google's hypervisor lets nobody write into the memory of its guests",
    Capability.METRICS: "Compute Engine tells of processor and memory through Cloud Monitoring, which is not read here",
    Capability.GUEST_QUERIES: "Questions are answered by the built-in records guest of the embedded engine",
    Capability.SECRET_INJECTION: "Google launches its guests itself; secrets reach them through attestation afterwards",
    Capability.SNAPSHOT: "Snapshots of Google's disks are made in the Cloud console",
    Capability.MIGRATION: "Google itself decides on which host an instance runs",
    Capability.CLONE: "Machine images of Google instances are made in the Cloud console",
}


class GceProvider(CloudProvider):
    """Implements Provider, HasConsole, HasEvidence and LearnsAbilities: it learns the catalogue of its project."""

    technologies_offered = frozenset({Technology.SEV, Technology.SEV_SNP, Technology.TDX})
    reasons = _REASONS
    abilities = Capability.CONSOLE | Capability.ATTESTATION

    def __init__(
        self,
        name: str,
        project: str,
        credentials: Callable[[], Any],
        catalog: Catalog,
        body: Body,
        *,
        title: str = "",
        readonly: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """`credentials`: called in a thread, for google.auth's object. `body`: see `create`."""
        self.connection = GceConnection(project, credentials, patience=patience)
        super().__init__(name, title or f"Google Cloud, project {project}", catalog, self.connection, readonly=readonly)
        self._body = body
        self._policy = OrgPolicy()
        self.poller = Poller(self.connection, self.table, name, catalog)

    def reason_unsupported(self, what: Capability | Technology) -> str:
        if what is Technology.NONE and self._policy.confidential_only:
            return CONFIDENTIAL_ONLY
        return super().reason_unsupported(what)

    def console(self, instance_id: str) -> SerialConsole:
        console = self._console(instance_id, SerialConsole)
        assert isinstance(console, SerialConsole)
        return console

    def evidence_formats(self, instance_id: str) -> Sequence[EvidenceFormat]:
        return evidence_formats(self._known_entry(instance_id).instance)

    async def evidence(self, instance_id: str, form: EvidenceFormat, nonce: bytes) -> GuestEvidence:
        """Google's own log carries no nonce: it says when it was written."""
        return await integrity_evidence(self.connection, self._known_entry(instance_id).seen, form)

    def _known_entry(self, instance_id: str) -> Entry:
        entry = self.table.find(instance_id)
        if entry is None:
            raise NotFound("This instance does not exist any more")
        return entry

    async def connect(self) -> None:
        first = not self.table.all()
        await super().connect()
        if first:
            await self._read_policy()

    async def _read_policy(self) -> None:
        """What cannot be read is Google's to refuse."""
        try:
            self._policy = await org_policy.read(self.connection)
        except ConfvmError as error:
            _log.info("The organisation's policy for %s could not be read: %s", self.name, error.message)

    async def look(self) -> None:
        await self.poller.look()

    async def _learn(self) -> None:
        from confvm_gui.providers.gce import live_catalogue

        told = await live_catalogue.read(self.connection, self._catalog)
        self._catalog.learn(
            CLOUD,
            live_catalogue.regions(self._catalog, told),
            live_catalogue.machine_types(self._catalog, told),
            live_catalogue.images(self._catalog, told, self.connection.project),
        )

    async def _find(self, instance_id: str) -> Seen | None:
        return await self.poller.find(instance_id)

    async def _fetch(self, seen: Seen) -> Seen | None:
        found = await find_named(self.connection, seen.instance.zone, seen.number)
        return None if found is None else read_instance(found, self._name, self._catalog)

    async def _make(self, request: LaunchRequest, operation: OperationContext) -> Seen:
        self._policy.check(request)
        found = await create(self.connection, request, operation, self._body, self._catalog, self.table.remove_number)
        return read_instance(found, self._name, self._catalog)

    def _is_off(self, seen: Seen) -> bool:
        return seen.status in ("TERMINATED", "STOPPED")  # one that is suspended gives its memory up

    async def _do(self, seen: Seen, act: str, operation: OperationContext) -> None:
        if act == "start" and seen.status in ("SUSPENDED", "SUSPENDING"):
            act = "resume"

        def ask(clients: Clients) -> Any:
            message = getattr(clients.types, f"{act.capitalize()}InstanceRequest")(
                project=self.connection.project,
                zone=seen.instance.zone,
                instance=seen.number,
                request_id=request_id(operation.operation_id, act),
            )
            call = getattr(clients.instances, f"{act}_unary")
            return call(request=message, timeout=self.connection.patience.answer, retry=None)

        await to_the_end(self.connection, seen.instance.zone, ask)

    async def _destroy(self, seen: Seen, operation: OperationContext) -> None:
        unique = request_id(operation.operation_id, "delete")
        await delete(self.connection, seen.instance.zone, seen.number, unique)

    async def _label(self, seen: Seen, labels: Mapping[str, str], operation: OperationContext) -> None:
        found = await find_named(self.connection, seen.instance.zone, seen.number)
        if found is None:
            raise NotFound(f"{seen.instance.name} does not exist any more")
        own = {key: value for key, value in found.labels.items() if key in OWN_LABELS}

        def ask(clients: Clients) -> Any:
            types = clients.types
            message = types.SetLabelsInstanceRequest(
                project=self.connection.project,
                zone=seen.instance.zone,
                instance=seen.number,
                request_id=request_id(operation.operation_id, "labels"),
                instances_set_labels_request_resource=types.InstancesSetLabelsRequest(
                    label_fingerprint=found.label_fingerprint, labels=dict(labels) | own
                ),
            )
            return clients.instances.set_labels_unary(
                request=message, timeout=self.connection.patience.answer, retry=None
            )

        await to_the_end(self.connection, seen.instance.zone, ask)
