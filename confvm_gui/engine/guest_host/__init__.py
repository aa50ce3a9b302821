"""vCPUs: real x86-64 code of the guests, run by the Unicorn CPU emulator in worker processes.

`host` is the console's side; `worker` the process, with `core` (one emulated CPU that all guests of the worker take
turns on), `page_walk` (the guest's page tables and the C-bit), `devices` (serial port, disk, timer), `vcpu_state`
(registers to and from a VMSA page) and `scheduler`. `protocol` is what the two sides say to each other; over the memory
port, `host_calls` asks and `memory_service` answers, with `firmware_port` for what SEV-SNP guests want of the firmware.
A worker holds no key: where a page's representation in the shared memory does not fit the C-bit of an access, it asks
the memory controller in the console's process.
"""
