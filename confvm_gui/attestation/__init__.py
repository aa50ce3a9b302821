"""Is it trusted? Verifiers of remote attestation evidence: bytes and a time come in, verdicts go out.

No I/O, no clock, nothing of the engine: the emulator and the verifier are written apart, so that each catches the
other's mistakes. Untrusted is a verdict; InvalidInput means malformed bytes; all findings are collected.

    recognise          which format is this? by content
    verify             evaluate(evidence, endorsements, reference values, time) -> verdict
    appraise           claims against reference values
    codes              what every finding means
    roots              the pinned roots
    endorsement_files  certificates, lists and collateral, sorted by content
    reference_file     reference values from JSON or TOML
    bundle             evidence and endorsements in one zip
    needs              which endorsements a piece of evidence needs, and where they are published
    x509               certificates, revocation lists, paths
    snp, sev           AMD;  dcap, tdx, sgx: Intel;  tpm, eventlog, gce, azure, nitro: vTPMs and clouds
"""
