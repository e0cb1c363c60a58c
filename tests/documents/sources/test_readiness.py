"""What readiness says of sources that cannot be synced: sentences in the reader's language, never codes."""

import pytest
from django.utils import translation

from documents.exceptions import SourceFailed
from documents.models import Source
from documents.parse import ParseFailed
from documents.parse.failures import SENTENCES as UNREAD
from documents.readiness import connectors
from documents.sources.problems import SENTENCES as PROBLEMS
from workspaces.models import ReadinessResult
from workspaces.readiness import reading, registry


def stopped_by(failed: SourceFailed | ParseFailed) -> ReadinessResult:
    """What a run keeps of a source that was stopped so."""
    tried = connectors._Try(Source(name="Guides"), 0, failed)
    scene = registry.Scene(None)
    scene._known[connectors._tried] = [tried]
    found = connectors.reached(scene)
    return ReadinessResult(code="connectors.reached", sentence=found.sentence, facts=found.facts)


@pytest.mark.parametrize("language", ["en", "sr", "sr-latn"])
def test_whatever_stopped_a_source_is_said_in_a_sentence(language):
    failures = [*map(SourceFailed, PROBLEMS), *map(ParseFailed, UNREAD)]
    with translation.override(language):
        said = {failed.code: reading.sentence(stopped_by(failed)) for failed in failures}

    assert [code for code, text in said.items() if "_" in text or f"({code})" in text] == []
    assert "Guides" in said["folder_missing"]
    folder = {"en": "no such folder", "sr": "Таква фасцикла не постоји", "sr-latn": "Takva fascikla ne postoji"}
    assert folder[language] in said["folder_missing"]


def test_what_an_earlier_release_kept_is_still_read():
    old = ReadinessResult(
        code="connectors.reached",
        sentence="Sources that did not answer, or hold nothing readable: %(n)d of %(all)d (%(names)s).",
        facts={"n": 1, "all": 2, "names": "Guides (denied)"},
    )

    assert reading.in_english(old).endswith("1 of 2 (Guides (denied)).")
