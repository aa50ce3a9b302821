"""The whole checklist, and what follows from it for each technology."""

from __future__ import annotations

from dataclasses import dataclass

from confvm_gui.domain.catalogue import Technology
from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import TECHNOLOGIES, Item
from confvm_gui.fleet.readiness.kernel import kernel_items
from confvm_gui.fleet.readiness.platform_firmware import ReadFirmware, firmware_item, read_firmware_status
from confvm_gui.fleet.readiness.processor import processor_items, read_processor
from confvm_gui.fleet.readiness.software import software_items


@dataclass(frozen=True, slots=True)
class HostReport:
    """All items, in the order in which they are best mended: the processor first, software last."""

    items: tuple[Item, ...]

    def ready(self, technology: Technology) -> bool:
        """Whether nothing that was found stands against guests of SEV, SEV-ES or SEV-SNP; False for others."""
        return technology in TECHNOLOGIES and not self.blocking(technology)

    def blocking(self, technology: Technology) -> tuple[Item, ...]:
        """The items that stand against it."""
        return tuple(item for item in self.items if technology in item.blocks)


def examine_host(host: Host | None = None, read: ReadFirmware = read_firmware_status) -> HostReport:
    """Look at `host`, this machine by default. Reads files for some tens of milliseconds; never raises for them."""
    where = host or Host()
    items = list(processor_items(where))
    processor = read_processor(where)
    if processor is not None and processor.is_amd:  # on other machines the rest would only repeat it
        items += kernel_items(where)
        items.append(firmware_item(where, read))
    items += software_items(where)
    return HostReport(tuple(items))
