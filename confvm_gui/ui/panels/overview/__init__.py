"""The Overview panel: what an instance is, what really runs, how its data are protected, and questions to its guest."""
