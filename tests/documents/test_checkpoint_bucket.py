"""Checkpoints of the trail in a bucket: put once, compared, and never mistaken for lost while the store is away."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from audit import checkpoints, outside
from audit.chain import PLATFORM
from audit.events import EventType
from audit.models import Checkpoint
from audit.record import record

# In one worker with the others that load what plays the store.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("store")]


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str, settings: Any) -> Any:
    """An empty bucket that checkpoints go to, below a prefix."""
    import boto3

    resource = boto3.resource(
        "s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    made = resource.create_bucket(Bucket=f"trail-{time.monotonic_ns()}")
    settings.CHECKPOINTS_BUCKET = f"{store}/{made.name}/bank/inlock"
    settings.CHECKPOINTS_ACCESS_KEY, settings.CHECKPOINTS_SECRET_KEY = "key", "secret"
    return made


def write(count: int) -> None:
    for turn in range(count):
        with transaction.atomic():
            record(EventType.SEARCHED, turn=turn)


def signed(count: int) -> Checkpoint:
    write(count)
    made = checkpoints.make(PLATFORM)
    assert made is not None
    return made


def faults() -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in checkpoints.verify_chain(PLATFORM).faults]


def test_a_checkpoint_is_an_object_of_the_same_bytes_and_is_compared_from_there(bucket):
    first, second = signed(3), signed(2)

    objects = {each.key: each.get()["Body"].read().decode() for each in bucket.objects.all()}

    assert objects == {
        "bank/inlock/platform-000000000003.json": first.document,
        "bank/inlock/platform-000000000005.json": second.document,
    }
    assert (checkpoints.verify_chain(PLATFORM).checkpoints, faults()) == (2, [])


def test_what_was_put_is_never_put_again(bucket):
    made = signed(3)
    place, name = outside.place(), checkpoints.file_name(PLATFORM, 3)

    place.write(name, "another text")
    checkpoints.write_outside(PLATFORM)

    assert place.read(name) == made.document


def test_without_the_condition_it_would_be_overwritten(bucket, monkeypatch):
    """The counter-proof: it is `If-None-Match` that keeps it, in the store, against another process too."""
    from documents import fetch

    signed(3)
    place, name = outside.place(), checkpoints.file_name(PLATFORM, 3)
    send = fetch.Fetcher.send
    monkeypatch.setattr(
        fetch.Fetcher,
        "send",
        lambda self, method, url, **given: send(self, method, url, **(given | {"headers": {}})),
    )

    place.write(name, "another text")

    assert place.read(name) == "another text"


def test_an_object_that_was_removed_or_changed_in_the_store_is_named_as_lost(bucket):
    signed(3)
    signed(2)
    objects = {each.key[-8:-5]: each for each in bucket.objects.all()}
    objects["003"].delete()
    objects["005"].put(Body=b"{}")

    assert faults() == [(3, "lost"), (5, "lost"), (5, "unsigned")]


def test_what_the_store_lacks_is_put_there_by_the_next_checkpoint(bucket):
    signed(3)
    for each in bucket.objects.all():
        each.delete()

    signed(1)

    assert faults() == []


def test_a_store_that_does_not_answer_is_said_and_nothing_is_called_lost(bucket, settings):
    signed(3)
    settings.CHECKPOINTS_BUCKET = "http://127.0.0.1:9/trail"

    [fault] = checkpoints.verify_chain(PLATFORM).faults

    assert (fault.seq, fault.kind) == (3, "lost")
    assert "No checkpoint outside could be compared" in fault.sentence
    with pytest.raises(OSError, match="bucket for checkpoints"):
        checkpoints.write_outside(PLATFORM)


@pytest.mark.parametrize("address", ["https://store.example", "ftp://store.example/trail", "http://8.8.8.8/trail"])
def test_an_address_that_is_none_or_would_go_out_in_the_clear_is_refused_in_words(address, settings):
    settings.CHECKPOINTS_BUCKET = address

    with pytest.raises(OSError, match="bucket for checkpoints"):
        outside.place().names("platform-")


def test_the_key_shows_nowhere(bucket, settings):
    settings.CHECKPOINTS_SECRET_KEY = "marker"

    assert "marker" not in f"{outside.place()} {outside.place()!r}"
