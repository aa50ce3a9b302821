"""Who wraps disk keys: one package per scheme of KeyRef URI, each a `domain.ports.keystore.KeyStore`."""
