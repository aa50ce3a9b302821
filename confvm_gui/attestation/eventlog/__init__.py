"""TCG event logs: what was measured during boot, and what the registers must hold because of it.

algorithms   hash algorithms by their TCG ids
event_types  names of event types
log          the PC Client formats, SHA-1 and crypto agile, and the CC event log (CCEL)
replay       registers from events
uefi         variables, signature lists, image loads, device paths inside of events
secure_boot  was Secure Boot on, and with which keys?
boot_facts   firmware version, GCE's memory encryption, applications, GRUB, kernel
canonical    the canonical event log (CEL), TLV encoding
verify       all of that against quoted registers
"""
