"""The AMD secure processor, emulated: the SEV firmware's commands over its own keys and guest contexts.

What a host's software sends to the firmware's mailbox are here the methods of `processor.SecureProcessor`, by the
published names (publication 55766). One module for each chapter of commands, so that more can be added beside them:

    platform_commands   INIT, INIT_EX to DF_FLUSH: states, owner, platform keys
    guest_commands      ACTIVATE, DEACTIVATE, GUEST_STATUS, DECOMMISSION, ATTESTATION
    launch_commands     LAUNCH_START to LAUNCH_FINISH, SEV-ES's VMSAs among them
    send_commands       SEND_START to SEND_CANCEL; receive_commands RECEIVE_START to RECEIVE_FINISH
    debug_commands      DBG_DECRYPT, DBG_ENCRYPT, COPY
    snp_*_commands      SEV-SNP (publication 56860): platform, guests and pages, launch, guest requests

They share `firmware_state`, `guest_context` (GCTX), `asid_table` (who owns which ASID, what must be flushed),
`chip_secret` and `identity` (CEK, OCA, PEK, PDH), `snp_firmware` and `rmp` (who owns which page, with `rmp_entry` and
`rmp_runs`), `emulated_root` (the ARK and ASK that stand in for AMD's), and reach memory through
`memory_port` alone. Decisions and what is not modelled: resources/adr/0003-secure-processor.md.
"""
