"""What it takes to build a training set of many approved answers, to seal it, and to look whether it may still be used.

    python -m tests.bench.training_sets [--answers 10000] [--embed] [--json]

Each question's vector is there, as approvals keep it; with --embed the built-in model makes it, which takes most of the
time then. Vectors are drawn around a few hundred centres, so that some questions are near one another. Told are seconds
by the clock and by the processor, statements, and the most memory; the exit is 1 when the set could not be sealed.
"""

import argparse
import hashlib
import json
import resource
import time
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.installation import installation

_A_DOCUMENT = 20
_CENTRES, _DIMENSION = 400, 384


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--embed", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation():
        figures = measure(options.answers, embed=options.embed)
    print(json.dumps(figures, indent=2) if options.json else "\n".join(f"{k:24} {v}" for k, v in figures.items()))
    return int(figures["state"] != "sealed")


def measure(answers: int, *, embed: bool) -> dict[str, Any]:
    """Fill a workspace with approved answers, then build, seal and look."""
    from answers.finetuning import building, changes, sealing, sets
    from workspaces.members import add_member, create_user, create_workspace

    manager = create_user(username="manager", password="correct-horse-battery-staple", by=None)
    workspace = create_workspace(slug="bench", name="Bench", policy="review", by=None)
    for role in ("manager", "reviewer"):
        add_member(workspace, manager, role, by=None)
    fill(workspace, manager, answers, with_vectors=not embed)
    asked = sets.ask(workspace, name="All", ceiling="internal", usages=["own"], validation_percent=10, by=manager)
    built = _timed(lambda: building.build(asked.pk))
    asked.refresh_from_db()
    figures: dict[str, Any] = {"answers": answers, "examples": asked.examples.count(), "left_out": asked.left_out}
    figures |= {f"build_{name}": value for name, value in built.items()}
    sealed = _timed(lambda: sealing.seal(asked, by=manager))
    looked = _timed(lambda: changes.now(asked))
    asked.refresh_from_db()
    figures |= {f"seal_{name}": value for name, value in sealed.items()}
    figures |= {f"look_{name}": value for name, value in looked.items()}
    figures["state"] = asked.state
    figures["bytes"] = sum(file.size for file in asked.files.all())
    figures["most_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return figures


def fill(workspace: Any, manager: Any, answers: int, *, with_vectors: bool) -> None:
    """So many approved answers, each on a passage of one of a twentieth as many documents."""
    from django.utils import timezone

    from answers.models import Answer, ApprovedAnswer, Evidence, Question
    from answers.states import AnswerStatus
    from audit.chain import digest
    from documents.embedding.spaces import space_of
    from documents.models import Document
    from tests.answers.review_scene import a_document

    now, space = timezone.now(), space_of(workspace.pk).fingerprint
    versions = [a_document(workspace, title=f"D{n}", text=f"Rule {n}.") for n in range(-(-answers // _A_DOCUMENT))]
    Document.objects.filter(workspace=workspace).update(usage="own")
    vectors = _vectors(answers)
    questions, made, evidence, approved = [], [], [], []
    for number in range(answers):
        text = f"What holds for matter {number} of department {number % 97}?"
        reply = f"Matter {number} is settled by rule {number % 97} within {number % 30} days."
        version = versions[number // _A_DOCUMENT]
        question = Question(workspace=workspace, asked_by=manager, text=text, language="en")
        answer = Answer(
            question=question, workspace=workspace, asked_by=manager, policy="review", text=reply,
            status=AnswerStatus.ANSWERED_APPROVED, released_text=reply, released_sha256=digest(reply),
            released_at=now, released_by=manager,
        )  # fmt: skip
        questions.append(question)
        made.append(answer)
        evidence.append(
            Evidence(
                answer=answer,
                rank=1,
                document=version.document,
                version=version,
                passage_id=uuid.uuid4(),
                sha256=hashlib.sha256(reply.encode()).hexdigest(),
                start=0,
                end=4,
                page=1,
            )
        )
        approved.append(
            ApprovedAnswer(
                answer=answer,
                workspace=workspace,
                verified_at=now,
                verified_by=manager,
                expires_at=now,
                space=space,
                vector=vectors[number].tobytes(),
            )
        )
    Question.objects.bulk_create(questions, batch_size=1000)
    Answer.objects.bulk_create(made, batch_size=1000)
    Evidence.objects.bulk_create(evidence, batch_size=1000)
    if with_vectors:
        ApprovedAnswer.objects.bulk_create(approved, batch_size=1000)


def _vectors(count: int) -> np.ndarray:
    """Of length one, around centres: most pairs are far apart, some near."""
    draw = np.random.default_rng(4711)
    centres = draw.standard_normal((_CENTRES, _DIMENSION)).astype("<f4")
    found = centres[draw.integers(0, _CENTRES, count)] + 0.35 * draw.standard_normal((count, _DIMENSION))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype("<f4")


def _timed(act: Callable[[], Any]) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    began, before = time.perf_counter(), time.process_time()
    with CaptureQueriesContext(connection) as queries:
        act()
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - before, 2),
        "statements": len(queries),
    }


if __name__ == "__main__":
    raise SystemExit(main())
