"""The provenance of an answer as a person reads it: the steps in sentences, and what happened since as one timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from answers.governing.budgets import in_figures
from answers.models import Answer, Decision, EndpointKind, Purpose, UsageState
from answers.policy.told import in_words as decided_in_words
from answers.states import AnswerStatus
from audit.models import Event
from workspaces.models import ReviewPolicy
from workspaces.roles import Action

#: Of more entries the newest are shown; the trail has them all.
MOST_ENTRIES = 500

#: What was done, told of a step that is over.
_DONE = {
    "scope": gettext_lazy("Settled what the asker may do, the release policy and the model"),
    "understand": gettext_lazy("Understood the question"),
    "reuse": gettext_lazy("Looked for an approved answer to the same question"),
    "retrieve": gettext_lazy("Searched the documents open to the asker"),
    "compose": gettext_lazy("Had the model write from the evidence"),
    "cite": gettext_lazy("Checked every quotation against its source"),
    "ground": gettext_lazy("Measured what supports each sentence"),
    "route": gettext_lazy("Decided where the answer goes"),
}

#: The scores of a passage, as they are kept, and what each is called.
_SCORES = {
    "score": gettext_lazy("score"),
    "cosine": gettext_lazy("nearness"),
    "rerank": gettext_lazy("reranked"),
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step as it is told. `said` is empty for whoever may not read the text it is about."""

    step: str
    label: str
    is_done: bool
    #: What the answer ended as, where it ended with this step early.
    outcome: str
    seconds: float
    said: list[str]


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of the trail, or a run of alike ones by the same person."""

    label: str
    who: str
    at: datetime
    until: datetime
    count: int
    seq: int
    hash: str


def steps_of(record: Mapping[str, Any], *, told: bool) -> list[StepLine]:
    """The steps of the attempt that came to the ending; `told`: with what each of them found."""
    runs = record["steps"]
    last = max((run["attempt"] for run in runs), default=0)
    return [
        StepLine(
            step=run["step"],
            label=str(_DONE.get(run["step"], run["step"])),
            is_done=run["outcome"] not in AnswerStatus.values,
            outcome=str(AnswerStatus(run["outcome"]).label) if run["outcome"] in AnswerStatus.values else "",
            seconds=run["seconds"],
            said=list(_said(run["step"], run["detail"])) if told else [],
        )
        for run in runs
        if run["attempt"] == last
    ]


def in_words(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the record keeps as codes, as it is called: `rights`, `policy`, `released_by`, and of passages and reviews.

    A code that nothing is called by any more stays as it is.
    """
    rights = set(record["asker"]["rights"])
    release = record["release"] or {}
    return {
        "rights": [str(action.label) for action in Action if action in rights],
        "policy": _called(ReviewPolicy, record["policy"]),
        "released_by": _("the workspace's policy") if release.get("by") == "policy" else release.get("by", ""),
        "scores": [
            [
                (str(_SCORES[name]), value)
                for name, value in row["scores"].items()
                if name in _SCORES and value is not None
            ]
            for row in record["evidence"]
        ],
        "decisions": [_called(Decision, row["decision"]) for row in record["reviews"]],
    }


def _called(codes: Any, code: str) -> str:
    return str(codes(code).label) if code in codes.values else code


def tokens_of(record: Mapping[str, Any]) -> dict[str, int]:
    """The tokens of "input" and "output" that the model told for the attempt that came to the ending; empty if none."""
    told = [
        run["detail"]["tokens"] for run in record["steps"] if run["step"] == "compose" and "tokens" in run["detail"]
    ]
    return dict(told[-1]) if told else {}


def cost_of(answer: Answer) -> str:
    """What the chat models were paid for the answer, as a person reads it: for its text, its follow-up and its judge.

    Replays are no part of it, nor what servers of vectors and of order take. "not known" where a call has no price.
    """
    calls = answer.usage.filter(state=UsageState.SETTLED).exclude(purpose=Purpose.REPLAY)
    costs = list(calls.order_by("at").values_list("cost", "currency"))
    is_quoted = answer.endpoint is not None and answer.endpoint.kind == EndpointKind.EXTRACTIVE
    if not all(cost is not None for cost, _currency in costs) or not (costs or is_quoted):
        return _("not known")
    paid: dict[str, Decimal] = {}
    for cost, currency in costs:
        paid[currency] = paid.get(currency, Decimal(0)) + cost
    told = [f"{in_figures(cost)} {currency}" for currency, cost in paid.items() if cost]
    return " + ".join(told) or _("nothing")


