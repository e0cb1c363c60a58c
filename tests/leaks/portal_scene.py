"""Documents with a canary word each, and every place where a person could come to read one."""

import io
import random
import re
from collections.abc import Callable, Iterator
from itertools import islice, zip_longest
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from answers.models import Answer, Draft
from audit.models import Event
from documents import index
from documents.embeddings import embed_query
from documents.models import Document, Embedding, EmbeddingSpace, Passage, Version
from tests.documents import factories
from tests.documents.shelf import SPACE, changed
from tests.leaks import every_address
from workspaces.models import User, Workspace

QUESTION = "What is the quota of the depot?"
CANARY = re.compile(r"canary[a-z]+")


def word(number: int) -> str:
    """The canary of the n-th text ever written: one word for every analyser, and part of no other."""
    return "canary" + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}") + "z"


def text_with(canary: str) -> str:
    """A text that answers `QUESTION`; its mark makes what an echoing model says a cited sentence."""
    return f"# Depot\n\nThe quota of the depot is 17 pallets and its code is {canary} [1].\n"


def put(workspace: Workspace, path: str, canary: str, *, by: User) -> Document:
    """A ready document that is in every index."""
    document = factories.document(workspace, path, text_with(canary), by=by, title="Depot")
    _index(document)
    return document


def put_version(document: Document, canary: str, *, by: User) -> None:
    """Bytes that supersede what the document said before; the old ones stay in the index."""
    factories.add_version(document, text_with(canary), by=by)
    _index(document)


def _index(document: Document) -> None:
    document.refresh_from_db()
    vector = embed_query(QUESTION, SPACE)
    space, _ = EmbeddingSpace.objects.get_or_create(
        fingerprint=SPACE.fingerprint, defaults={"name": SPACE.name, "dimension": SPACE.dimension}
    )
    passages = list(Passage.objects.filter(version=document.current_version))
    stored = [Embedding(passage=one, space=space, vector=vector.astype("<f4").tobytes()) for one in passages]
    Embedding.objects.bulk_create(stored)
    index.upsert(document.workspace_id, SPACE, [str(one.pk) for one in passages], [vector] * len(passages))
    changed(document.workspace)


# --- Surfaces: each gives what one person is shown ------------------------------------------------------------


def _pages(client: Client, addresses: Iterator[str]) -> str:
    return "".join(_body(client.get(address)) for address in addresses)


