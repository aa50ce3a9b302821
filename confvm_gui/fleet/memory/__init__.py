"""Watching, sweeping, searching, comparing and exporting the RAM of an instance, through any `MemorySource`."""
