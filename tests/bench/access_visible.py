"""What it costs to find what a person may know of, in an installation of a large organisation.

Run: python -m tests.bench.access_visible [DOCUMENTS] [ANSWERS]   (in an installation of its own)

5,000 people, 500 groups of people, 50 workspaces (half of the documents in one of them), a fifth of the documents
restricted, each of those granted to people and groups, and never rules. A page is 50 rows in the order of the list.
"""

import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.bench.installation import installation

PEOPLE, GROUPS, WORKSPACES, PAGE, ROUNDS = 5_000, 500, 50, 50, 40
#: Context for the reader, and a bar that a lost index or a look at every row would miss by far.
BUDGET_MS = 300


def main(documents: int, answers: int) -> int:
    random.seed(20261122)
    with installation():
        began = time.perf_counter()
        scene = _seed(documents, answers)
        print(f"seeded {documents:,} documents and {answers:,} answers in {time.perf_counter() - began:.0f} s")
        kept = [_measure(name, people) for name, people in scene.items()]
        _one_right(scene["members"])
    return 0 if all(kept) else 1


def _measure(name: str, people: list[Any]) -> bool:
    from answers.models import Answer
    from documents.models import Document
    from workspaces import access

    worst = 0.0
    for model, order in ((Document, ("title", "path")), (Answer, ("-created_at",))):
        # The yardstick of the same run: what the rows cost without asking who is asking.
        everything = {
            "page": lambda user: list(model.objects.order_by(*order)[:PAGE]),  # noqa: B023 (run at once)
            "count": lambda user: model.objects.count(),  # noqa: B023
        }
        bare = {what: statistics.median(_timed(run, people)[0]) for what, run in everything.items()}
        for what, run in {
            "page": lambda user: list(access.visible(user, model).order_by(*order)[:PAGE]),  # noqa: B023 (run at once)
            "count": lambda user: access.visible(user, model).count(),  # noqa: B023
        }.items():
            times, queries = _timed(run, people)
            p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
            worst = max(worst, p95)
            print(
                f"{name:<28} {model.__name__:<9} {what:<6} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  "
                f"x {p50 / bare[what]:5.1f} of the same without rights  queries {sorted(queries)}",
                flush=True,
            )
    return worst <= BUDGET_MS


def _timed(run: Callable[[Any], Any], people: list[Any]) -> tuple[list[float], set[int]]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times, queries = [], set()
    run(people[0])
    for number in range(ROUNDS):
        user = people[number % len(people)]
        with CaptureQueriesContext(connection) as captured:
            began = time.perf_counter()
            run(user)
            times.append((time.perf_counter() - began) * 1000)
        queries.add(len(captured))
    return sorted(times), queries


def _one_right(people: list[Any]) -> None:
    from workspaces import access
    from workspaces.models import Workspace

    workspace = Workspace.objects.get(slug="place-0")
    times, queries = _timed(lambda user: access.actions(user, workspace), people)
    print(f"{'the rights of one person':<45} p50 {statistics.median(times):6.1f} ms  queries {sorted(queries)}")


# --- The organisation ---------------------------------------------------------------------------------------


def _seed(documents: int, answers: int) -> dict[str, list[Any]]:
    """Rows for everybody; who is measured, by name of the kind of person."""
    from django.db import connection, transaction

    with transaction.atomic():
        people, groups, places = _people()
        paper = _documents(documents, places)
        _grants(paper, people, groups)
        _answers(answers, paper, people)
        kinds = _measured(people, groups, places)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return kinds


def _people() -> tuple[list[Any], list[Any], list[Any]]:
    from django.contrib.auth.models import Group

    from workspaces import members
    from workspaces.models import Membership, PeopleGroup, User, WorkspaceRole

    people = User.objects.bulk_create([User(username=f"person-{n}", password="!") for n in range(PEOPLE)])
    groups = Group.objects.bulk_create([Group(name=f"people:{n}") for n in range(GROUPS)])
    PeopleGroup.objects.bulk_create([PeopleGroup(group=group, name=f"Group {group.pk}") for group in groups])
    places = [members.create_workspace(slug=f"place-{n}", name=f"Place {n}", by=None) for n in range(WORKSPACES)]
    roles = list(WorkspaceRole.objects.filter(role__in=["member", "contributor", "reviewer"]).order_by("pk"))
    rows = [(user, group) for user in people for group in random.sample(groups, 3)]
    rows += [(user, role.group) for user in people for role in random.sample(roles, 2)]
    Membership.objects.bulk_create([Membership(user=user, group=group) for user, group in rows], batch_size=5000)
    return people, groups, places


