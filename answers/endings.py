"""Write down how an answer ended: text, citations, steps, audit entry and release in one transaction, or nothing."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import Exists, F
from django.utils import timezone

from answers import endpoints, news
from answers.exceptions import LeaseLost
from answers.grounding import summarise
from answers.leases import ours
from answers.models import SEARCH_LIMITED, Answer, Citation, Draft, StepRun, TemplateVersion
from answers.policy.noting import as_detail, held_meanwhile, newest_rules, note_verdict, verdict_stands
from answers.querysets import closed_evidence
from answers.queue import due
from answers.reuse import giving
from answers.separation import Deciding, deciding, read_deciding
from answers.states import HELD, RELEASED, AnswerStatus
from answers.steps.state import State
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.roles import Action

_EVENTS = {
    "answered": EventType.ANSWER_RELEASED,
    "held": EventType.ANSWER_HELD,
    "refused": EventType.ANSWER_REFUSED,
    "failed": EventType.ANSWER_FAILED,
}
_WRITTEN = (
    "status",
    "ended_at",
    "lease_until",
    "policy",
    "endpoint",
    "endpoint_label",
    "template",
    "raw_output",
    "dropped_citations",
    "parameters",
    "prompt_version",
    "prompt_sha256",
    "failure_detail",
    "text",
    "sentences",
    "released_text",
    "released_sha256",
    "released_at",
    "released_by",
)


@transaction.atomic
def conclude(state: State, status: str, runs: Sequence[StepRun], details: dict[str, Any]) -> Answer:
    """End the answer in `status` and return it as stored.

    What was to be released is held when the policy asks for review by now. What was to be released or held is refused
    when the asker lost a right to it since the evidence was read, or when nobody could decide on it. An approved
    answer that is given again was let out by who approved it. Raises LeaseLost when the answer is no longer ours, and
    ApprovalGone when that approval does not stand any more.
    """
    answer, rules = state.answer, _locked(state.answer, held=status in HELD)
    if state.reused is not None:
        giving.require_standing(state.reused, state.asker)
    elif status in RELEASED and not verdict_stands(state, rules.policy_now, rules.rules_now):  # type: ignore[attr-defined]
        status, state.policy = AnswerStatus.HELD_FOR_REVIEW, rules.policy_now  # type: ignore[attr-defined]
        state.release = held_meanwhile(state, rules.policy_now)  # type: ignore[attr-defined]
    if status in (*RELEASED, *HELD) and not _is_open_to_asker(answer, rules):
        status, details = AnswerStatus.REFUSED_NO_RIGHT, {"at": "release"}
    reviewers: Deciding | None = None
    needs_second = False
    if status in HELD:
        reviewers = _reviewers(rules)
        needs_second = reviewers.takes_two or (state.release is not None and state.release.takes_two)
        if not reviewers.are_enough(two=needs_second):
            status, details = AnswerStatus.REFUSED_NO_REVIEWER, {"at": "release"}
    answer.status = status
    answer.ended_at = timezone.now()
    answer.lease_until = None
    _write_provenance(answer, state)
    answer.failure_detail = str(details.get("reason", ""))[:300]
    if status in (*RELEASED, *HELD):
        _write_text(answer, state)
    if status in HELD and reviewers is not None:
        _hold(answer, state, rules, reviewers, needs_second=needs_second)
    answer.save(update_fields=_WRITTEN)
    if status in (*RELEASED, *HELD):
        note_verdict(answer, state)
    StepRun.objects.bulk_create(runs)
    if answer.status in RELEASED and state.reused is not None:
        giving.note(state.reused, answer)
    record(
        _EVENTS[AnswerStatus(status).family],
        on=answer,
        workspace=answer.workspace_id,
        status=status,
        attempt=answer.attempt,
        **_proof(answer, state),
    )
    return answer


def _locked(answer: Answer, *, held: bool) -> Answer:
    """Lock the row, so that a stop, a take-over and this ending have one winner; the rules as of now.

    With those who may decide on it, where it is to be `held`.
    """
    row = (
        ours(answer)
        .select_for_update(of=("self",), no_key=True)
        .only("pk")
        .annotate(
            held=access.held_by("asked_by", "workspace"),
            rests_on_closed=Exists(closed_evidence(answer.asked_by, answer)),
            asker_is_active=F("asked_by__is_active"),
            policy_now=F("workspace__review_policy"),
            rules_now=newest_rules("workspace"),
            review_hours=F("workspace__review_time__hours"),
            **({"deciding": deciding(answer)} if held else {}),
        )
        .first()
    )
    if row is None:
        raise LeaseLost(answer.pk)
    return row


def _reviewers(rules: Answer) -> Deciding:
    """Who may decide; looked for once more only where the policy changed while the answer was made."""
    found = getattr(rules, "deciding", None)
    if found is None:
        found = Answer.objects.filter(pk=rules.pk).values_list(deciding(rules), flat=True).get()
    return read_deciding(found)


def _is_open_to_asker(answer: Answer, rules: Answer) -> bool:
    held = access.actions_as_read(answer.asked_by, answer.workspace, rules.held)  # type: ignore[attr-defined]
    return rules.asker_is_active and Action.ASK in held and not rules.rests_on_closed  # type: ignore[attr-defined]


def _write_provenance(answer: Answer, state: State) -> None:
    """What the answer was made with; kept for every ending."""
    answer.policy = state.policy
    answer.endpoint = state.endpoint or answer.endpoint
    answer.endpoint_label = _what_wrote(state)
    answer.template = state.template or answer.template
    answer.raw_output = state.raw
    answer.dropped_citations = state.dropped
    answer.parameters = {**state.parameters, **({"search": SEARCH_LIMITED} if state.limited else {})}
    if state.prompt is not None:
        answer.prompt_version = state.prompt.version
        answer.prompt_sha256 = state.prompt.sha256
        answer.parameters["template_sha256"] = state.prompt.template_sha256


def _what_wrote(state: State) -> str:
    """The model as people are told of it: of a text that is given again the one that wrote it then."""
    if state.reused is not None:
        return state.reused.approved.answer.endpoint_label
    return endpoints.label_of(state.endpoint) if state.endpoint else ""


def _write_text(answer: Answer, state: State) -> None:
    """The text with its citations, and as released where it is."""
    Citation.objects.bulk_create(
        Citation(
            answer=answer,
            number=quote.number,
            evidence_id=state.evidence_ids[quote.source.number],
            document_id=quote.source.document_id,
            version_id=quote.source.version_id,
            start=quote.source.start + quote.start,
            end=quote.source.start + quote.end,
            page=quote.source.page,
            locator=quote.source.locator,
            quote=quote.text,
        )
        for quote in state.quotes
    )
    answer.text = state.text
    answer.sentences = [asdict(sentence) for sentence in state.sentences]
    if answer.status in RELEASED:
        answer.released_text = state.text
        answer.released_sha256 = digest(state.text)
        answer.released_at = answer.ended_at
        answer.released_by = state.reused.approved.answer.released_by if state.reused else None


def _hold(answer: Answer, state: State, rules: Answer, reviewers: Deciding, *, needs_second: bool) -> None:
    """A draft for the reviewers, who are told."""
    draft = Draft.objects.create(
        answer=answer,
        workspace_id=answer.workspace_id,
        text=state.text,
        sentences=answer.sentences,
        needs_second=needs_second,
        due_at=due.due_after(rules.review_hours),  # type: ignore[attr-defined]
        grounding=summarise(state.sentences).verdict,
    )
    news.waiting(draft, to=reviewers.people)


def _template(version: TemplateVersion) -> dict[str, Any]:
    return {"code": version.template.code, "number": version.number, "sha256": version.sha256}


def _proof(answer: Answer, state: State) -> dict[str, Any]:
    """What the trail keeps: hashes and ids, never text."""
    proof: dict[str, Any] = {
        "question_sha256": digest(answer.question.text),
        "asked_as_sha256": digest(state.asked_as) if state.asked_as else "",
        "endpoint": answer.endpoint_label,
        "prompt": answer.prompt_version,
        "prompt_sha256": answer.prompt_sha256,
        **({"template": _template(state.template)} if state.template else {}),
        "output_sha256": digest(state.raw) if state.raw else "",
    }
    if state.release is not None:
        proof["release"] = as_detail(state.release)
    if answer.text:
        proof["text_sha256"] = digest(answer.text)
        proof["citations"] = [
            {
                "version": quote.source.version_id,
                "start": quote.source.start + quote.start,
                "end": quote.source.start + quote.end,
                "quote_sha256": digest(quote.text),
            }
            for quote in state.quotes
        ]
    return proof
