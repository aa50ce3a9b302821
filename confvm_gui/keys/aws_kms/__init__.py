"""Keys in AWS KMS (`awskms:REGION/KEY-ID`)."""

from confvm_gui.keys.aws_kms.keystore import AwsKeyStore

__all__ = ["AwsKeyStore"]
