"""Reasons in a reader's words."""

from django.utils.translation import gettext_lazy as _

_WORDING = {
    "uncited": _("No source is named for this sentence."),
    "number": _("The number %(what)s is not in the cited passage."),
    "number_elsewhere": _("The number %(what)s is in the cited passage, but not in the sentence that is cited."),
    "figure_moved": _("In the cited passage %(what)s belongs to something else."),
    "unit": _("The cited passage gives %(what)s another unit."),
    "date": _("The date %(what)s is not in the cited passage."),
    "date_elsewhere": _("The date %(what)s is in the cited passage, but not in the sentence that is cited."),
    "name": _("The name %(what)s is not in the cited passage."),
    "negation": _("This sentence and the cited one differ in a “not”."),
    "opposite": _("This sentence says “%(what)s” where the cited one says “%(instead)s”."),
    "words": _("The cited place holds %(what)s %% of the words of this sentence."),
    "near": _("Said in other words; its meaning is near the cited place."),
    "language": _("The cited passage is in another language: only numbers and dates were compared."),
    "judge_supported": _("The judge model finds it in the cited passage."),
    "judge_partly": _("The judge model finds only a part of it in the cited passage."),
    "judge_unsupported": _("The judge model does not find it in the cited passage."),
    "judge_failed": _("The judge model gave no verdict; the other checks decided."),
}


def in_words(reason: dict[str, str]) -> str:
    """The sentence of a reason, in the language that is active; a code that is no longer known stands for itself."""
    wording = _WORDING.get(reason["code"])
    if wording is None:
        return reason["code"]
    return str(wording) % {"what": reason.get("what", ""), "instead": reason.get("instead", "")}
