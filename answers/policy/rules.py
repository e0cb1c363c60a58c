"""A release rule: one condition over an answer, and whether such an answer is held or released.

Rules are asked in their order and the first that applies decides. What a rule would go by and is not known counts
against release: a rule that holds applies, one that releases does not.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import models
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.exceptions import PolicyError
from answers.models import ModelEndpoint
from answers.rag_templates import built_in
from workspaces.charters import label_of
from workspaces.classification import Classification

MOST_RULES = 30
MAX_NAME_CHARACTERS = 80
#: Values of a rule over models: the built-in one, and any but it. Every other value is an endpoint's id, because a
#: rule must not lose sight of a model that is given another name.
BUILT_IN_MODEL, OTHER_MODELS = "built-in", "*"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"[a-z0-9_]{1,40}")


class Condition(models.TextChoices):
    """What a rule looks at. Codes are permanent: sets of rules keep them."""

    CLASSIFICATION = "classification", gettext_lazy("Classification of its sources")
    GROUNDING = "grounding", gettext_lazy("Support of its weakest sentence")
    UNSUPPORTED = "unsupported", gettext_lazy("Share of unsupported sentences")
    MODEL = "model", gettext_lazy("Model that wrote it")
    ROLE = "role", gettext_lazy("Role of who asked")
    TEMPLATE = "template", gettext_lazy("Template it was asked with")
    SAMPLE = "sample", gettext_lazy("Drawn by chance")
    REST = "rest", gettext_lazy("Everything that is left")


class Effect(models.TextChoices):
    HOLD = "hold", gettext_lazy("Hold")
    RELEASE = "release", gettext_lazy("Release")


#: Conditions whose value is a whole number of percent, and the range it has.
PERCENT = {Condition.GROUNDING: (1, 100), Condition.UNSUPPORTED: (0, 99), Condition.SAMPLE: (1, 100)}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it is stored. `code` names it for good, also when its name or place changes."""

    code: str
    name: str
    condition: str
    effect: str
    value: str = ""
    #: A rule that holds: two people approve where a source is classified so, or higher. Empty: never for this rule.
    second_from: str = ""
    is_on: bool = True

    @property
    def sentence(self) -> str:
        """The rule in the reader's words, such as “Hold when a source is Confidential or higher.”"""
        when = _PHRASES[Condition(self.condition)](self.value)
        said = _("Hold when %(when)s.") if self.effect == Effect.HOLD else _("Release when %(when)s.")
        said %= {"when": when}
        if self.second_from:
            level = Classification(self.second_from).label
            said += " " + _("Two approve from %(level)s on.") % {"level": f"“{level}”"}
        return said


def defaults() -> list[Rule]:
    """The rules of a workspace that has none of its own."""
    return [
        Rule(
            "guarded_sources",
            _("Guarded sources"),
            Condition.CLASSIFICATION,
            Effect.HOLD,
            Classification.CONFIDENTIAL,
            second_from=Classification.RESTRICTED,
        ),
        Rule("unsupported", _("Unsupported sentences"), Condition.UNSUPPORTED, Effect.HOLD, "0"),
        Rule("weak_support", _("Weak support"), Condition.GROUNDING, Effect.HOLD, "50"),
        Rule("sample", _("Sample of the rest"), Condition.SAMPLE, Effect.HOLD, "5"),
    ]


