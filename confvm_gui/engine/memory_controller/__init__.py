"""DRAM and the encryption engine in front of it.

`dram` is the emulated host's memory, shared with the vCPU workers; `xex` the cipher mode; `controller` decides by
page state and ASID what each reader gets.
"""
