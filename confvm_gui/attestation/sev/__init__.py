"""AMD SEV and SEV-ES: launch measurements, the platform's certificates, and the firmware's own attestation report."""
