"""What managers send about question sets, runs and the gate."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from answers.evaluation.figures import MEANS, SHARES, Metric
from answers.evaluation.thresholds import Threshold, from_data
from answers.models import QuestionSet, WorkspaceGate
from workspaces.models import Workspace


class NameForm(forms.Form):
    """The name of a new question set."""

    name = forms.CharField(label=_("Name"), max_length=100)


class CaseForm(forms.Form):
    """One case, as a person writes it."""

    question = forms.CharField(label=_("Question"), widget=forms.Textarea(attrs={"rows": 2}))
    refuse = forms.BooleanField(
        label=_("It must be refused"),
        required=False,
        help_text=_("The documents hold no answer, so none is to be given."),
    )
    documents = forms.CharField(
        label=_("Expected documents"),
        required=False,
        help_text=_("A title or path a line. Add “ :: ” and a page, and once more and a quote, to mean a passage."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    facts = forms.CharField(
        label=_("Key facts"),
        required=False,
        help_text=_("What the answer has to say, one a line: every word and number of it is looked for."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class FileForm(forms.Form):
    """A file of cases."""

    file = forms.FileField(label=_("File"), widget=forms.FileInput(attrs={"accept": ".csv,.jsonl,.ndjson,.json"}))


class KeepForm(forms.Form):
    """The set that a question is kept in."""

    question_set = forms.ModelChoiceField(label=_("Question set"), queryset=QuestionSet.objects.none())

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["question_set"].queryset = QuestionSet.objects.filter(workspace=workspace)
        self.fields["question_set"].label_from_instance = lambda found: found.name


class OverrideForm(forms.Form):
    """Why a change is to go live without passing."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class GateForm(forms.Form):
    """What changes have to pass: a set, and for each measure a limit, whether the bound counts, and how much worse."""

    enabled = forms.BooleanField(label=_("Changes have to pass before they go live"), required=False)
    question_set = forms.ModelChoiceField(label=_("Question set"), queryset=QuestionSet.objects.none())
    newest = forms.BooleanField(label=_("Ask the questions as they are now"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Needed where a gate that is on becomes easier to pass: another person has to agree then."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(
        self, *args: Any, workspace: Workspace, current: WorkspaceGate | None, defaults: Any, **kw: Any
    ) -> None:
        stored = from_data(current.thresholds) if current else list(defaults)
        initial: dict[str, Any] = {
            "enabled": current.enabled if current else False,
            "question_set": current.question_set_id if current else None,
        }
        for one in stored:
            scale = 100 if one.is_share else 1
            if one.limit is not None:
                initial[f"limit_{one.metric}"] = round(one.limit * scale, 4)
            if one.worse_by is not None:
                initial[f"worse_{one.metric}"] = round(one.worse_by * scale, 4)
            initial[f"bound_{one.metric}"] = one.by_bound
        super().__init__(*args, initial=initial, **kw)
        self.fields["question_set"].queryset = QuestionSet.objects.filter(workspace=workspace)
        self.fields["question_set"].label_from_instance = lambda found: found.name
        if current is None or not current.enabled or current.set_version == current.question_set.version:
            del self.fields["newest"]
        else:
            self.fields["newest"].help_text = _(
                "The gate asks version %(asked)d of the set, which is at version %(now)d by now."
            ) % {"asked": current.set_version, "now": current.question_set.version}
        if current is None or not current.enabled:
            del self.fields["reason"]
        for metric in Metric:
            is_share = metric in SHARES
            most = 100 if is_share else None
            self.fields[f"limit_{metric}"] = forms.FloatField(
                label=_("At least, in percent") if is_share else _("At most"),
                required=False,
                min_value=0,
                max_value=most,
            )
            self.fields[f"bound_{metric}"] = forms.BooleanField(label=_("The worse end counts"), required=False)
            if is_share:
                self.fields[f"worse_{metric}"] = forms.FloatField(
                    label=_("At most so much worse than what is live, in percent"),
                    required=False,
                    min_value=0,
                    max_value=100,
                )

    def rows(self) -> Iterator[dict[str, Any]]:
        """A measure at a time, with its fields; `worse` is None where it is not asked."""
        for metric in Metric:
            worse = f"worse_{metric}"
            yield {
                "metric": metric,
                "label": metric.label,
                "means": MEANS[metric],
                "limit": self[f"limit_{metric}"],
                "bound": self[f"bound_{metric}"],
                "worse": self[worse] if worse in self.fields else None,
            }

    def thresholds(self) -> list[Threshold]:
        """What was sent, for `terms.choose`."""
        sent = self.cleaned_data
        found = []
        for metric in Metric:
            scale = 100 if metric in SHARES else 1
            limit, worse = sent.get(f"limit_{metric}"), sent.get(f"worse_{metric}")
            found.append(
                Threshold(
                    metric,
                    None if limit is None else limit / scale,
                    bool(sent.get(f"bound_{metric}")),
                    None if worse is None else worse / scale,
                )
            )
        return found
