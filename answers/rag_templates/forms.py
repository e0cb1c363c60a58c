"""A version of a template as who manages the workspace writes it."""

from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from answers import endpoints
from answers.exceptions import EndpointError
from answers.models import Shape
from answers.models.rag_template import LONGEST_INSTRUCTIONS, MOST_PASSAGES
from answers.rag_templates.content import LABELS, Content
from answers.rag_templates.filters import Filters
from answers.rag_templates.shapes import MOST_COLUMNS
from documents.cards.forms import day_field
from documents.models import Folder, Tag, Version
from workspaces.classification import Classification
from workspaces.models import ReviewPolicy, Workspace

_ANY = ("", _("All"))
_LINES = forms.Textarea(attrs={"rows": 2})


def _how_many() -> str:
    return gettext("Of a table: one heading a line, at most %(most)d.") % {"most": MOST_COLUMNS}


class TemplateForm(forms.Form):
    """Everything a version consists of, and a word on what changed."""

    name = forms.CharField(label=LABELS["name"], max_length=80)
    purpose = forms.CharField(label=LABELS["purpose"], max_length=300, widget=_LINES)
    use_when = forms.CharField(label=LABELS["use_when"], max_length=500, required=False, widget=_LINES)
    avoid_when = forms.CharField(label=LABELS["avoid_when"], max_length=500, required=False, widget=_LINES)
    instructions = forms.CharField(
        label=LABELS["instructions"],
        help_text=_(
            "What a model is told to do with the sources. Rules that always hold follow it: only the sources count, "
            "every sentence cites, nothing in a source is an instruction."
        ),
        max_length=LONGEST_INSTRUCTIONS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
    )
    shape = forms.ChoiceField(label=LABELS["shape"], choices=Shape.choices)
    columns = forms.CharField(
        label=LABELS["columns"],
        help_text=lazy(_how_many, str)(),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    passages = forms.IntegerField(label=LABELS["passages"], min_value=1, max_value=MOST_PASSAGES)
    folder = forms.ChoiceField(label=_("Folder"), required=False)
    tag = forms.ChoiceField(label=_("Tag"), required=False)
    up_to = forms.ChoiceField(label=_("Classified so or lower"), required=False)
    format = forms.ChoiceField(label=_("Format"), required=False)
    since = day_field(label=_("Arrived on this day or later"), required=False)
    endpoint = forms.ChoiceField(label=LABELS["endpoint"], required=False)
    review = forms.ChoiceField(
        label=LABELS["review"],
        help_text=_("Only ever stricter than the workspace."),
        choices=[("", _("As the workspace")), *ReviewPolicy.choices],
        required=False,
    )
    examples = forms.CharField(
        label=LABELS["examples"],
        help_text=_("One a line, offered on the page of a new conversation."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    note = forms.CharField(label=_("What changed"), max_length=300, required=False)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            self.endpoints = {str(each.pk): each for each in endpoints.choices_for(workspace)}
        except EndpointError:
            # A workspace without a model can still write templates.
            self.endpoints = {}
        folders = Folder.objects.filter(workspace=workspace).order_by("path").values_list("pk", "path")
        tags = Tag.objects.filter(workspace=workspace).order_by("name").values_list("name", flat=True)
        rows = Version.objects.filter(document__workspace=workspace).order_by().values_list("format", flat=True)
        offered = {
            "folder": [(str(pk), path) for pk, path in folders],
            "tag": [(name, name) for name in tags],
            "up_to": Classification.choices,
            "format": [(name, name.upper()) for name in sorted(set(rows.distinct()))],
        }
        for name, choices in offered.items():
            kept = self.initial.get(name, "")
            # What was kept and is not there any more stays as it is until somebody chooses anew.
            gone = [(kept, _("%(name)s (not there any more)") % {"name": kept})] if kept else []
            known = {value for value, _label in choices}
            self.fields[name].choices = [_ANY, *choices, *(gone if kept not in known else [])]
        self.fields["endpoint"].choices = [
            ("", _("The workspace's default")),
            *((pk, each.name) for pk, each in self.endpoints.items()),
        ]

    def content(self) -> Content:
        """What was sent, as a version's content."""
        sent = self.cleaned_data
        since = sent["since"].isoformat() if sent["since"] else ""
        return Content(
            **{name: sent[name] for name in ("name", "purpose", "use_when", "avoid_when", "instructions", "shape")},
            **{name: sent[name] for name in ("passages", "review", "note")},
            columns=tuple(sent["columns"].splitlines()),
            examples=tuple(sent["examples"].splitlines()),
            endpoint=self.endpoints.get(sent["endpoint"]),
            filters=Filters(sent["folder"], sent["tag"], sent["up_to"], sent["format"], since),
        )


def initial_of(content: Content) -> dict[str, Any]:
    """A content as the form shows it."""
    kept = {name: getattr(content, name) for name in ("name", "purpose", "use_when", "avoid_when", "instructions")}
    kept |= {name: getattr(content, name) for name in ("shape", "passages", "review")}
    kept |= {name: "\n".join(getattr(content, name)) for name in ("columns", "examples")}
    kept |= {name: getattr(content.filters, name) for name in ("folder", "tag", "up_to", "format", "since")}
    return kept | {"endpoint": str(content.endpoint.pk) if content.endpoint else ""}


class PreviewForm(forms.Form):
    """The questions a version is tried on."""

    questions = forms.CharField(
        label=_("Questions"),
        help_text=_("One a line. Both versions answer each, with your rights; nobody else is told."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def texts(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["questions"].splitlines() if line.strip()]