def _body(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return response.content.decode()


def _slugs() -> list[str]:
    return list(Workspace.objects.values_list("slug", flat=True))


def lists(client: Client, person: User) -> str:
    names = ("documents:list", "documents:progress", "answers:ask", "answers:history", "workspaces:people")
    addresses = [reverse(name, args=[slug]) for slug in _slugs() for name in names]
    return _pages(client, iter([*addresses, "/"]))


def viewer(client: Client, person: User) -> str:
    """Every version's text with what is found in it, its original and its page, and what changed between versions, by
    address: those of deleted documents as well.
    """
    addresses = [
        reverse("documents:changes", args=[document.workspace.slug, document.pk])
        for document in Document.objects.select_related("workspace")
    ]
    for version in Version.objects.select_related("document__workspace"):
        here = [version.document.workspace.slug, version.document_id]
        addresses.append(f"{reverse('documents:detail', args=here)}?version={version.pk}&find=code")
        addresses.append(reverse("documents:original", args=[*here, version.pk]))
        addresses.append(reverse("documents:page", args=[*here, version.pk, 1]))
    return _pages(client, iter(addresses))


def answers(client: Client, person: User) -> str:
    """Everybody's answers: page, card, provenance, receipt, the place cited first, and as programs get it."""
    addresses, receipts = [], []
    for answer in Answer.objects.select_related("workspace"):
        here = [answer.workspace.slug, answer.pk]
        addresses += [reverse(f"answers:{name}", args=here) for name in ("answer", "card", "provenance")]
        receipts.append(reverse("answers:receipt", args=here))
        addresses.append(reverse("answers:citation", args=[*here, 1]))
        addresses.append(reverse("api:answer", args=[answer.pk]))
    return _pages(client, iter(addresses)) + "".join(_body(client.post(address)) for address in receipts)


def events(client: Client, person: User) -> str:
    """Everybody's streams of events, from their beginning to their end or to the first moment without news."""
    addresses = [
        reverse("answers:events", args=[answer.workspace.slug, answer.pk])
        for answer in Answer.objects.select_related("workspace")
    ]
    return "".join(_news(client.get(address)) for address in addresses)


def _news(response: Any) -> str:
    if not response.streaming or not response.is_async:
        return _body(response)

    async def gather() -> str:
        parts, frames = [], response.streaming_content
        async for frame in frames:
            parts.append(frame.decode())
            if parts[-1].startswith(": still here"):
                break
        await frames.aclose()
        return "".join(parts)

    return async_to_sync(gather)()


def wander(client: Client, seed: int, most: int) -> dict[str, str]:
    """Route → what is there, for `most` of all the pages that there are."""
    found: dict[str, str] = {}
    chosen = random.Random(seed)
    for route, address in islice(_mixed(every_address.addresses(), chosen), most):
        found[route] = found.get(route, "") + _news(every_address.open_page(client, route, address))
    return found


def _mixed(there: list[tuple[str, str]], chosen: random.Random) -> Iterator[tuple[str, str]]:
    """All of them in any order, one of each route before the second of any: some routes have hundreds."""
    routes: dict[str, list[str]] = {}
    for route, address in chosen.sample(there, len(there)):
        routes.setdefault(route, []).append(address)
    for turn in zip_longest(*routes.values()):
        yield from ((route, address) for route, address in zip(routes, turn, strict=True) if address is not None)


def api(client: Client, person: User) -> str:
    addresses = [f"/api/v1/workspaces/{slug}/documents" for slug in _slugs()]
    addresses += [reverse("api:document", args=[pk]) for pk in Document.objects.values_list("pk", flat=True)]
    pages = _pages(client, iter([*addresses, "/api/v1/me", "/api/v1/workspaces"]))
    return pages + api_search(client) + api_precedents(client)


def api_precedents(client: Client) -> str:
    """What resembles the question, and what resembles each document, whoever may open it."""
    brought = [(slug, {"text": QUESTION}) for slug in _slugs()]
    for document in Document.objects.select_related("workspace"):
        brought.append((document.workspace.slug, {"document": str(document.pk)}))
    return "".join(
        client.post(f"/api/v1/workspaces/{slug}/precedents", sent, content_type="application/json").content.decode()
        for slug, sent in brought
    )


def api_search(client: Client, slugs: list[str] | None = None) -> str:
    return "".join(
        client.post(
            f"/api/v1/workspaces/{slug}/search", {"query": QUESTION, "k": 50}, content_type="application/json"
        ).content.decode()
        # What was asked for is said again in the reply, and holds no canary.
        for slug in slugs or _slugs()
    )


def admin(client: Client, person: User) -> str:
    """Lists, pages, history, filters, searches by canary and autocompletes of whatever rests on a document."""
    addresses = ["/admin/"]
    for model, name in ((Draft, "answers_draft"), (Answer, "answers_answer"), (Document, "documents_document")):
        addresses.append(reverse(f"admin:{name}_changelist") + "?state=all" * (model is Draft))
        for pk in model.objects.values_list("pk", flat=True):
            addresses += [reverse(f"admin:{name}_{page}", args=[pk]) for page in ("change", "history")]
    addresses.append(reverse("admin:audit_event_changelist"))
    events = Event.objects.order_by("-at").values_list("pk", flat=True)[:3]
    addresses += [reverse("admin:audit_event_change", args=[pk]) for pk in events]
    fields = (("draft", "answer"), ("draft", "workspace"), ("workspacemodels", "workspace"))
    asked = "{}?app_label=answers&model_name={}&field_name={}&term="
    addresses += [asked.format(reverse("admin:autocomplete"), *pair) for pair in fields]
    return _pages(client, iter(addresses))


def exports(client: Client, person: User) -> str:
    chains = ["platform", *_slugs()]
    return "".join(_body(client.post(reverse("admin:audit_event_export"), {"chain": chain})) for chain in chains)


def commands(client: Client, person: User) -> str:
    said = io.StringIO()
    drafts = [str(pk) for pk in Draft.objects.values_list("pk", flat=True)]
    calls = [("search", slug, QUESTION) for slug in _slugs()]
    calls += [("review", "list"), *(("review", "show", pk) for pk in drafts)]
    for call in calls:
        try:
            call_command(*call, "--as", person.username, "--json", stdout=said)
        except CommandError as error:
            said.write(str(error))
    return said.getvalue()


SURFACES: dict[str, Callable[[Client, User], str]] = {
    surface.__name__: surface for surface in (lists, viewer, answers, events, api, admin, exports, commands)
}
