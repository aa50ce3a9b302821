"""Keys of this user on this machine (`local:NAME`): AES-256 key wrap under a KEK that the system keyring keeps.

keystore        the KeyStore
kek             a key encryption key in memory
system_keyring  KEKs in the desktop's keyring
key_files       KEKs in files, where the machine has no keyring
"""

from confvm_gui.keys.local.keystore import LocalKeyStore

__all__ = ["LocalKeyStore"]
