"""What the providers of all clouds share: calls with patience, the table of instances, the life of a provider.

Nothing here knows a cloud; each cloud's own room fills in what its service is asked and how it answers.
"""
