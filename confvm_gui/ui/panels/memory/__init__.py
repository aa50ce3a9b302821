"""The memory panel: what the hypervisor sees beside what the guest sees, live."""

from confvm_gui.ui.panels.memory.panel import MemoryPanel

__all__ = ["MemoryPanel"]
