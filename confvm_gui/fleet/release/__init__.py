"""Secrets that are released to guests which prove what they are.

envelope    a secret under a key of a KeyStore, with its conditions authenticated
examination whether a report meets the conditions
broker      binding, nonces, release to evidence, revocation
sharing     data that several owners seal, and release together to the guest that all of them approved
"""
