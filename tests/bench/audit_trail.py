"""What an entry of the trail costs the transaction it belongs to, and how fast a chain is verified.

Run: python -m tests.bench.audit_trail [APPENDS] [EVENTS]   (in an installation of its own)

The yardstick is a bare INSERT of the same row into a table with the same indexes, in the same run: what the database
itself takes for it. Exits with 1 when a budget is missed.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.installation import installation

BUDGET_MS, BUDGET_EVENTS = 2.0, 50_000
_ROUNDS = 3


def main(appends: int, events: int) -> int:
    with installation():
        added = _append_costs(appends)
        rate, best = _verification_rates(events)
    print(f"verification: {rate:,.0f} events a second, best round {best:,.0f} (budget {BUDGET_EVENTS:,})")
    return 0 if added <= BUDGET_MS and best >= BUDGET_EVENTS else 1


def _append_costs(count: int) -> float:
    """Print the median transaction with nothing, a bare insert, and an entry; return what the entry adds, in ms."""
    from django.db import connection, transaction

    from audit import chain
    from audit.events import EventType
    from audit.models import Event
    from audit.record import record

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE act (id int PRIMARY KEY, n int)")
        cursor.execute("INSERT INTO act VALUES (1, 0)")
        cursor.execute("CREATE TABLE bare (LIKE audit_event INCLUDING ALL)")
    with transaction.atomic():
        record(EventType.SEARCHED, workspace=None, turn=0)
    columns = ", ".join(field.column for field in Event._meta.concrete_fields)
    inner = connection.connection

    def act(work: Callable[[Any], None]) -> Callable[[], None]:
        def once() -> None:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE act SET n = n + 1 WHERE id = 1")
                work(cursor)

        return once

    def bare(cursor: Any) -> None:
        cursor.execute(
            f"INSERT INTO bare ({columns}) SELECT gen_random_uuid(), chain, nextval('turns'), at, type, actor_id,"  # noqa: S608
            " actor_label, object_type, object_id, object_label, request_id, body, md5(random()::text), hash"
            " FROM audit_event WHERE chain = %s AND seq = 1",
            [chain.PLATFORM],
        )

    def entry(cursor: Any) -> None:
        record(EventType.SEARCHED, query_sha256="0" * 64, mode="hybrid", hits=10, seconds_ms=12)

    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE turns")
    assert inner is connection.connection
    took = _medians({"nothing": act(lambda cursor: None), "bare insert": act(bare), "entry": act(entry)}, count)
    nothing = took["nothing"]
    for name in ("bare insert", "entry"):
        print(f"append: a transaction of {nothing:.2f} ms takes {took[name] - nothing:.2f} ms more with a {name}")
    print(f"append: an entry costs {(took['entry'] - nothing) / (took['bare insert'] - nothing):.1f}× a bare insert")
    return took["entry"] - nothing


def _medians(acts: dict[str, Callable[[], None]], count: int) -> dict[str, float]:
    """The median of each act in ms, taken in turns so that a busy moment meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in acts}
    for _turn in range(count):
        for name, once in acts.items():
            began = time.perf_counter()
            once()
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def _verification_rates(count: int) -> tuple[float, float]:
    """Median and best rate over some rounds, on a chain as the product writes it, compared with a checkpoint."""
    from django.db import transaction

    from audit import chain, checkpoints
    from audit.events import EventType
    from audit.inclusion import Inclusion
    from audit.merkle import WholeTree
    from audit.models import Checkpoint, Event
    from audit.record import Entry, record_all
    from audit.verification import verify

    name, batch = "00000000-0000-4000-8000-000000000000", 500
    for _turn in range(count // batch):
        with transaction.atomic():
            details = {"question_sha256": "0" * 64, "passages": 10, "endpoint": "extractive", "superuser": False}
            record_all([Entry(EventType.EVIDENCE_SENT, None, "", details)] * batch, workspace=name)
    full = chain.workspace_chain(name)
    began = time.perf_counter()
    verify(full)
    print(f"verification: {count / (time.perf_counter() - began):,.0f} events a second without a checkpoint")
    checkpoints.make(full)
    rates = []
    for _turn in range(_ROUNDS):
        began, cpu = time.perf_counter(), time.process_time()
        outcome = checkpoints.verify_chain(full)
        took, used = time.perf_counter() - began, time.process_time() - cpu
        assert (outcome.holds, outcome.checkpoints) == (True, 1)
        assert outcome.events == count // batch * batch
        print(f"verification: {outcome.events:,} events in {took:.2f} s, {used:.2f} s of them our own processor time")
        rates.append(outcome.events / took)
    entry, checkpoint = Event.objects.get(chain=full, seq=count // 3), Checkpoint.objects.get(chain=full)

    def from_all_hashes() -> None:
        hashes = Event.objects.filter(chain=full).order_by("seq").values_list("hash", flat=True)
        WholeTree([bytes.fromhex(one) for one in hashes.iterator()]).path(entry.seq - 1)

    took = _medians({"all": from_all_hashes}, 5) | _medians(
        {"few": lambda: Inclusion(checkpoint).path(entry.seq, entry.body)}, 50
    )
    print(
        f"receipt: an entry's way to the root among {count:,} takes {took['few']:.1f} ms; reading every hash takes "
        f"{took['all']:.0f} ms, {took['all'] / took['few']:.0f}× as long"
    )
    return statistics.median(rates), max(rates)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [300, 100_000][len(arguments) :])))
