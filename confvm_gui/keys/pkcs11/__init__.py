"""Keys in a hardware security module (`pkcs11:token=TOKEN;object=KEY`), through its PKCS#11 module.

keystore   the KeyStore
token      sessions of one module: logging in, a token that is taken out and put back
pin        where PINs come from
uri        RFC 7512
"""

from confvm_gui.keys.pkcs11.keystore import Pkcs11KeyStore

__all__ = ["Pkcs11KeyStore"]
