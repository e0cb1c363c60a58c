"""What a manager chooses about the checking of answers."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from answers.models import EndpointKind, ModelEndpoint, Strictness, WorkspaceChecks
from workspaces.endpoints.base import USABLE_STATES

#: What each choice meant on 1,299 questions that were answerable and 1,529 whose answer was missing.
_MEANS = {
    Strictness.LENIENT: _(
        "Answers whenever something bears on the question. In a test 2 of 100 good questions were refused, and 87 of "
        "100 whose answer was missing were answered with what came nearest."
    ),
    Strictness.BALANCED: _(
        "In the same test 3 of 100 good questions were refused, and 82 of 100 whose answer was missing were answered."
    ),
    Strictness.STRICT: _(
        "Rather no answer than one beside the point: 11 of 100 good questions were refused, and 66 of 100 whose "
        "answer was missing were answered."
    ),
}


class ChecksForm(forms.Form):
    """A workspace's strictness, and its judge from the models that are connected and switched on."""

    strictness = forms.ChoiceField(
        label=_("When the documents hold little"), choices=Strictness.choices, widget=forms.RadioSelect
    )
    judge = forms.ModelChoiceField(
        label=_("A second model judges each sentence"),
        queryset=ModelEndpoint.objects.none(),
        widget=forms.RadioSelect,
        required=False,
        # Without it a radio button for no choice is left out, and a judge could not be taken away.
        blank=True,
        empty_label=_("No model"),
    )

    def __init__(self, *args: Any, current: WorkspaceChecks, **kwargs: Any) -> None:
        super().__init__(*args, initial={"strictness": current.strictness, "judge": current.judge_id}, **kwargs)
        self.fields["judge"].queryset = ModelEndpoint.objects.filter(state__in=USABLE_STATES, kind=EndpointKind.OPENAI)
        #: The judge that judges nothing any more.
        self.switched_off = current.judge if current.judge and not current.judge.usable else None

    def strictnesses(self) -> Iterator[tuple[BoundWidget, str]]:
        """Each choice with what it meant when it was measured."""
        for choice in self["strictness"]:
            yield choice, str(_MEANS[Strictness(choice.data["value"])])

    def judges(self) -> Iterator[tuple[BoundWidget, str]]:
        """Each choice with where its model is."""
        for choice in self["judge"]:
            endpoint = getattr(choice.data["value"], "instance", None)
            yield choice, _place(endpoint) if endpoint else gettext("Figures, names, denials and words are compared.")


def _place(endpoint: ModelEndpoint) -> str:
    return gettext("%(model)s. The sentences of answers and the passages they cite are sent to %(host)s.") % {
        "model": endpoint.model,
        "host": urlsplit(endpoint.base_url).netloc,
    }
