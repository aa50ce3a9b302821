"""The audit log as evidence: what is recorded, who signs for it, how it leaves the console.

actions       every action that is recorded
anchor        the last signed head, kept outside of the data directory
checkpoints   signatures over the log while it grows
verification  chain, signatures and anchor together
records       records as JSON Lines
cef           records as ArcSight CEF
ocsf          records as OCSF
syslog        records as RFC 5424 messages
export        a chosen part of the log as a file
forward       sending them to a syslog server over TLS (RFC 5425)
forwarding    which server, while a console is open, and how it gets on
"""
