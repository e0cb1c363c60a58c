"""`review list|show|approve|return|reject|reopen|take-back ID --as USER --reason …`: the queue from a terminal."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from answers import review, separation
from answers.exceptions import DraftError
from answers.models import Answer, Draft
from audit.chain import digest
from workspaces import access
from workspaces.commands import PortalCommand
from workspaces.models import User
from workspaces.roles import Action

_AGAIN = {"reopen": review.reopen, "take-back": review.take_back}


class Command(PortalCommand):
    help = "List the drafts that wait where a person reviews, read one, or decide on it."
    acts_as_person = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("act", choices=["list", "show", "approve", "return", "reject", "reopen", "take-back"])
        parser.add_argument("draft", nargs="?", metavar="ID", help="the draft's id, or its answer's")
        parser.add_argument("--reason", default="", help="needed for all but approving")
        parser.add_argument(
            "--question",
            action="append",
            default=[],
            metavar="TEXT",
            help="with return: asked of the asker",
        )
        parser.add_argument(
            "--seen",
            metavar="SHA256",
            help="needed to approve: decide only on the text with this hash, as `show` prints it",
        )

    def run(
        self,
        *,
        act: str,
        draft: str | None,
        reason: str,
        seen: str | None,
        question: list[str],
        user: User,
        **options: Any,
    ) -> dict[str, Any]:
        if act == "list":
            return self._list(user)
        if not draft:
            raise DraftError(_("Say which draft: `review list` shows their ids."))
        if act == "approve" and not seen:
            raise DraftError(_("Say which text you approve: give --seen with the SHA-256 that `review show` prints."))
        if act in _AGAIN:
            return self._again(_AGAIN[act], draft, user, reason)
        found = _find(draft, user)
        if act == "show":
            review.opened(found, by=user)
            return self._shown(found, user)
        if act == "approve":
            review.approve(found, by=user, seen_sha256=seen or "", reason=reason)
        elif act == "return":
            review.return_for_changes(found, by=user, reason=reason, seen_sha256=seen, questions=question)
        else:
            review.reject(found, by=user, reason=reason, seen_sha256=seen)
        found.refresh_from_db()
        self.say(f"{found.pk}: {found.get_state_display()}.")
        return _document(found)

    def _again(self, act: Any, id: str, user: User, reason: str) -> dict[str, Any]:
        """For an answer that was released, by its own id or its draft's: what the policy let out has no draft yet."""
        released = access.visible(user, Answer)
        of_draft = released.filter(draft=id).values_list("pk", flat=True).first() if _is_uuid(id) else None
        draft = act(access.find(user, Action.REVIEW, Answer, pk=of_draft or id), by=user, reason=reason)
        self.say(f"{draft.pk}: {draft.get_state_display()}.")
        return _document(draft)

    def _list(self, user: User) -> dict[str, Any]:
        drafts = access.visible(user, Draft).filter(state__in=review.WHEN["approve"])
        rows = [_document(draft) for draft in drafts.select_related("answer__question__asked_by", "workspace")]
        for row in rows:
            self.say(f"{row['id']}  {row['workspace']}  {row['asked_by']}  {row['state']}  {row['question'][:80]}")
        if not rows:
            self.say(_("Nothing waits for you."))
        return {"drafts": rows}

    def _shown(self, draft: Draft, user: User) -> dict[str, Any]:
        citations = [
            {
                "n": citation.number,
                "document": citation.document.title,
                "version": citation.version.number,
                "locator": citation.locator,
                "quote": citation.quote,
            }
            for citation in draft.answer.citations.select_related("document", "version")
        ]
        objection = separation.refusal(user, draft, separation.APPROVE) or ""
        self.say(draft.answer.question.text)
        self.say(f"\n{draft.text}\n")
        for one in citations:
            self.say(_("[%(n)d] %(document)s, version %(version)d, %(locator)s: %(quote)s") % one)
        self.say(f"\n{draft.get_state_display()}.")
        self.say(_("SHA-256 of the text: %(hash)s") % {"hash": digest(draft.text)})
        if objection:
            self.say(objection)
        return _document(draft) | {"text": draft.text, "citations": citations, "objection": objection}


def _find(id: str, user: User) -> Draft:
    drafts = access.visible(user, Draft)
    by_answer = drafts.filter(answer=id).values_list("pk", flat=True).first() if _is_uuid(id) else None
    return access.find(user, Action.REVIEW, Draft, pk=by_answer or id)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _document(draft: Draft) -> dict[str, Any]:
    return {
        "id": str(draft.pk),
        "answer_id": str(draft.answer_id),
        "workspace": draft.workspace.slug,
        "question": draft.answer.question.text,
        "asked_by": draft.answer.question.asked_by.username,
        "state": draft.state,
        "status": draft.answer.status,
        "created_at": draft.created_at,
        "text_sha256": digest(draft.text),
    }
