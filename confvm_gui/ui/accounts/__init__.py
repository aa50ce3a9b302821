"""Accounts in clouds: a form for a further one, the list, and the one that is selected."""
