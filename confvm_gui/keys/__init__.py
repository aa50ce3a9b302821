"""Who wraps disk keys: one package per scheme of KeyRef URI, each a `domain.ports.keystore.KeyStore` and `GovernsKeys`.

local            this computer: the system keyring, or files (`local:`)
pkcs11           hardware security modules (`pkcs11:`)
aws_kms          AWS KMS (`awskms:`)
gcp_kms          Google Cloud KMS and Cloud HSM (`gcpkms:`)
azure_keyvault   Azure Key Vault and Managed HSM (`azurekv:`)
router           all of them as one, by the scheme
ledger           what is disabled or ended where the store itself knows no such thing
dek              data encryption keys, and what holds a service's answer against what was given to it
cloud            what the stores in clouds have alike
file_lock        files of the data directory that one console at a time changes
"""
