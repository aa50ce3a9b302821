"""The EC2 provider: one account in all its regions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import WrongState
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Capability, OperationContext
from confvm_gui.providers.aws.connection import AwsConnection, Clients
from confvm_gui.providers.aws.console import SerialConsole
from confvm_gui.providers.aws.create import create, terminate
from confvm_gui.providers.aws.instance_read import CLOUD, GONE, TAG_NAME
from confvm_gui.providers.aws.permissions import account_of
from confvm_gui.providers.aws.polling import Poller
from confvm_gui.providers.cloud.connection import Patience
from confvm_gui.providers.cloud.provider import CloudProvider
from confvm_gui.providers.cloud.table import OWN_LABELS, Seen

_MEMORY: Final = (
    "Amazon's hypervisor shows nobody the memory of its guests, neither as it sees it nor in the clear; what can be "
    "known of a launch is in the instance's evidence"
)
_AMD: Final = "Amazon EC2 offers AMD SEV-SNP and Nitro Enclaves; choose one of them"
_REASONS: Final[Mapping[Capability | Technology, str]] = {
    Technology.SEV: _AMD,
    Technology.SEV_ES: _AMD,
    Technology.TDX: _AMD,
    Technology.SGX: _AMD,
    Capability.PAUSE: "Amazon EC2 hibernates only what was launched for it; stop the instance instead",
    Capability.MEMORY_HYPERVISOR: _MEMORY,
    Capability.MEMORY_GUEST: _MEMORY,
    Capability.MEMORY_WRITE: "Amazon's hypervisor lets nobody write into the memory of its guests",
    Capability.METRICS: "Amazon EC2 tells of processor and memory through CloudWatch, which is not read here",
    Capability.GUEST_QUERIES: "Questions are answered by the built-in records guest of the embedded engine",
    Capability.SECRET_INJECTION: "Amazon launches its guests itself; secrets reach them through attestation afterwards",
    Capability.ATTESTATION: "Evidence of an EC2 instance is given inside of it (the SNP report, or the enclave's "
    "attestation document): fetch it there, and open it on the page Evidence",
    Capability.SNAPSHOT: "Snapshots of Amazon's volumes are made in the AWS console",
    Capability.MIGRATION: "Amazon itself decides on which host an instance runs",
    Capability.CLONE: "Images of EC2 instances are made in the AWS console",
}
_WORDS: Final = {"start": "start_instances", "stop": "stop_instances", "reset": "reboot_instances"}


class Claims:
    """Which provider works with which account of AWS: a profile does not tell before it has logged in."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}

    def take(self, account: str, provider: str) -> None:
        """Raises WrongState where another has it: its instances would stand in the fleet twice."""
        holder = self._holders.setdefault(account, provider)
        if holder != provider:
            raise WrongState(f"This is the account {account}, which is in the list already as {holder}; remove one")

    def release(self, provider: str) -> None:
        self._holders = {account: holder for account, holder in self._holders.items() if holder != provider}


class AwsProvider(CloudProvider):
    """Implements Provider, HasConsole and LearnsAbilities."""

    technologies_offered = frozenset({Technology.SEV_SNP, Technology.NITRO})
    reasons = _REASONS
    abilities = Capability.CONSOLE

    def __init__(
        self,
        name: str,
        account: str,
        session: Callable[[], Any],
        catalog: Catalog,
        *,
        title: str = "",
        readonly: bool = False,
        patience: Patience | None = None,
        claims: Claims | None = None,
    ) -> None:
        """`account`: profile or account id, for messages. `session`: called in a thread, for boto3's Session.
        `claims`: shared by the accounts of a console, so that none is worked with twice.
        """
        self._claims = claims or Claims()
        self._claimed = False
        self.connection = AwsConnection(account, session, patience=patience)
        super().__init__(name, title or f"AWS, {account}", catalog, self.connection, readonly=readonly)
        self.poller = Poller(self.connection, self.table, name, catalog)

    def console(self, instance_id: str) -> SerialConsole:
        console = self._console(instance_id, SerialConsole)
        assert isinstance(console, SerialConsole)
        return console

    async def connect(self) -> None:
        """Raises WrongState also where another account of the list turns out to be the same."""
        number, _arn = await account_of(self.connection)
        self._claims.take(number, self.name)
        self._claimed = True
        await super().connect()

    async def aclose(self) -> None:
        if self._claimed:
            self._claims.release(self.name)
            self._claimed = False
        await super().aclose()

    async def look(self) -> None:
        await self.poller.look()

    async def _learn(self) -> None:
        from confvm_gui.providers.aws import live_catalogue

        told = await live_catalogue.read(self.connection, self._catalog)
        self._catalog.learn(
            CLOUD,
            live_catalogue.regions(self._catalog, told),
            live_catalogue.machine_types(self._catalog, told),
            live_catalogue.images(self._catalog, told),
        )

    async def _find(self, instance_id: str) -> Seen | None:
        return await self.poller.find(instance_id)

    async def _fetch(self, seen: Seen) -> Seen | None:
        wanted = [{"Name": "instance-id", "Values": [seen.number]}]
        found = await self.poller.described(seen.instance.region, Filters=wanted)
        return next((each for each in found if each.status != GONE), None)

    async def _make(self, request: LaunchRequest, operation: OperationContext) -> Seen:
        seen = await create(self.connection, self.poller, request, operation, self._catalog, self.table.remove_number)
        while seen.status == "pending":
            await asyncio.sleep(self.connection.patience.operation)
            seen = await self._fetch(seen) or seen
        return seen

    async def _do(self, seen: Seen, act: str, operation: OperationContext) -> None:
        def ask(clients: Clients) -> None:
            getattr(clients.ec2(seen.instance.region), _WORDS[act])(InstanceIds=[seen.number])

        await self.connection.call(ask)

    async def _destroy(self, seen: Seen, operation: OperationContext) -> None:
        await terminate(self.connection, seen.instance.region, seen.number)
        there: Seen | None = seen
        while there is not None:
            there = await self._fetch(seen)
            await asyncio.sleep(self.connection.patience.operation if there else 0)

    async def _label(self, seen: Seen, labels: Mapping[str, str], operation: OperationContext) -> None:
        kept = OWN_LABELS | {TAG_NAME}
        wanted = [{"Key": key, "Value": value} for key, value in labels.items() if key not in kept]
        old = [{"Key": key} for key in seen.instance.labels if key not in labels]

        def ask(clients: Clients) -> None:
            ec2 = clients.ec2(seen.instance.region)
            if wanted:
                ec2.create_tags(Resources=[seen.number], Tags=wanted)
            if old:
                ec2.delete_tags(Resources=[seen.number], Tags=old)

        await self.connection.call(ask)
