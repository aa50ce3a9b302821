"""ConfVM Console: launch, watch, prove and govern confidential virtual machines."""

__version__ = "0.1.0"
