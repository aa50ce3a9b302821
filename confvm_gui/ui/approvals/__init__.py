"""Requests that wait for a second person: the list, what is asked, and the decision."""
