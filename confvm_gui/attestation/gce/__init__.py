"""Google Compute Engine's vTPM: attestations as go-tpm-tools writes them, and AK certificates that name the instance.

A TPM quote with an AK certificate of Google's is verified by `tpm`; here is what is Google's own.
"""