def stored(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The rules as JSON keeps them."""
    return [{name: value if name == "is_on" else str(value) for name, value in asdict(rule).items()} for rule in rules]


def read(kept: Sequence[dict[str, Any]]) -> list[Rule]:
    """The rules of a stored set. Raises PolicyError for what no rule of ours can be, so that nothing passes by it."""
    try:
        rules = [Rule(**one) for one in kept]
    except TypeError as error:
        raise PolicyError(_("A release rule cannot be read.")) from error
    return checked(rules)


def checked(rules: Sequence[Rule]) -> list[Rule]:
    """The rules, each with a code of its own. Raises PolicyError with a sentence on the first that is not sound."""
    if len(rules) > MOST_RULES:
        raise PolicyError(_("A workspace has at most %(most)d rules.") % {"most": MOST_RULES})
    found: dict[str, Rule] = {}
    for place, rule in enumerate(rules, 1):
        sound = _sound(rule, place)
        if sound.code in found:
            raise PolicyError(_("Rule %(place)d: there is another rule with its code.") % {"place": place})
        found[sound.code] = sound
    return list(found.values())


def new_code() -> str:
    return get_random_string(10, "abcdefghijklmnopqrstuvwxyz0123456789")


def _sound(rule: Rule, place: int) -> Rule:
    if not isinstance(rule.is_on, bool) or rule.condition not in Condition.values or rule.effect not in Effect.values:
        raise PolicyError(_("Rule %(place)d: this is no rule.") % {"place": place})
    if not _CODE.fullmatch(rule.code):
        raise PolicyError(_("Rule %(place)d: this is no rule.") % {"place": place})
    name = " ".join(rule.name.replace("\0", "").split())
    if not name or len(name) > MAX_NAME_CHARACTERS:
        told = _("Rule %(place)d: give it a name of at most %(limit)d characters.")
        raise PolicyError(told % {"place": place, "limit": MAX_NAME_CHARACTERS})
    if rule.second_from and (rule.second_from not in Classification.values or rule.effect != Effect.HOLD):
        raise PolicyError(_("Rule %(place)d: only what is held takes a second approver.") % {"place": place})
    return replace(rule, name=name, value=_sound_value(rule, place))


def _sound_value(rule: Rule, place: int) -> str:
    condition, value = Condition(rule.condition), rule.value.strip()
    if condition == Condition.REST:
        return ""
    if condition in PERCENT:
        low, high = PERCENT[condition]
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            told = _("Rule %(place)d: write a whole number of percent from %(low)d to %(high)d.")
            raise PolicyError(told % {"place": place, "low": low, "high": high})
        return str(int(value))
    if condition == Condition.CLASSIFICATION and value not in Classification.values:
        raise PolicyError(_("Rule %(place)d: choose a classification.") % {"place": place})
    is_id = bool(_ID.fullmatch(value))
    if condition == Condition.MODEL and value not in (BUILT_IN_MODEL, OTHER_MODELS) and not is_id:
        raise PolicyError(_("Rule %(place)d: choose a model.") % {"place": place})
    if not value or len(value) > 60 or "\0" in value:
        raise PolicyError(_("Rule %(place)d: say what it looks for.") % {"place": place})
    return value


def _model(value: str) -> str:
    if value == OTHER_MODELS:
        return _("another model than the built-in one wrote it")
    if value == BUILT_IN_MODEL:
        return _("the built-in model wrote it")
    name = ModelEndpoint.objects.filter(pk=value).values_list("name", flat=True).first()
    return _("the model %(name)s wrote it") % {"name": f"“{name or value}”"}


def _role(value: str) -> str:
    return _("who asked has the role %(role)s here") % {"role": f"“{label_of(value)}”"}


_PHRASES: dict[Condition, Any] = {
    Condition.CLASSIFICATION: lambda value: (
        _("a source is %(level)s or higher") % {"level": f"“{Classification(value).label}”"}
    ),
    Condition.GROUNDING: lambda value: _("a sentence is supported to less than %(percent)s %%") % {"percent": value},
    Condition.UNSUPPORTED: lambda value: (
        _("more than %(percent)s %% of its sentences are unsupported") % {"percent": value}
        if value != "0"
        else _("any of its sentences is unsupported")
    ),
    Condition.MODEL: _model,
    Condition.ROLE: _role,
    Condition.TEMPLATE: lambda value: (
        _("it was asked with the template %(name)s") % {"name": f"“{built_in.name_of(value)}”"}
    ),
    Condition.SAMPLE: lambda value: _("it is among the %(percent)s %% drawn by chance") % {"percent": value},
    Condition.REST: lambda value: _("no rule above applies"),
}
