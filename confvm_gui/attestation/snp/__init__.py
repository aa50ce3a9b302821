"""AMD SEV-SNP: attestation reports, their VCEK or VLEK, and the platform's claims."""
