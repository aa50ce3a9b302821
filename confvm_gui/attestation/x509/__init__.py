"""X.509 paths (RFC 5280), over the certificates and revocation lists that `sev` reads.

certificates  parsing, kept; what a person and a pin need
signature     is this signed by that key? RSA and ECDSA as the manufacturers use them
path          from a certificate to a pinned root; validity, constraints, revocation as findings
"""
