"""Why a passage was found, from the scores that were kept with it, in words that need no knowledge of search."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from answers.models import Citation
from answers.models.evidence import FIRST_INHERITED
from answers.reading import Reading

#: At and above these, a cosine of the built-in model is called by the word. They name a figure that is shown beside
#: them; nothing rests on them.
_CLOSE, _NEAR = 0.6, 0.4


def why_found(cited: Citation, reading: Reading) -> list[str]:
    """Sentences: where it stood among the passages the model was given, and what in it was found.

    Weights of keywords are not told: they count words over the whole workspace, closed documents included.
    """
    evidence = cited.evidence
    if evidence.rank >= FIRST_INHERITED:
        return [_("It comes from an earlier answer of this conversation.")]
    given = reading.answer.evidence.filter(rank__lt=FIRST_INHERITED).count()
    place = {"rank": evidence.rank, "given": given}
    return [
        _("Place %(rank)s of the %(given)s passages the model was given.") % place,
        *scores_in_words(evidence.scores),
    ]


def scores_in_words(scores: dict[str, Any]) -> list[str]:
    """What the figures of one passage say."""
    said = []
    cosine, rerank = scores.get("cosine"), scores.get("rerank")
    if cosine is None:
        said.append(_("Its meaning was not among the nearest; it was found by its words."))
    else:
        usual = scores.get("usual", cosine)
        words = _("very near") if usual >= _CLOSE else _("near") if usual >= _NEAR else _("not near")
        figure = number_format(cosine, 2)
        said.append(
            _("Its meaning is %(words)s to the question's: %(figure)s, where 1 is the same.")
            % {"words": words, "figure": figure}
        )
    if scores.get("keywords") is not None:
        said.append(_("It holds words of the question."))
    if rerank is not None:
        said.append(
            _("A second model, which reads question and passage together, gave it %(figure)s.")
            % {"figure": number_format(rerank, 2)}
        )
    return said
