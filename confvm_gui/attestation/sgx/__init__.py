"""Intel SGX: ECDSA quotes of enclaves."""
