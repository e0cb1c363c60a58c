"""What managers send about fine-tuning."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from answers.finetuning import adviser, assessing, jobs, sets, settling
from answers.finetuning.adviser import CRITERIA
from answers.models import Assessment, FlagDecision, FlagReason, ModelEndpoint, QuestionSet
from documents.models import UsageRight
from workspaces.classification import Classification
from workspaces.models import Workspace


class AssessmentForm(forms.Form):
    """A use case, and one answer to each question of the adviser."""

    name = forms.CharField(label=_("Use case"), max_length=assessing.MAX_NAME)
    note = forms.CharField(
        label=_("Description"),
        max_length=assessing.MAX_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, follows: Assessment | None = None, **kwargs: Any) -> None:
        if follows is not None:
            kwargs["initial"] = {"name": follows.name, "note": follows.note, **follows.choices}
        super().__init__(*args, **kwargs)
        for criterion in CRITERIA:
            self.fields[criterion.code] = forms.ChoiceField(
                label=criterion.question,
                choices=[(option.code, option.label) for option in criterion.options],
                widget=forms.RadioSelect,
            )

    def choices(self) -> dict[str, str]:
        """What was answered, for `assessing.make`."""
        return {one.code: self.cleaned_data[one.code] for one in adviser.CRITERIA}


class SetForm(forms.Form):
    """What a training set is to be built of."""

    name = forms.CharField(label=_("Name"), max_length=sets.MAX_NAME)
    ceiling = forms.ChoiceField(
        label=_("Documents up to"),
        choices=Classification.choices,
        initial=Classification.INTERNAL,
        help_text=_("An answer that rests on anything classified higher stays out."),
    )
    usages = forms.MultipleChoiceField(
        label=_("Usage rights"),
        choices=[(one.value, one.label) for one in UsageRight if one in sets.LEARNABLE],
        initial=[UsageRight.OWN],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Every document of an answer has to have one of these; where nobody stated any, it stays out."),
    )
    validation_percent = forms.IntegerField(
        label=_("Share kept for validation, in percent"),
        min_value=0,
        max_value=50,
        initial=10,
        help_text=_("Questions that are near one another are always on the same side."),
    )
    instructions = forms.CharField(
        label=_("Instructions"),
        max_length=sets.MAX_INSTRUCTIONS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What the model is told before each question, in training and whenever it is asked later."),
    )


class JobForm(forms.Form):
    """Where a sealed set is trained on, and which model."""

    endpoint = forms.ModelChoiceField(label=_("At"), queryset=ModelEndpoint.objects.none(), empty_label=None)
    base_model = forms.CharField(
        label=_("Model to train"),
        max_length=jobs.MAX_MODEL,
        help_text=_("As the provider calls it."),
    )
    epochs = forms.IntegerField(
        label=_("Epochs"),
        required=False,
        min_value=1,
        max_value=jobs.MOST_EPOCHS,
        help_text=_("How often it goes through the set. Empty: as the provider sees fit."),
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = jobs.offered(workspace)
        endpoint = self.fields["endpoint"]
        endpoint.queryset = ModelEndpoint.objects.filter(pk__in=[one.pk for one in self.offered]).order_by("name")
        endpoint.label_from_instance = lambda found: found.label
        if self.offered:
            self.fields["base_model"].initial = self.offered[0].model


class CompareForm(forms.Form):
    """The questions a trained model is compared on."""

    question_set = forms.ModelChoiceField(
        label=_("Question set"), queryset=QuestionSet.objects.none(), empty_label=None
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = QuestionSet.objects.filter(workspace=workspace).order_by("name")
        self.fields["question_set"].queryset = self.offered
        self.fields["question_set"].label_from_instance = lambda found: found.name


class SettleForm(forms.Form):
    """What becomes of the models, and why."""

    decision = forms.ChoiceField(label=_("Decision"), choices=FlagDecision.choices, widget=forms.RadioSelect)
    note = forms.CharField(label=_("Reason"), max_length=settling.MAX_NOTE, widget=forms.Textarea(attrs={"rows": 2}))


class RulesForm(forms.Form):
    """What takes a model out of use by itself."""

    suspends_on = forms.MultipleChoiceField(
        label=_("Takes the models out of use at once"),
        choices=FlagReason.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whatever is not chosen puts them in doubt all the same, and they answer until somebody decides."),
    )
