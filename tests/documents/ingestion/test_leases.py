"""Only the attempt that holds a version writes; whoever was taken over changes nothing."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from documents import embeddings, index, ingest, sandbox
from documents.exceptions import LeaseLost
from documents.ingest import ingest_version
from documents.ingestion import leases
from documents.models import StageRun, Version
from documents.stages.split import cut
from tests.documents.arrivals import again, let_lease_expire, receive

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(policies, contributor):
    return receive(policies, contributor).version


def test_a_free_version_is_taken_once(version):
    first = leases.take(version.pk)
    second = leases.take(version.pk)

    assert first.attempt == again(version).attempt == 1
    assert second is None


def test_a_released_version_is_taken_again_and_nobody_died(version):
    leases.take(version.pk).release()

    assert leases.take(version.pk).deaths == 0


def test_an_attempt_that_ends_with_an_error_is_counted_apart_from_the_deaths(version):
    leases.take(version.pk).release_after_error()

    lease = leases.take(version.pk)

    assert (lease.attempt, lease.errors, lease.deaths) == (2, 1, 0)


def test_who_was_taken_over_cannot_count_an_error(version):
    old = leases.take(version.pk)
    let_lease_expire(version)
    leases.take(version.pk)

    old.release_after_error()

    assert again(version).errors == 0
    assert again(version).lease_until is not None


def test_an_expired_lease_counts_as_a_death(version):
    leases.take(version.pk)
    let_lease_expire(version)

    lease = leases.take(version.pk)

    assert (lease.attempt, lease.deaths) == (2, 1)
    assert again(version).deaths == 1


def test_a_settled_version_is_nobodys_to_take(version):
    ingest_version(version.pk)

    assert leases.take(version.pk) is None


def test_a_lease_runs_by_the_clock_of_the_database(version, settings):
    settings.LEASE_SECONDS = 60
    leases.take(version.pk)

    near = Version.objects.filter(
        pk=version.pk, lease_until__gt=Now() + timedelta(seconds=50), lease_until__lt=Now() + timedelta(seconds=70)
    )
    assert near.exists()


def test_who_was_taken_over_can_neither_write_nor_renew_nor_release(version):
    old = leases.take(version.pk)
    let_lease_expire(version)
    new = leases.take(version.pk)
    held_until = again(version).lease_until

    with pytest.raises(LeaseLost), old.writing():
        pytest.fail("entered")
    with pytest.raises(LeaseLost):
        old.renew(done=7)
    old.release()

    assert (again(version).done, again(version).lease_until) == (0, held_until)
    new.renew(done=1)
    assert again(version).done == 1


def test_a_worker_taken_over_while_it_parses_writes_nothing(version, monkeypatch):
    real = sandbox.parse

    def slow(path, *, name):
        let_lease_expire(version)
        assert leases.take(version.pk) is not None
        return real(path, name=name)

    monkeypatch.setattr(sandbox, "parse", slow)

    result = ingest_version(version.pk)

    assert result.outcome == "lost"
    assert again(version).text == ""
    assert not StageRun.objects.filter(version=version, stage="parsed").exists()


def test_a_worker_taken_over_before_it_cuts_leaves_the_index_of_the_ready_version_alone(version):
    ingest_version(version.pk)
    stale = again(version)
    Version.objects.filter(pk=version.pk).update(state="parsed", ready_at=None)
    old = leases.take(version.pk)
    let_lease_expire(version)
    ingest_version(version.pk)
    indexed = index.ids(version.document.workspace_id, embeddings.default_space())

    with pytest.raises(LeaseLost):
        cut(stale, old)

    assert indexed
    assert index.ids(version.document.workspace_id, embeddings.default_space()) == indexed


def test_a_version_deleted_while_it_is_read_is_let_go(version, monkeypatch):
    real = sandbox.parse

    def deleted_meanwhile(path, *, name):
        Version.objects.filter(pk=version.pk).update(state="deleted")
        return real(path, name=name)

    monkeypatch.setattr(sandbox, "parse", deleted_meanwhile)

    result = ingest_version(version.pk)

    assert result.outcome == "lost"
    assert (again(version).state, again(version).text, again(version).lease_until) == ("deleted", "", None)


def test_whoever_is_interrupted_lets_go_at_once(version, monkeypatch):
    def interrupt(path, *, name):
        raise KeyboardInterrupt

    monkeypatch.setattr(sandbox, "parse", interrupt)

    with pytest.raises(KeyboardInterrupt):
        ingest.ingest_version(version.pk)

    assert (again(version).lease_until, again(version).deaths) == (None, 0)