def happenings(events: Iterable[Event]) -> list[Happening]:
    """Entries in their order, alike ones that follow each other as one line."""
    lines = []
    for _key, group in groupby(events, key=lambda event: (event.type, event.actor_id)):
        run = list(group)
        first, last = run[0], run[-1]
        lines.append(
            Happening(
                label=first.get_type_display(),
                who=first.actor_label,
                at=first.at,
                until=last.at,
                count=len(run),
                seq=first.seq,
                hash=first.hash,
            )
        )
    return lines


def _said(step: str, detail: Mapping[str, Any]) -> Iterable[str]:
    """What a step found, in sentences; nothing of a detail that it did not leave."""
    if step == "scope" and detail.get("policy"):
        yield _("Release policy then: %(policy)s.") % {"policy": _called(ReviewPolicy, detail["policy"])}
    if step == "understand":
        yield from _understood(detail)
    if step == "retrieve":
        yield from _found(detail)
    if step == "compose":
        for passed in detail.get("passed_over", ()):
            yield _("“%(model)s” did not answer: %(why)s") % {"model": passed["endpoint"], "why": passed["sentence"]}
    if step == "compose" and "prompt_characters" in detail:
        yield _("The prompt had %(sent)s characters, and the model wrote %(written)s.") % {
            "sent": number_format(detail["prompt_characters"], use_l10n=True, force_grouping=True),
            "written": number_format(detail.get("characters", 0), use_l10n=True, force_grouping=True),
        }
    if step == "cite" and "citations" in detail:
        yield _("Citations that held: %(held)s; dropped: %(dropped)s.") % {
            "held": detail["citations"],
            "dropped": detail.get("dropped", 0),
        }
    if step == "ground" and "sentences" in detail:
        yield from _grounded(detail)
    if step == "route" and detail.get("rule"):
        yield decided_in_words(detail)


def _understood(detail: Mapping[str, Any]) -> Iterable[str]:
    if turns := detail.get("turns"):
        told = ngettext("%(count)s earlier turn was looked at.", "%(count)s earlier turns were looked at.", turns)
        yield told % {"count": turns}
    if left_out := detail.get("left_out"):
        untold = ngettext(
            "%(count)s earlier turn was left out: something it rests on was closed to the asker.",
            "%(count)s earlier turns were left out: something they rest on was closed to the asker.",
            left_out,
        )
        yield untold % {"count": left_out}


def _found(detail: Mapping[str, Any]) -> Iterable[str]:
    if "authorised" in detail:
        found = {"count": detail["authorised"]}
        yield (
            ngettext(
                "%(count)s passage was authorised once more and given to the model.",
                "%(count)s passages were authorised once more and given to the model.",
                detail["authorised"],
            )
            % found
        )
    if detail.get("cosine") is not None:
        yield _("The nearest passage: %(figure)s, where 1 means the same as the question.") % {
            "figure": number_format(detail["cosine"], 2)
        }
    if detail.get("degraded"):
        yield _("A part of the index was not available, so passages may be missing.")


def _grounded(detail: Mapping[str, Any]) -> Iterable[str]:
    sentences = detail["sentences"]
    yield ngettext("%(count)s sentence.", "%(count)s sentences.", sentences) % {"count": sentences}
    if detail.get("partly"):
        yield _("Partly supported: %(count)s.") % {"count": detail["partly"]}
    if detail.get("unsupported"):
        yield _("Unsupported: %(count)s.") % {"count": detail["unsupported"]}
    if detail.get("lowest") is not None:
        yield _("In the weakest sentence %(share)s %% of the words stand in its quotes.") % {
            "share": round(100 * detail["lowest"])
        }
