"""Who may do what on a data directory.

assignments   the file roles.toml
access        what the one who runs this console may do, and the refusal of the rest

Roles guard within the console: the files of the data directory are guarded by their permissions alone.
"""
