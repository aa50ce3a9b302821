"""TPM 2.0 quotes: what the TPM signed, the PCR values behind it, and the event log behind those.

structures  TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC
keys        attestation keys out of all the forms in which they come
material    everything that belongs to one quote, out of files and JSON
verify      the steps
"""
