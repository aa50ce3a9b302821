"""What Intel's SGX and TDX quotes share: Data Center Attestation Primitives (DCAP).

quote: header and signature data; enclave: SGX report bodies; pck: the platform's certificate; collateral and tcb: what
Intel's Provisioning Certification Service publishes; verify: the steps that both kinds of quote go through.
"""
