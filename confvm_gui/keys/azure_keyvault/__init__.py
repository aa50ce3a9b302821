"""Keys in Azure Key Vault and Managed HSM (`azurekv:VAULT/NAME`)."""

from confvm_gui.keys.azure_keyvault.keystore import AzureKeyStore

__all__ = ["AzureKeyStore"]
