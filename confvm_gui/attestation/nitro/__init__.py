"""AWS Nitro: attestation documents of enclaves and of NitroTPM, CBOR in COSE_Sign1."""
