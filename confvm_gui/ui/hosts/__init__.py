"""The page for libvirt hosts: which the console is connected to, how they are, and what each can do."""
