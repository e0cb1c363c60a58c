"""What helps an asker whose question found no evidence: documents that came closest, and words that stand in them.

Only documents the asker may open now are looked at; what is closed to them leaves no trace here.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from answers.models import Answer
from documents import analysis
from documents.embeddings import EmbeddingUnavailable
from documents.models import Document
from documents.search import Hit, search
from workspaces import access
from workspaces.models import User

_DOCUMENTS, _WORDS = 3, 5
#: Titles that are compared with the question's words.
_TITLES = 500
#: How alike two spellings are that one may have been meant for the other, 0 to 1.
_ALIKE = 0.78
_SHORTEST = 4
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class WayOut:
    """`closest`: documents to look into. `words`: to try, each as it stands in a title or heading."""

    closest: tuple[Document, ...]
    words: tuple[str, ...]


def way_out(answer: Answer, *, by: User) -> WayOut:
    """For the question of `answer`, as `by` may search now. Raises Hidden or Forbidden as `search` does."""
    question = answer.asked_as or answer.question.text
    hits = _near(question, answer, by)
    closest = tuple({hit.document.pk: hit.document for hit in hits}.values())[:_DOCUMENTS]
    titles = access.visible(by, Document).filter(workspace=answer.workspace_id, current_version__isnull=False)
    headings = [hit.locator.rpartition(" › ")[2] for hit in hits if not hit.locator.isdigit()]
    known = _spellings([*headings, *titles.order_by("-created_at").values_list("title", flat=True)[:_TITLES]])
    words = [*_meant(question, known), *headings]
    asked = set(_spellings([question]))
    # The place of a passage in a table is a range of rows: nothing to search for.
    kept = [word for word in dict.fromkeys(words) if analysis.fold(word) not in asked and _spellings([word])]
    return WayOut(closest, tuple(kept[:_WORDS]))


def _near(question: str, answer: Answer, by: User) -> tuple[Hit, ...]:
    try:
        return search(by, answer.workspace, question, k=8).hits
    except EmbeddingUnavailable:
        # Nothing came close that could be told now; the rest of the help stands.
        return ()


def _spellings(texts: Iterable[str]) -> dict[str, str]:
    """The words of `texts` by their folded form, longer than a small word."""
    found: dict[str, str] = {}
    for text in texts:
        for word in _WORD.findall(text):
            if len(word) >= _SHORTEST:
                found.setdefault(analysis.fold(word), word.lower())
    return found


def _meant(question: str, known: dict[str, str]) -> list[str]:
    """Words that are known here and look like one of the question's that is not."""
    found = []
    for folded in _spellings([question]):
        if folded not in known:
            alike = difflib.get_close_matches(folded, known, n=1, cutoff=_ALIKE)
            found.extend(known[word] for word in alike)
    return found
