"""Secrets for guests that prove what they are.

view            what is bound, to what, how often it was given, and its end
form            binding a secret to what a running instance shows, or to a launch digest
agreement_view  an agreement on data of several owners: read, signed, released to a guest
"""
