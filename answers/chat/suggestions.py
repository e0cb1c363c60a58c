"""Questions to begin with: those a workspace's manager wrote, else headings of documents open to the asker."""

from collections.abc import Sequence
from itertools import islice

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from answers.exceptions import QuestionError
from answers.language import ENGLISH, in_script, spoken_as
from answers.models import SuggestedQuestion
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import repeating, telling
from documents.models import Deletion, Document, Passage
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

MOST = 8
LONGEST = 200
#: What is offered where the manager wrote none: few, because nobody chose them.
_FROM_DOCUMENTS = 4
_LOOKED_THROUGH = 12
_LONGEST_HEADING = 80


def written_for(workspace: Workspace) -> list[str]:
    """What the manager wrote, in their order."""
    return list(SuggestedQuestion.objects.filter(workspace=workspace).values_list("text", flat=True))


def offered(user: User, workspace: Workspace) -> list[str]:
    """What `user` is offered on an empty page of `workspace`; empty where nothing is open to them."""
    if Action.OPEN not in access.reach(user, workspace):
        return []
    return written_for(workspace) or [_about(topic, locale) for topic, locale in topics(user, workspace).items()]


def topics(user: User, workspace: Workspace) -> dict[str, str]:
    """Headings of the newest documents of `workspace` that `user` may open now, one of each document, and the locale in
    which each is asked about.

    Where some are in the language of the page it is those alone: a question half in another language is read by nobody.
    """
    documents = access.visible(user, Document).filter(workspace=workspace, current_version__isnull=False)
    columns = ("current_version", "title", "current_version__language")
    newest = list(documents.order_by("-created_at").values_list(*columns)[:_LOOKED_THROUGH])
    versions = [version for version, _title, _code in newest]
    found: dict[str, str] = {}
    # The second and third passage: the first is often a cover.
    headings = Passage.objects.filter(version__in=versions, position__in=(1, 2)).order_by("version", "-position")
    by_version = dict(headings.values_list("version", "locator"))
    for version, title, language in newest:
        topic = by_version.get(version, "").rpartition(" › ")[2].strip()
        if not topic or topic.isdigit() or len(topic) > _LONGEST_HEADING:
            topic = title
        found.setdefault(topic, spoken_as(in_script(language, topic)))
    page = _language(translation.get_language() or ENGLISH)
    theirs = {topic: locale for topic, locale in found.items() if _language(locale) == page}
    return dict(islice((theirs or found).items(), _FROM_DOCUMENTS))


def _about(topic: str, locale: str) -> str:
    with translation.override(locale):
        return _("What is said about “%(topic)s”?") % {"topic": topic}


def _language(locale: str) -> str:
    """The language whatever the script: Serbian is read in both."""
    return locale.partition("-")[0]


@transaction.atomic
def save(workspace: Workspace, *, texts: Sequence[str], by: User) -> None:
    """Set what the workspace suggests; blank lines are left out. The trail keeps hashes of before and after.

    Raises QuestionError for too many and for one that is too long.
    """
    access.require(by, Action.MANAGE, workspace)
    kept = list(dict.fromkeys(" ".join(text.replace("\0", "").split()) for text in texts if text.strip()))
    if len(kept) > MOST:
        raise QuestionError(_("At most %(most)d questions can be suggested.") % {"most": MOST})
    if any(len(text) > LONGEST for text in kept):
        raise QuestionError(_("A suggested question has at most %(most)d characters.") % {"most": LONGEST})
    # The workspace's row is the lock: two managers who save at once leave one list, not two in one.
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = written_for(workspace)
    if before == kept:
        return
    SuggestedQuestion.objects.filter(workspace=workspace).delete()
    SuggestedQuestion.objects.bulk_create(
        SuggestedQuestion(workspace=workspace, position=place, text=text) for place, text in enumerate(kept)
    )
    record(
        EventType.SUGGESTIONS_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        before=[digest(text) for text in before],
        after=[digest(text) for text in kept],
    )


def erase(deletion: Deletion, phrases: Sequence[str], _keeps_answers: bool) -> dict[str, int]:
    """Take back suggestions that repeat what was erased word for word; hashes stay in the trail."""
    told = telling(deletion, phrases)
    if not told:
        return {"suggestions": 0}
    rows = SuggestedQuestion.objects.filter(repeating(("text",), told), workspace=deletion.workspace_id)
    found = dict(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", "text"))
    SuggestedQuestion.objects.filter(pk__in=found).delete()
    if found:
        record(
            EventType.REPETITIONS_ERASED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            questions={str(pk): digest(text) for pk, text in found.items()},
        )
    return {"suggestions": len(found)}


dependants.kinds.append(dependants.Kind(erase=erase))
