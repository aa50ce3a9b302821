"""Hosts without libvirt: every address opens a FakeProvider of its own."""

from __future__ import annotations

from confvm_gui.domain.errors import ConfvmError, InvalidInput
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.hosts import HostFact, HostFacts, Hosts
from confvm_gui.fleet.session import FleetSession
from tests.support.fake_provider import FakeProvider, make_instance

FACTS = HostFacts(
    "db1  ·  64 CPUs  ·  512 GiB",
    (
        HostFact("AMD SEV", True, "14 ASIDs are left for such guests"),
        HostFact("Intel TDX", False, "no Intel Xeon"),
        HostFact("Intel SGX", False, "no Intel Xeon"),
        HostFact("KVM", True, ""),
    ),
)


class FakeHost(FakeProvider):
    """Fails to connect as long as there are `troubles`."""

    emulated = False

    def __init__(self, name: str, uri: str, troubles: list[ConfvmError]) -> None:
        super().__init__([make_instance(f"on-{name}", provider=name, cloud="libvirt", emulated=False)])
        self.name, self.title, self.troubles = name, f"QEMU on {uri}", troubles

    async def connect(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)


class FakeOpener:
    """`fleet.hosts.HostOpener`; `troubles` are for the next provider that is opened."""

    def __init__(self) -> None:
        self.missing_reason = ""
        self.troubles: list[ConfvmError] = []
        self.opened: list[FakeHost] = []

    def missing(self) -> str:
        return self.missing_reason

    def name_of(self, uri: str) -> str:
        if not uri.strip().startswith("qemu"):
            raise InvalidInput("uri", "Only QEMU hosts can be used")
        return f"libvirt-{uri.strip().rpartition('/')[2]}"

    def open(self, name: str, uri: str) -> FakeHost:
        self.name_of(uri)
        troubles, self.troubles = self.troubles, []
        self.opened.append(FakeHost(name, uri, troubles))
        return self.opened[-1]

    def facts(self, provider: Provider) -> HostFacts | None:
        return FACTS

    async def learn(self, provider: Provider) -> HostFacts | None:
        return FACTS


def with_hosts(session: FleetSession) -> tuple[Hosts, FakeOpener]:
    """Give a session hosts, none in the list yet."""
    opener = FakeOpener()
    session.hosts = Hosts(session, opener, ())
    return session.hosts, opener
