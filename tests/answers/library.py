"""Documents to ask about, ingested by the real stages into the real index."""

import hashlib
from typing import Any

from django.core.files.base import ContentFile

from documents.ingest import ingest_version
from documents.models import Document, Version
from documents.states import VersionState
from workspaces import access

HANDBOOK = """# Employee handbook

## Parental leave

The first parent takes 16 weeks of paid parental leave. The second parent takes 20 working days of paid parental
leave within six months of the birth. Leave is requested at least four weeks ahead.

## Annual leave

Every employee has 25 working days of annual leave a year. Up to five days may be carried over until the end of March.

## Working from home

Employees may work from home three days a week after their probation. The desk at home is checked once a year.
"""

PURCHASING = """# Purchasing policy

## Approval limits

A team lead approves purchases up to EUR 2,000. A department head approves purchases up to EUR 15,000. Purchases above
EUR 15,000 are approved by the management board.

## Suppliers

New suppliers are checked against the sanctions list before the first order.
"""


def add_document(workspace: Any, path: str, text: str, *, granted_to: list[Any] | None = None) -> Version:
    """A ready version after the real ingestion; restricted to `granted_to` unless that is None."""
    document = Document.objects.create(
        workspace=workspace,
        path=path,
        title=path.rsplit(".", 1)[0].replace("-", " ").capitalize(),
        restricted=granted_to is not None,
    )
    for person in granted_to or ():
        access.grant("open_document", person, document)
    content = text.encode()
    version = Version(
        document=document, number=1, sha256=hashlib.sha256(content).hexdigest(), size=len(content), filename=path
    )
    version.file.save("original", ContentFile(content), save=False)
    version.save()
    ingest_version(version.pk)
    version.refresh_from_db()
    assert version.state == VersionState.READY, version.failure_sentence
    return version
