"""The emulated vTPM of an embedded guest: what was booted, measured by the host that boots it, and quotes of it.

tpm_structures   TPM 2.0 structures as bytes
pcr_banks        the registers
event_log        the crypto-agile log of what went into them
uefi_events      UEFI structures inside of events
measured_boot    what an embedded guest's boot measures, and in which order
authority        who vouches for attestation keys: a root that is emulated, and says so
authority_x509   its certificates
virtual_tpm      the vTPM itself

Nothing here is shared with `attestation`, which reads the same formats: what one of the two has wrong, the other finds.
"""
