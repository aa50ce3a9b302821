"""Attestation as use cases: ask, verify, keep, compare, and guard the release of keys.

service     Attestations, what a window and a command line work with
gate        the verdict on a launch before a key is released to it
judgement   evidence to a verdict, off the event loop
trust       what verdicts make of an instance's trust until its power-on ends
freshness   how old the last verdict on an instance is
baseline    what a boot measured when it was good, and what differs now
monitor     integrity monitoring: every start compared with the baseline
offline     evidence from files, and bundles into files
"""
