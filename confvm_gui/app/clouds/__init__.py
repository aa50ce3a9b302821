"""Opens accounts in clouds for the fleet: the one place that hands the clouds' adapters over.

Nothing of an adapter is loaded before there is an account of its kind, and nothing of an SDK before it is connected.
"""

from confvm_gui.app.clouds.opener import KINDS, CloudOpener, KeyringShelf, open_accounts

__all__ = ["KINDS", "CloudOpener", "KeyringShelf", "open_accounts"]
