"""Every page that can be opened: the addresses of the resolver, with the ids of what stands in the database.

A page that is added is walked through the day it is written: where `KEYED` does not know whose id an address holds, the
ids of every kind of row are tried.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

from django.apps import apps
from django.db.models import Model, UUIDField
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from answers.models import (
    Answer,
    ApprovedAnswer,
    Assessment,
    Conversation,
    EvaluationRun,
    Examination,
    FineTuningJob,
    Gap,
    GateCandidate,
    Question,
    QuestionSet,
    RagTemplate,
    Replay,
    TemplatePreview,
    TrainingFlag,
    TrainingSet,
    TuningComparison,
)
from documents.models import BulkRun, Deletion, Document, Folder, Source, Version
from workspaces.models import AccessReview, ReadinessRun, User, Workspace

#: What stands before an id in an address, with the part before it where one is not enough → whose id it is.
KEYED: dict[str, type[Model]] = {
    "answers": Answer,
    "reply": Question,
    "replays": Replay,
    "ask": Conversation,
    "approved": ApprovedAnswer,
    "gaps": Gap,
    "documents": Document,
    "deleted": Deletion,
    "bulk": BulkRun,
    "folders": Folder,
    "sources": Source,
    "versions": Version,
    "people": User,
    "access-review": AccessReview,
    "readiness": ReadinessRun,
    "examinations": Examination,
    "draft-review": Examination,
    "templates": RagTemplate,
    "previews": TemplatePreview,
    "evaluation/sets": QuestionSet,
    "runs": EvaluationRun,
    "gate": GateCandidate,
    "assessments": Assessment,
    "fine-tuning/sets": TrainingSet,
    "jobs": FineTuningJob,
    "comparisons": TuningComparison,
    "flags": TrainingFlag,
}
#: What else an address may say → one value of it.
SAID = {"format": "md", "what": "manifest", "number": "1"}
#: Signing in and out, one's own account and what machines ask: they tell nothing of a workspace.
NOT_WALKED = re.compile(r"^/(sign-|account/|i18n/|health/|static/|view-as/|admin/(login|logout|jsi18n|password|r/))")
#: Ids that are tried of a kind that is not in `KEYED`.
MOST = 3

_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>|\(\[\^/\]\+\)")
#: Routes that answered that they are not read but written: not walked again.
_written: set[str] = set()


def _routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """Name and route of each address, as it is written in the resolver."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$")
        if isinstance(entry, URLResolver):
            yield from _routes(entry, route)
        elif isinstance(entry, URLPattern) and not NOT_WALKED.search(route) and "(?" not in route:
            yield str(entry.name or ""), route


@cache
def routes() -> dict[str, str]:
    """Route → its name."""
    return {route: name for name, route in _routes(get_resolver())}


def addresses() -> list[tuple[str, str]]:
    """Route and address of everything that can be opened."""
    there = [(route, name) for route, name in routes().items() if route not in _written]
    return [(route, address) for route, name in there for address in _filled(name, route)]


def open_page(client: Client, route: str, address: str) -> HttpResponse:
    """What is there for whom `client` acts."""
    response: Any = client.get(address)
    if response.status_code == 405:
        _written.add(route)
    return response


def _filled(name: str, route: str) -> Iterator[str]:
    arguments = list(_ARGUMENT.finditer(route))
    for values in product(*(_values(name, route, argument) for argument in arguments)):
        address = route
        for argument, value in zip(arguments, values, strict=True):
            address = address.replace(argument.group(), value, 1)
        yield address


def _values(name: str, route: str, argument: re.Match[str]) -> list[str]:
    kind, called = argument.group(1), argument.group(2)
    if (kind, called) == ("slug", "slug"):
        return list(Workspace.objects.values_list("slug", flat=True))
    if called in SAID:
        return [SAID[called]]
    before = route[: argument.start()].rstrip("/").rpartition("/")[2]
    keyed = KEYED.get("/".join(route[: argument.start()].rstrip("/").split("/")[-2:])) or KEYED.get(before)
    if keyed and not route.startswith("/admin/"):
        return [str(pk) for pk in keyed._default_manager.values_list("pk", flat=True)]
    models = _models_of(name, route)
    if before == "history":
        models = [model.history.model for model in models if hasattr(model, "history")]
    return [str(pk) for model in models for pk in model._default_manager.values_list("pk", flat=True)[:MOST]]


def _models_of(name: str, route: str) -> list[type[Model]]:
    """Whose page it is: one model's in the administration, anything of ours with such an id elsewhere."""
    if route.startswith("/admin/"):
        of = [one for one in apps.get_models() if name.startswith(f"{one._meta.app_label}_{one._meta.model_name}_")]
        return of or [Document]
    ours = [one for one in apps.get_models() if one._meta.app_label in {"answers", "documents", "workspaces"}]
    return [one for one in ours if isinstance(one._meta.pk, UUIDField)]
