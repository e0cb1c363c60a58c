"""The form of a source: what its connector asks for, and what every source has."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from documents.models import Schedule, Source
from documents.sources.connector import Connector, Field
from documents.sources.keeping import Wish
from workspaces.classification import Classification

_OPTION = "option_"


class SourceForm(forms.Form):
    """Fields of one kind of source; `wish()` is what a person filled in."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("What people here call it. Its documents' paths begin with it.")
    )

    def __init__(self, *args: Any, connector: type[Connector], source: Source | None = None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_initial(source) if source else None, **kwargs)
        self.connector = connector
        for option in connector.fields:
            self.fields[_OPTION + option.name] = _field(option)
        if connector.secret_label:
            self.fields["secret"] = _secret(connector, is_set=bool(source and source.sealed_secret))
        self.fields |= _common()

    def wish(self) -> Wish:
        """The valid form as the verbs take it."""
        data = self.cleaned_data
        options = {option.name: data[_OPTION + option.name] for option in self.connector.fields}
        return Wish(
            name=data["name"],
            options={name: "" if value is None else value for name, value in options.items()},
            secret=data.get("secret", ""),
            include=_lines(data["include"]),
            exclude=_lines(data["exclude"]),
            classification=data["classification"],
            schedule=data["schedule"],
            max_removed_percent=data["max_removed_percent"],
        )


def _field(option: Field) -> forms.Field:
    common = {"label": option.label, "help_text": option.help, "required": option.required, "initial": option.default}
    if option.kind == "number":
        return forms.IntegerField(min_value=0, max_value=100_000, **common)
    if option.kind == "yes":
        return forms.BooleanField(**common)
    return forms.CharField(max_length=option.most, **common)


def _secret(connector: type[Connector], *, is_set: bool) -> forms.Field:
    kept = _("One is stored. Leave this empty to keep it.")
    return forms.CharField(
        label=connector.secret_label,
        help_text=kept if is_set else connector.secret_help,
        required=False,
        max_length=4000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )


def _common() -> dict[str, forms.Field]:
    area = {"rows": 3, "spellcheck": "false"}
    return {
        "include": forms.CharField(
            label=_("Only these"),
            help_text=_("Patterns, one a line, as in *.pdf or policies/*. Empty: everything that can be read."),
            required=False,
            max_length=5000,
            widget=forms.Textarea(attrs=area),
        ),
        "exclude": forms.CharField(
            label=_("Never these"), required=False, max_length=5000, widget=forms.Textarea(attrs=area)
        ),
        "classification": forms.ChoiceField(
            label=_("Classification of new documents"), choices=Classification.choices, initial=Classification.INTERNAL
        ),
        "schedule": forms.ChoiceField(label=_("Schedule"), choices=Schedule.choices, initial=Schedule.DAILY),
        "max_removed_percent": forms.IntegerField(
            label=_("Removals without asking, in percent"),
            help_text=_(
                "When more than this share would go within a week, nothing is deleted until somebody confirms it."
            ),
            min_value=0,
            max_value=100,
            initial=20,
        ),
    }


def _initial(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        **{_OPTION + name: value for name, value in source.options.items()},
        "include": "\n".join(source.include),
        "exclude": "\n".join(source.exclude),
        "classification": source.classification,
        "schedule": source.schedule,
        "max_removed_percent": source.max_removed_percent,
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
