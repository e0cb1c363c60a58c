"""A bucket of Google Cloud Storage, by the interface with which it speaks S3 and the HMAC keys that go with that."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from documents.sources.connector import Field
from documents.sources.s3 import S3Connector


class GcsConnector(S3Connector):
    kind = "gcs"
    label = _("Google Cloud Storage")
    purpose = _("A bucket of Google Cloud Storage, with an HMAC key of a service account.")
    fields = (
        Field("bucket", _("Bucket"), most=100),
        Field("prefix", _("Prefix"), _("Only keys that begin with this."), required=False, most=500),
        Field("access_key", _("Access key ID"), required=False, most=200),
    )
    region: ClassVar[str] = "auto"  # type: ignore[misc]  # it has none, and the signature wants one

    @classmethod
    def endpoint(cls, options: Mapping[str, Any]) -> str:
        return "https://storage.googleapis.com"
