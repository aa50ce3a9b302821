"""Secrets that are released to guests which prove what they are.

envelope    a secret under a key of a KeyStore, with its conditions authenticated
broker      binding, nonces, release to evidence, revocation
"""
