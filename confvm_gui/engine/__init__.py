"""The embedded SEV engine: an emulated host with its secure processor, memory controller and guests.

It models the three parts of an SEV host, so that what the console shows follows from a mechanism:

- `secure_processor`: AMD's SP by its published commands, states and status codes;
- `memory_controller`: DRAM, and the AES engine between it and whoever reads;
- `guest_host`: vCPUs that run real x86-64 guest code in worker processes.

`host` puts them together as one machine on which guests are launched.
"""
