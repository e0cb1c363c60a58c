"""Documents to ask about, ingested by the real stages into the real index."""

import io
from typing import Any

from documents.access.restriction import grant, restrict
from documents.ingest import ingest_version
from documents.library import receive
from documents.models import Version
from documents.states import VersionState
from workspaces import access
from workspaces.roles import Action

HANDBOOK_PATH = "employee-handbook.md"
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
    contributor = access.people_allowed(workspace, Action.ADD).first()
    version = receive(
        workspace=workspace, path=path, file=io.BytesIO(text.encode()), filename=path, by=contributor
    ).version
    if granted_to is not None:
        manager = access.people_allowed(workspace, Action.MANAGE_DOCUMENTS).first()
        restrict(version.document, by=manager)
        for person in granted_to:
            grant(version.document, person, by=manager)
    ingest_version(version.pk)
    version.refresh_from_db()
    assert version.state == VersionState.READY, version.failure_sentence
    return version
