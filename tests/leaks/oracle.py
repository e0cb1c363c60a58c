"""Who may read which canary, in sets and dictionaries: written from the words of the rules, not from the code."""

from dataclasses import dataclass, field

#: The roles that open documents, as the published table says.
OPENING = {"manager", "contributor", "reviewer", "member"}


@dataclass
class Told:
    """An answer: where it was asked, the canaries a model was given for it and the documents they stand in.

    `readers` are those for whom a reviewer declassified its text, "all" for everybody there; none where nobody did.
    """

    workspace: str
    canaries: set[str]
    documents: set[str]
    readers: set[str] = field(default_factory=set)


@dataclass
class Oracle:
    """Facts by name. `canaries` maps a document to the words of each of its versions, newest last."""

    roles: set[tuple[str, str, str]] = field(default_factory=set)  # person, workspace, role
    groups: set[tuple[str, str]] = field(default_factory=set)  # person, group
    barred: set[tuple[str, str]] = field(default_factory=set)  # holder, workspace
    glass: set[tuple[str, str]] = field(default_factory=set)  # superuser, workspace
    closed: set[str] = field(default_factory=set)  # accounts
    place: dict[str, str] = field(default_factory=dict)  # document → workspace
    canaries: dict[str, list[str]] = field(default_factory=dict)
    restricted: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    grants: set[tuple[str, str]] = field(default_factory=set)  # holder, document
    kept_out: set[tuple[str, str]] = field(default_factory=set)  # holder, document
    told: dict[str, Told] = field(default_factory=dict)  # answer → what it rests on

    def names(self, person: str) -> set[str]:
        return {person} | {group for one, group in self.groups if one == person}

    def inside(self, person: str, workspace: str) -> bool:
        """Whether the person's roles open documents there."""
        barred = any((name, workspace) in self.barred for name in self.names(person))
        return not barred and any((person, workspace, role) in self.roles for role in OPENING)

    def opens(self, person: str, document: str) -> bool:
        names, workspace = self.names(person), self.place[document]
        barred = any((name, workspace) in self.barred for name in names)
        glass = (person, workspace) in self.glass and not barred
        if person in self.closed or document in self.deleted or not (glass or self.inside(person, workspace)):
            return False
        if any((name, document) in self.kept_out for name in names):
            return False
        return glass or document not in self.restricted or any((name, document) in self.grants for name in names)

    def allowed(self, person: str) -> set[str]:
        """Every canary the person may read, old versions' too."""
        opened = {word for document in self.place if self.opens(person, document) for word in self.canaries[document]}
        return opened | self.declassified(person)

    def declassified(self, person: str) -> set[str]:
        """What the person may read although a source is closed to them: not against a never rule, nothing deleted."""
        found: set[str] = set()
        for told in self.told.values():
            names = self.names(person)
            barred = any((name, told.workspace) in self.barred for name in names)
            here = self.inside(person, told.workspace) or ((person, told.workspace) in self.glass and not barred)
            kept_out = any((name, document) in self.kept_out for name in names for document in told.documents)
            if person in self.closed or not here or kept_out or self.deleted & told.documents:
                continue
            if told.readers & {person, "all"}:
                found |= told.canaries
        return found

    def current(self, person: str, workspace: str) -> set[str]:
        """What a search there must find for the person."""
        here = [document for document, where in self.place.items() if where == workspace]
        return {self.canaries[document][-1] for document in here if self.opens(person, document)}

    def leave(self, person: str, workspace: str) -> None:
        """What the person was given by name ends with the last thing that let them use it."""
        if not self.inside(person, workspace):
            self.grants -= {(person, document) for document, where in self.place.items() if where == workspace}
            for told in self.told.values():
                told.readers -= {person} if told.workspace == workspace else set()
