"""The Attestation panel of an instance, and the verdict view that it shares with the page for evidence files."""
