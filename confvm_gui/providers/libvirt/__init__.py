"""Instances on libvirt hosts, this computer or others: QEMU and KVM as Linux administrators run them.

`provider` is the seam's implementation; `connection` the way to one host, `call_threads` and `events` its threads,
`errors` libvirt's errors in the console's words, `uri` addresses of hosts; `inventory` what is known of the domains;
`power`, `start`, `snapshots`, `clone`, `migration` what is done with them, `metrics` what they use, `console` their
serial ports.

libvirt-python (the extra `libvirt`) is imported with the first connection, not with this package.
"""
