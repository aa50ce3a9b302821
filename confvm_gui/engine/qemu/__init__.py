"""Guests of the emulated host that run in QEMU: a real Linux kernel and initrd instead of a built-in guest.

QEMU is the vCPU (its own translator, TCG, never KVM) and nothing else: RAM, launch and memory encryption are the
emulated host's. `linux_boot` and `reset_rom` say what RAM holds before the first instruction, `ram` shares it,
`launch` has the secure processor measure it, `process` and `qmp` run and watch QEMU.

The machine has a serial port and no device that reads or writes RAM by itself (no virtio, no disk, no network), so a
guest needs no shared page, and all of its RAM is treated as private. The guest itself does not know: CPUID shows it no
memory encryption, and RAM that nobody wrote reads as zeros where real SEV hardware would show it noise.
"""
