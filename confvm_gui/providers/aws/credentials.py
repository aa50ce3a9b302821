"""Who asks AWS: a profile of the AWS CLI's configuration, or an access key.

An access key is never kept here: it is given for as long as a connection lasts.
"""

from __future__ import annotations

import csv
import re
from typing import Any, Final

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.strict_json import parse_strictly
from confvm_gui.providers.aws.connection import sdk

DEFAULT: Final = "default"
"""boto3's whole chain: environment, profile `default`, SSO, the machine's role."""
MOST_BYTES: Final = 8 << 10
_ID: Final = re.compile(r"A(?:KIA|SIA)[A-Z0-9]{12,124}")
_SECRET: Final = re.compile(r"[A-Za-z0-9/+=]{20,128}")


class AccessKey:
    """Id and secret of an access key. The secret is in no message, and no repr.

    Read from the CSV that the IAM console hands out (`Access key ID,Secret access key`) or from the JSON of
    `aws iam create-access-key`.
    """

    def __init__(self, text: str) -> None:
        """Raises InvalidInput("credential") for what is neither."""
        if len(text) > MOST_BYTES:
            raise InvalidInput("credential", "This is no access key of AWS: it is too large")
        self.key_id, self._secret = _of_json(text) if text.lstrip().startswith("{") else _of_csv(text)
        if not _ID.fullmatch(self.key_id):
            raise InvalidInput("credential", "The file has no access key id (AKIA…)")
        if not _SECRET.fullmatch(self._secret):
            raise InvalidInput("credential", "The file has no secret access key that could be one")

    def session(self) -> Any:
        """boto3's Session."""
        return sdk("boto3").Session(aws_access_key_id=self.key_id, aws_secret_access_key=self._secret)

    def __repr__(self) -> str:
        return f"<AccessKey {self.key_id}>"


def profile_session(profile: str) -> Any:
    """boto3's Session of a profile, `default` for the whole chain. botocore's ProfileNotFound passes."""
    boto3 = sdk("boto3")
    return boto3.Session() if profile == DEFAULT else boto3.Session(profile_name=profile)


def _of_json(text: str) -> tuple[str, str]:
    content = parse_strictly(text.encode(), lambda why: InvalidInput("credential", f"The access key {why}"))
    inner = content.get("AccessKey", content)
    if not isinstance(inner, dict):
        raise InvalidInput("credential", "The file has no AccessKey")
    return str(inner.get("AccessKeyId", "")), str(inner.get("SecretAccessKey", ""))


def _of_csv(text: str) -> tuple[str, str]:
    try:
        rows = [row for row in csv.reader(text.lstrip("\ufeff").splitlines(), strict=True) if row]
    except csv.Error:
        raise InvalidInput("credential", "This is no access key of AWS: neither CSV nor JSON") from None
    if len(rows) != 2:
        raise InvalidInput("credential", "This is no access key of AWS: its CSV has a line of names and one of values")
    names = [name.strip().lower() for name in rows[0]]
    found = dict(zip(names, (value.strip() for value in rows[1]), strict=False))
    return found.get("access key id", ""), found.get("secret access key", "")
