"""DRAM and the encryption engine in front of it.

`dram` is the emulated host's memory, shared with the vCPU workers; `xex` and `xts` the cipher modes; `controller`
decides by page state and ASID what each reader gets.
"""
