"""Keys in Google Cloud KMS and Cloud HSM (`gcpkms:projects/…/cryptoKeys/NAME`)."""

from confvm_gui.keys.gcp_kms.keystore import GcpKeyStore

__all__ = ["GcpKeyStore"]
