"""The page of precedents: bring a description or a document, read what resembles it."""

from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from answers.draft_review.bringing import MOST_BYTES, MOST_PAGES, read_file
from answers.precedents import finding
from documents.embeddings import EmbeddingUnavailable
from documents.models import Version
from documents.viewer.flowing import flowing
from workspaces.classification import Classification
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action


class Shown(NamedTuple):
    """A match, the address of its place, and its passage as running text."""

    match: finding.Match
    url: str
    passage: str


def _how_much() -> str:
    most = {"pages": MOST_PAGES, "size": MOST_BYTES // 1024**2}
    return gettext("Up to %(pages)d pages and %(size)d MB. It is read, compared and not kept.") % most


class PrecedentsForm(forms.Form):
    """A text, or a file whose text is read."""

    text = forms.CharField(
        label=_("Describe it, or paste a text"),
        required=False,
        max_length=finding.MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    file = forms.FileField(
        label=_("Or choose a document"),
        help_text=lazy(_how_much, str)(),
        required=False,
        widget=forms.FileInput,
    )

    classification = forms.ChoiceField(
        label=_("How confidential is it?"),
        choices=Classification.choices,
        initial=Classification.INTERNAL,
        help_text=_("A server outside that may not read this level is sent none of it; its words are compared here."),
    )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if bool(sent.get("text")) == bool(sent.get("file")):
            raise forms.ValidationError(_("Bring a text or a document, one of the two."))
        return sent

    def brought(self) -> str:
        """The text, of a file as the sandbox reads it. Raises ExaminationError."""
        file = self.cleaned_data["file"]
        return read_file(file).text if file else str(self.cleaned_data["text"])


@require_http_methods(["GET", "POST"])
@in_workspace(Action.OPEN)
def precedents(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Which documents open to the person resemble what they bring."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = PrecedentsForm(*sent)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            level = form.cleaned_data["classification"]
            found = finding.find(workspace, form.brought(), by=request.user, classification=level)
        except (PortalError, EmbeddingUnavailable) as error:
            form.add_error(None, str(error))
        else:
            context["found"] = found
            context["shown"] = _shown(found, workspace)
    status = 400 if form.errors else 200
    page = "answers/precedents/_page.html" if request.htmx else "answers/precedents/page.html"
    # htmx shows what is wrong only in an answer that went well.
    return render(request, page, context, status=200 if request.htmx else status)


def _shown(found: finding.Precedents, workspace: Workspace) -> list[tuple[finding.Precedent, list[Shown]]]:
    matches = [match for one in found.precedents for match in one.matches]
    versions = Version.objects.filter(pk__in={match.source.version_id for match in matches})
    formats = dict(versions.values_list("pk", "format"))
    return [
        (
            one,
            [
                Shown(
                    match,
                    finding.address_of(match, workspace.slug),
                    flowing(match.source.text, formats.get(match.source.version_id, "")),
                )
                for match in one.matches
            ],
        )
        for one in found.precedents
    ]
