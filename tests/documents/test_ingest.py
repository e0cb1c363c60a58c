"""A version's way from received bytes to ready passages, and every way in which it can end."""

from io import BytesIO

import pytest

from documents import index, indexing, library
from documents.ingest import ingest_version
from documents.models import Version

pytestmark = pytest.mark.django_db


def test_a_text_becomes_ready(policies, contributor):
    received = library.receive(
        workspace=policies,
        path="leave.txt",
        filename="leave.txt",
        by=contributor,
        file=BytesIO(b"Parental leave lasts 26 weeks. It is paid in full."),
    )
    result = ingest_version(received.version.pk)
    version = Version.objects.get(pk=received.version.pk)
    assert result.outcome == "ready"
    assert version.state == "ready"
    assert index.ids(policies.pk, indexing.space()) == {str(p.pk) for p in version.passages.all()}
