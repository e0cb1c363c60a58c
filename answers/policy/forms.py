"""The rules of a workspace as a manager edits them: one small form a rule, in their order."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.exceptions import EndpointError
from answers.governing import fallbacks
from answers.models import KNOWLEDGE, EndpointKind, ModelEndpoint, RagTemplate
from answers.policy.rules import (
    BUILT_IN_MODEL,
    MAX_NAME_CHARACTERS,
    MOST_RULES,
    OTHER_MODELS,
    PERCENT,
    Condition,
    Effect,
    Rule,
    new_code,
)
from answers.rag_templates import built_in
from workspaces.charters import choices as role_choices
from workspaces.classification import Classification
from workspaces.models import Workspace

#: Condition → the field of the form that holds its value.
FIELD_OF = {
    Condition.CLASSIFICATION: "level",
    Condition.MODEL: "model",
    Condition.ROLE: "role",
    Condition.TEMPLATE: "template",
    **dict.fromkeys(PERCENT, "percent"),
}


class RuleForm(forms.Form):
    """One rule. Of the value fields the one that the condition needs counts; the others are left aside."""

    code = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    place = forms.IntegerField(label=_("Order"), min_value=1, max_value=999, required=False)
    name = forms.CharField(label=_("Name"), max_length=MAX_NAME_CHARACTERS, required=False)
    effect = forms.ChoiceField(label=_("What happens"), choices=Effect.choices, initial=Effect.HOLD)
    condition = forms.ChoiceField(label=_("Looks at"), choices=[(one.value, one.label) for one in Condition])
    level = forms.ChoiceField(label=_("From this level on"), choices=Classification.choices, required=False)
    percent = forms.CharField(label=_("Percent"), max_length=3, required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    role = forms.ChoiceField(label=_("Role"), required=False)
    template = forms.ChoiceField(label=_("Template"), required=False)
    second_from = forms.ChoiceField(
        label=_("Two approve from"), choices=[("", _("Never")), *Classification.choices], required=False
    )
    is_on = forms.BooleanField(label=_("Switched on"), required=False, initial=True)
    remove = forms.BooleanField(label=_("Remove"), required=False)

    def __init__(
        self, *args: Any, models: list[tuple[str, str]], templates: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].choices = [
            (OTHER_MODELS, _("Any but the built-in one")),
            (BUILT_IN_MODEL, _("The built-in one")),
            *models,
        ]
        self.fields["role"].choices = role_choices()
        self.fields["percent"].widget.attrs["inputmode"] = "numeric"
        kept = self.initial.get("template", "")
        gone = [(kept, kept)] if kept and kept not in dict(templates) else []
        self.fields["template"].choices = [*templates, *gone]

    @property
    def is_blank(self) -> bool:
        """A new row that nobody wrote into."""
        return not self.cleaned_data.get("code") and not self.cleaned_data.get("name")

    def rule(self) -> Rule:
        sent = self.cleaned_data
        condition, holds = sent["condition"], sent["effect"] == Effect.HOLD
        return Rule(
            code=sent["code"] or new_code(),
            name=sent["name"],
            condition=condition,
            effect=sent["effect"],
            value=sent.get(FIELD_OF.get(condition, ""), "") or "",
            second_from=sent["second_from"] if holds else "",
            is_on=sent["is_on"],
        )


def templates_of(workspace: Workspace) -> list[tuple[str, str]]:
    """The templates of the workspace by the codes that rules keep, the built-in knowledge template among them."""
    rows = RagTemplate.objects.filter(workspace=workspace, current__isnull=False)
    named = dict(rows.order_by("current__name").values_list("code", "current__name"))
    return list(({KNOWLEDGE: built_in.told(built_in.content_of(KNOWLEDGE).name)} | named).items())


def models_of(workspace: Workspace, rules: list[Rule]) -> list[tuple[str, str]]:
    """What may write answers in the workspace, and what its rules name already, whatever became of that.

    The names of models that only other workspaces use are nobody's business here.
    """
    try:
        offered = endpoints.choices_for(workspace)
    except EndpointError:
        offered = []
    named = {rule.value for rule in rules if rule.condition == Condition.MODEL} - {OTHER_MODELS, BUILT_IN_MODEL}
    others = [*fallbacks.of(workspace), *ModelEndpoint.objects.filter(pk__in=named)]
    found = {str(one.pk): one.name for one in (*offered, *others) if one.kind != EndpointKind.EXTRACTIVE}
    return sorted(found.items(), key=lambda one: one[1])


RuleFormSet = forms.formset_factory(RuleForm, extra=1, max_num=MOST_RULES, absolute_max=MOST_RULES + 5)


def initial_of(rules: list[Rule]) -> list[dict[str, Any]]:
    """The rules as the forms show them."""
    return [
        {
            "code": rule.code,
            "place": place * 10,
            "name": rule.name,
            "effect": rule.effect,
            "condition": rule.condition,
            FIELD_OF.get(Condition(rule.condition), "percent"): rule.value,
            "second_from": rule.second_from,
            "is_on": rule.is_on,
        }
        for place, rule in enumerate(rules, 1)
    ]


def rules_of(formset: Any) -> list[Rule]:
    """The rules as they were sent, in the order that was asked for; removed and empty rows left out."""
    kept = [
        (form.cleaned_data.get("place") or 1000, at, form.rule())
        for at, form in enumerate(formset)
        if not form.cleaned_data.get("remove") and not form.is_blank
    ]
    return [rule for _place, _at, rule in sorted(kept, key=lambda one: one[:2])]


class ReasonsForm(forms.Form):
    """The reasons offered for each act of a review, one a line."""

    def __init__(self, *args: Any, acts: dict[str, Any], offered: dict[str, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for act, label in acts.items():
            self.fields[act] = forms.CharField(
                label=label,
                required=False,
                initial="\n".join(offered[act]),
                widget=forms.Textarea(attrs={"rows": 4}),
            )

    def reasons(self) -> dict[str, list[str]]:
        return {act: text.splitlines() for act, text in self.cleaned_data.items()}
