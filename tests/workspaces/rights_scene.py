"""What the tests of rights set up: documents without the work of ingestion, and groups of people."""

import numpy as np
from django.contrib.auth.models import Group

from documents.models import Document
from tests.documents.shelf import SPACE, put
from workspaces.models import Membership, PeopleGroup, User, Workspace


def a_ready_document(workspace: Workspace, path: str, *, restricted: bool = False) -> Document:
    """A document that answers, in no index."""
    nowhere = np.zeros((1, SPACE.dimension))
    return put(workspace, path, [f"What {path} says."], restricted=restricted, vectors=nowhere, indexed=False)


def a_group(name: str, *people: User) -> PeopleGroup:
    """A group of people with these in it."""
    group = PeopleGroup.objects.create(group=Group.objects.create(name=f"people:{name}"), name=name)
    for person in people:
        Membership.objects.create(user=person, group=group.group)
    return group
