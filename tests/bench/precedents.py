"""How often the precedent finder puts the right document first, or among the first three and ten, and what it costs.

    python -m tests.bench.precedents [--squad DATA/squad2] [--queries 200] [--json]

The set is written for it: clauses of earlier contracts, each a document, and for each a description or a clause in
other words. With `--squad`, the paragraphs of that collection are the documents and its questions the descriptions.
"""

import argparse
import json
import resource
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

#: Name → what an earlier contract says; what somebody writes who looks for it.
CLAUSES = {
    "penalty": (
        "For each started week of delay the contractor pays 0.5 % of the price as a penalty, and 5 % at most.",
        "What did we agree on before when the other side is late? A weekly percentage of the price, capped.",
    ),
    "retention-of-title": (
        "The goods remain the property of the seller until the price has been paid in full.",
        "Ownership passes to the buyer only once everything is paid.",
    ),
    "non-compete": (
        "For twelve months after leaving, the employee does not work for a competitor within the country.",
        "A former worker must not join a rival firm during the first year.",
    ),
    "audit-right": (
        "Once a year the customer may inspect the books and premises of the processor with ten days of notice.",
        "We want to be allowed to come and check their records every year, announced beforehand.",
    ),
    "force-majeure": (
        "Neither party is liable for delay caused by war, flood, strike or another event beyond its control.",
        "A clause on natural disasters and strikes that free both sides from blame for lateness.",
    ),
    "source-code-escrow": (
        "The source code is deposited with a notary and handed to the licensee if the licensor becomes insolvent.",
        "The program text is kept by a third person in case the vendor goes bankrupt.",
    ),
    "price-indexation": (
        "The rent is adjusted every January by the change of the consumer price index.",
        "The monthly rental goes up with inflation at the turn of the year.",
    ),
    "data-breach": (
        "The processor reports a breach of personal data to the controller within 24 hours of becoming aware of it.",
        "How fast must they tell us when personal data leaked?",
    ),
    "sublease": (
        "The tenant may let the premises to others only with the written consent of the landlord.",
        "Passing the office on to another firm needs permission of the owner on paper.",
    ),
    "arbitration": (
        "Disputes are settled by a single arbitrator in Vienna, in English, under the rules of the chamber.",
        "No courts: one referee decides about conflicts between us.",
    ),
    "inventions": (
        "Inventions that an employee makes in the course of work belong to the employer against fair remuneration.",
        "Who owns what our engineers invent on the job?",
    ),
    "insurance": (
        "The carrier keeps the cargo insured for its full value from loading to unloading.",
        "The haulier has to have cover for the freight during the whole transport.",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, help="the folder squad2 of the public collections")
    parser.add_argument("--queries", type=int, default=200, help="how many of its questions")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    documents, queries = squad(options.squad, options.queries) if options.squad else written()
    with installation():
        figures = measure(documents, queries)
    print(json.dumps(figures, indent=2) if options.json else "\n".join(f"{k:26} {v}" for k, v in figures.items()))
    return 0


def written() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Documents by name, and pairs of what is looked for and the document that has it."""
    documents = {f"{name}.md": f"# Agreement {n}\n\n{text}\n" for n, (name, (text, _)) in enumerate(CLAUSES.items())}
    return documents, [(asked, f"{name}.md") for name, (_text, asked) in CLAUSES.items()]


def squad(folder: Path, most: int) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The same of the public collection: paragraphs, and evenly spread questions with the paragraph that answers."""
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    documents = {f"{row['_id']}.md": f"# {row['title']}\n\n{row['text']}\n" for row in rows}
    chosen = asked[:: max(1, len(asked) // most)][:most]
    return documents, [(row["text"], f"{row['doc']}.md") for row in chosen]


def measure(documents: dict[str, str], queries: list[tuple[str, str]]) -> dict[str, Any]:
    """Ingest the documents and look for each query as a member does."""
    from answers.precedents import finding
    from tests.answers import library
    from workspaces.members import add_member, create_user, create_workspace

    person = create_user(username="contributor", password="correct-horse-battery-staple", by=None)
    workspace = create_workspace(slug="bench", name="Bench", policy="open", by=None)
    add_member(workspace, person, "contributor", by=None)
    paths = {library.add_document(workspace, path, text).document_id: path for path, text in documents.items()}
    finding.find(workspace, queries[0][0], by=person)
    ranks: list[int | None] = []
    before = _processor()
    for asked, wanted in queries:
        found = [paths[one.document_id] for one in finding.find(workspace, asked, by=person).precedents]
        ranks.append(found.index(wanted) + 1 if wanted in found else None)
    seconds = _processor() - before
    return {
        "documents": len(documents),
        "queries": len(queries),
        **{f"hit@{k}": _share(sum(rank is not None and rank <= k for rank in ranks), len(ranks)) for k in (1, 3, 10)},
        "mean_reciprocal_rank": _share(sum(1 / rank for rank in ranks if rank), len(ranks)),
        "nothing_found": sum(rank is None for rank in ranks),
        "processor_ms_a_query": round(seconds / len(queries) * 1000, 1),
    }


def _share(part: float, whole: int) -> float:
    return round(part / whole, 3)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
