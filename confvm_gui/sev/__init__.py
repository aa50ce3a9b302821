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

"55766" is AMD's publication 55766, "Secure Encrypted Virtualization API". Parsers take any bytes and raise
InvalidInput for all that is not well-formed; whether well-formed evidence is to be trusted is decided elsewhere.
"""