def _documents(number: int, places: list[Any]) -> list[Any]:
    from documents.models import Document

    return Document.objects.bulk_create(
        [
            Document(
                workspace=places[0] if n % 2 else places[n // 2 % WORKSPACES],
                path=f"folder/paper-{n}.md",
                title=f"Paper {random.randrange(10**9)}",
                restricted=n % 5 == 0,
            )
            for n in range(number)
        ],
        batch_size=5000,
    )


def _grants(paper: list[Any], people: list[Any], groups: list[Any]) -> None:
    from django.contrib.auth.models import Permission

    from documents.models import DocumentBar, DocumentGroupGrant, DocumentUserGrant
    from workspaces.models import RoleBar

    opening = Permission.objects.get(codename="open_document")
    restricted = [document for document in paper if document.restricted]
    DocumentUserGrant.objects.bulk_create(
        [
            DocumentUserGrant(content_object=document, user=user, permission=opening)
            for document in restricted
            for user in random.sample(people, 2)
        ],
        batch_size=5000,
    )
    DocumentGroupGrant.objects.bulk_create(
        [
            DocumentGroupGrant(content_object=document, group=random.choice(groups), permission=opening)
            for document in restricted
        ],
        batch_size=5000,
    )
    DocumentBar.objects.bulk_create(
        [DocumentBar(document=document, group=random.choice(groups), reason="-") for document in paper[::100]]
    )
    RoleBar.objects.bulk_create(
        [RoleBar(workspace=document.workspace, user=random.choice(people), reason="-") for document in paper[::500]],
        ignore_conflicts=True,
    )


def _answers(number: int, paper: list[Any], people: list[Any]) -> None:
    from django.utils import timezone

    from answers.models import Answer, Evidence, Question
    from answers.states import AnswerStatus
    from documents.models import Version

    cited = random.sample(paper, 2000)
    versions = Version.objects.bulk_create(
        [Version(document=document, number=1, sha256="0" * 64, size=1, filename=document.path) for document in cited]
    )
    of: dict[Any, list[Any]] = {}
    for version in versions:
        of.setdefault(version.document.workspace_id, []).append(version)
    questions = {
        place: Question.objects.create(workspace_id=place, asked_by=people[0], text="What is the notice period?")
        for place in of
    }
    ended = {"status": AnswerStatus.REFUSED_NO_RIGHT, "ended_at": timezone.now()}
    chosen = [random.choice(versions).document.workspace_id for _ in range(number)]
    answers = Answer.objects.bulk_create(
        [
            Answer(question=questions[place], workspace_id=place, asked_by=random.choice(people), **ended)
            for place in chosen
        ],
        batch_size=5000,
    )
    Evidence.objects.bulk_create(
        [
            _evidence(Evidence, answer, rank, version)
            for answer in answers
            for rank, version in enumerate(random.sample(of[answer.workspace_id], min(2, len(of[answer.workspace_id]))))
        ],
        batch_size=5000,
    )


def _evidence(model: Any, answer: Any, rank: int, version: Any) -> Any:
    place = {"start": 0, "end": 1, "locator": "-", "sha256": "0" * 64}
    return model(answer=answer, rank=rank, passage_id=uuid4(), document=version.document, version=version, **place)


def _measured(people: list[Any], groups: list[Any], places: list[Any]) -> dict[str, list[Any]]:
    from workspaces import members
    from workspaces.glass import breaking as glass
    from workspaces.models import Membership

    def given(role: str, some: list[Any]) -> list[Any]:
        for user in some:
            members.add_member(places[0], user, role, by=None)
        return some

    superusers = people[60:63]
    for user in superusers:
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        glass.break_glass(places[0], by=user, reason="Measure")
    busy = given("reviewer", people[40:60])
    Membership.objects.bulk_create(
        [Membership(user=user, group=group) for user in busy for group in random.sample(groups, 100)],
        ignore_conflicts=True,
    )
    return {
        "members": given("member", people[:20]),
        "reviewers": given("reviewer", people[20:40]),
        "reviewers in 100 groups": busy,
        "superusers, broken glass": superusers,
        "people without a workspace": _strangers(),
    }


def _strangers() -> list[Any]:
    from workspaces.models import User

    return User.objects.bulk_create([User(username=f"stranger-{n}", password="!") for n in range(5)])


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:3]]
    sys.exit(main(*(sizes + [100_000, 50_000][len(sizes) :])))
