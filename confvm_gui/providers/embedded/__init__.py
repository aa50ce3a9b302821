"""Instances on the embedded SEV engine: this computer plays the host, its processor and its hypervisor.

`provider` is the seam's implementation; `launch` one power-on, in which the console is the guest's owner;
`definitions` what stays on disk between runs; `entry` what is known of one instance; `memory`, `console` and
`queries` the optional powers.
"""
