"""Keys that wrap the keys of disks: what there are, whom they hold, and their rotation, disabling and end.

service    the use cases
rewrap     moving an instance's disk key from one key to another
places     where keys are looked for, as the settings say
"""

from confvm_gui.fleet.keys.service import BOUND_USE, KeyListing, Keys, KeyStores

__all__ = ["BOUND_USE", "KeyListing", "KeyStores", "Keys"]
