"""How many planted faults an examination finds, how much of what it finds was planted, and what it costs.

    python -m tests.bench.draft_review [--repeat 1] [--json]

The set is `corrupted_drafts.py`, examined with the built-in checks. Recall is over planted faults, precision over
findings: one is right when it is of a planted category and lies on the planted words, or names what is missing. A
wording that merely differs (category "deviation") is told by itself and in neither: it is not wrong. Processor time is
of this process, which works on every draft itself; each draft is examined `--repeat` times.
"""

import argparse
import json
import resource
from collections import Counter
from typing import Any

from tests.bench.corrupted_drafts import DRAFTS, GUIDANCE, Corrupted, Planted
from tests.bench.installation import installation


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation():
        figures = measure(options.repeat)
    print(json.dumps(figures, indent=2) if options.json else "\n".join(f"{k:34} {v}" for k, v in figures.items()))
    return int(figures["not_examined"] > 0)


def measure(repeat: int) -> dict[str, Any]:
    """Ingest the guidance, examine every draft, and hold what was found against what was planted."""
    from tests.answers import library
    from workspaces.members import add_member, create_user, create_workspace

    person = create_user(username="contributor", password="correct-horse-battery-staple", by=None)
    workspace = create_workspace(slug="bench", name="Bench", policy="open", by=None)
    add_member(workspace, person, "contributor", by=None)
    for path, text in GUIDANCE.items():
        library.add_document(workspace, path, text)
    # Models of the search are loaded once and not measured.
    _examined(workspace, DRAFTS[0], person)
    counts: Counter[str] = Counter()
    before, words = _processor(), 0
    for draft in DRAFTS * repeat:
        words += len(draft.text.split())
        counts.update(_held_against(_examined(workspace, draft, person), draft))
    seconds = _processor() - before
    return {
        "drafts": len(DRAFTS) * repeat,
        "not_examined": counts["not_examined"],
        "planted": counts["planted"],
        "found_of_them": counts["hit"],
        "recall": _share(counts["hit"], counts["planted"]),
        "findings": counts["findings"],
        "right_of_them": counts["right"],
        "precision": _share(counts["right"], counts["findings"]),
        "differing_wordings": counts["deviation"],
        "missed": sorted(name.removeprefix("missed ") for name in counts if name.startswith("missed ")),
        "wrong": sorted(name.removeprefix("wrong ") for name in counts if name.startswith("wrong ")),
        "words": words,
        "processor_seconds_a_1000_words": round(seconds / words * 1000, 2),
    }


def _examined(workspace: Any, draft: Corrupted, person: Any) -> Any:
    from answers.draft_review import run
    from answers.draft_review.bringing import bring, read_text

    made = bring(workspace, read_text(draft.title, draft.text), by=person)
    while run.run(made.pk):
        pass
    made.refresh_from_db()
    return made


def _held_against(made: Any, draft: Corrupted) -> Counter[str]:
    counts: Counter[str] = Counter({"planted": len(draft.faults), "not_examined": int(made.state != "released")})
    rows = list(made.findings.all())
    found = [one for one in rows if one.category != "deviation"]
    counts["deviation"], counts["findings"] = len(rows) - len(found), len(found)
    for fault in draft.faults:
        hit = any(_is(one, fault, made.text) for one in found)
        counts["hit"] += hit
        if not hit:
            counts[f"missed {draft.title}: {fault.category} “{fault.words}”"] += 1
    for one in found:
        right = any(_is(one, fault, made.text) for fault in draft.faults)
        counts["right"] += right
        if not right:
            counts[f"wrong {draft.title}: {one.category} “{made.text[one.start : one.end] or one.explanation}”"] += 1
    return counts


def _is(finding: Any, fault: Planted, text: str) -> bool:
    if finding.category != fault.category:
        return False
    if not text[finding.start : finding.end]:
        return fault.words.casefold() in finding.explanation.casefold()
    # The figure alone stands elsewhere too, so it has to begin the planted words or lie within them.
    at = text.find(fault.words, max(0, finding.start - len(fault.words)))
    return 0 <= at < finding.end and finding.start < at + len(fault.words)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
