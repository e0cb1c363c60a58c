"""P15: data goes only to the addresses that were configured; with a model on this machine, nowhere."""

import pytest

pytestmark = [pytest.mark.xdist_group("watched"), pytest.mark.timeout(400)]

#: Our engines and the model of this run; the name is what the browser of the run asked for.
CONFIGURED = {"unix", "127.0.0.1", "::1", "localhost"}


def test_upload_ask_review_and_export_contact_nobody_but_engines_and_model(watched):
    assert watched.contacts - CONFIGURED == set()


def test_the_recorder_sees_the_contacts_that_there_were(watched):
    """The counter-proof: the broker's socket, and the loopback addresses of vector server and model."""
    assert {"unix", "127.0.0.1"} <= watched.contacts
