"""Is this machine ready to host SEV, SEV-ES and SEV-SNP guests? A checklist with a hint for each failure."""

from confvm_gui.fleet.readiness.checklist import HostReport, examine_host
from confvm_gui.fleet.readiness.host import Host
from confvm_gui.fleet.readiness.item import Item, ItemState

__all__ = ["Host", "HostReport", "Item", "ItemState", "examine_host"]
