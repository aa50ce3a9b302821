"""AMD's published formats and arithmetic: bytes in, frozen dataclasses out. No I/O, no clock, no Qt.

One module for each thing that the specification names, so that a reader can hold them side by side:

    commands, status, states   command ids, status codes, who may do what when   (55766, chapters 4 to 6)
    guest_policy               the 32-bit policy of a SEV guest                  (55766, chapter 3)
    amd_certificate            ARK and ASK                                       (55766, appendix B)
    sev_certificate            OCA, CEK, PEK, PDH and the guest owner's PDH      (55766, appendix C)
    ecc_format, signature      keys and signatures inside of those
    kdf, session               how a guest owner's keys reach the firmware       (LAUNCH_START)
    measurement, kernel_hashes what was launched                                 (LAUNCH_MEASURE)
    secret_packet, secret_table how a secret reaches the guest                   (LAUNCH_SECRET)
    attestation_report         the report that the PEK signs                     (ATTESTATION)
    platform_buffers           what PLATFORM_STATUS and GUEST_STATUS answer
    guest_owner                the other end of a launch: who owns the guest

SEV-SNP, and what is launched in any mode:

    snp_policy                 the 64-bit policy of an SNP guest                 (56860, GUEST_POLICY)
    cpu_identity, snp_product  which processor, and which product line that is   (25481; 57230)
    tcb_version                security versions of a platform's firmware        (56860, TCB_VERSION)
    snp_report(_flags)         the report that a chip's or a cloud's key signs   (56860, ATTESTATION_REPORT)
    id_block                   what the owner signs before a launch              (56860, ID_BLOCK, ID_AUTH_INFO)
    der, x509_parts, x509_certificate, x509_crl, vek_extensions                  (57230; RFC 5280)
                               ARK, ASK, ASVK, VCEK, VLEK and revocation lists
    kds                        where AMD has those                               (57230, chapter 4)
    ghcb_certificates          how a host hands them to a guest                  (56421)
    ovmf_image                 what a firmware image says of itself              (edk2, OvmfPkg)
    vmsa                       the registers that a vCPU starts with             (24593, table B-4)
    snp_launch_digest          PAGE_INFO, page by page                           (56860, PAGE_INFO)
    expected_digest            the digest that a launch must have, in every mode

"55766" is AMD's publication 55766, "Secure Encrypted Virtualization API", "56860" is the "SEV Secure Nested Paging
Firmware ABI", "57230" the "VCEK Certificate and KDS Interface", "56421" the GHCB specification, "24593" volume 2 of the
programmer's manual, "25481" the CPUID specification. Parsers take any bytes and raise
InvalidInput for all that is not well-formed; whether well-formed evidence is to be trusted is decided elsewhere.
"""
