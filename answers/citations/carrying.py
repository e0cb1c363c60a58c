"""Carry the quotes of a text over to the versions that answer today, byte for byte, and write down who did so."""

from django.utils.translation import gettext as _

from answers.citations.marks import numbers
from answers.citations.quotes import quotes_now
from answers.exceptions import WrongState
from answers.models import Answer, Confirmation, Draft, StandingQuote
from audit.chain import digest
from workspaces.models import User


def carry_over(draft: Draft, *, by: User) -> Confirmation | None:
    """Before a draft is let out: where the quotes stand whose source was replaced while it waited, if any was.

    Raises WrongState when one of them stands nowhere in the version that answers today.
    """
    quotes = quotes_now(draft.answer, numbers(draft.text))
    if all(quote.is_unchanged for quote in quotes):
        return None
    gone = [quote.citation for quote in quotes if not quote.stands]
    if gone:
        marks = ", ".join(f"[{citation.number}]" for citation in gone)
        raise WrongState(
            _("%(marks)s cites what its document no longer says. Edit that out, or return or reject the draft.")
            % {"marks": marks}
        )
    return write_down(draft.answer, draft.text, by, "")


def write_down(answer: Answer, text: str, by: User, reason: str) -> Confirmation:
    """Keep where each quote of `text` that stands in a newer version stands there, and which versions those are."""
    quotes = quotes_now(answer, numbers(text))
    confirmation = Confirmation.objects.create(
        answer=answer,
        text_sha256=digest(text),
        sources={str(quote.version.pk): quote.version.sha256 for quote in quotes if quote.version},
        reason=reason,
        confirmed_by=by,
    )
    StandingQuote.objects.bulk_create(
        StandingQuote(
            confirmation=confirmation,
            citation=quote.citation,
            version=quote.version,
            start=quote.start,
            end=quote.end,
        )
        for quote in quotes
        if quote.stands and not quote.is_unchanged
    )
    return confirmation
