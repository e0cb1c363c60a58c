"""Who may let which text out, in sets and dictionaries: written from the words of the rules, not from the code."""

from dataclasses import dataclass, field


@dataclass
class Held:
    """One answer under review as people speak of it. `approvals` are those of exactly `text`."""

    asker: str
    sources: tuple[str, ...]
    text: str
    state: str = "waiting"  # "waiting" "returned" "released" "ended"
    editors: set[str] = field(default_factory=set)
    approvals: list[str] = field(default_factory=list)
    #: Everything that two people, or the one it took, ever let out: what may be shown.
    released: str = ""
    #: Sources that were replaced or raised since it was let out, and nobody found that it still stands.
    closed: set[str] = field(default_factory=set)
    #: Whether it was let out, or confirmed, under a source that takes two: raising another changes nothing then.
    was_guarded: bool = False


@dataclass
class ApprovalOracle:
    """Facts by name."""

    reviewers: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    barred: set[str] = field(default_factory=set)  # from the workspace
    grants: set[tuple[str, str]] = field(default_factory=set)  # person, restricted document
    kept_out: set[tuple[str, str]] = field(default_factory=set)  # person, document
    guarded: set[str] = field(default_factory=set)  # documents that take two approvers
    deleted: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)  # documents that no longer say what was cited
    answers: list[Held] = field(default_factory=list)

    def is_here(self, person: str) -> bool:
        return person in self.members | self.reviewers and person not in self.barred

    def opens_all(self, person: str, held: Held) -> bool:
        closed = [one for one in held.sources if (person, one) not in self.grants or (person, one) in self.kept_out]
        return self.is_here(person) and not closed and not self.deleted.intersection(held.sources)

    def reviews(self, person: str, held: Held) -> bool:
        """Holds the role now, may open every source, and did not ask."""
        return person in self.reviewers and person != held.asker and self.opens_all(person, held)

    def decides(self, person: str, held: Held) -> bool:
        return self.reviews(person, held) and person not in held.editors

    def approves(self, person: str, held: Held) -> bool:
        asked = held.state == "waiting" and self.silent.isdisjoint(held.sources)
        return asked and self.decides(person, held) and person not in held.approvals

    def confirms(self, person: str, held: Held) -> bool:
        """Finds alone that it stands: as who lets it out, where one is enough and every quote is still there."""
        alone = self.guarded.isdisjoint(held.sources) and self.silent.isdisjoint(held.sources)
        return bool(held.closed) and alone and self.decides(person, held)

    def approve(self, person: str, held: Held) -> None:
        """What an approval does: the first of two waits, unless who gave it could not review by now."""
        standing = [one for one in held.approvals if self.reviews(one, held)]
        if self.guarded.intersection(held.sources) and not standing:
            held.approvals = [person]
            return
        held.state, held.released, held.approvals = "released", held.text, [*standing, person]
        held.was_guarded = not self.guarded.isdisjoint(held.sources)

    def edit(self, person: str, held: Held, text: str) -> None:
        held.text, held.approvals = text, []
        held.editors.add(person)

    def look_again(self, held: Held, *, for_good: bool) -> None:
        """What was let out is no longer: it waits for another approval, or for none."""
        held.state, held.released, held.approvals = "ended" if for_good else "waiting", "", []
        held.closed = set()

    def replace(self, document: str, *, says_so: bool) -> None:
        """Another version answers: what was let out with the old one is closed."""
        (self.silent.discard if says_so else self.silent.add)(document)
        for held in self.answers:
            if held.released and document in held.sources:
                held.closed.add(document)

    def guard(self, document: str) -> None:
        """The document is raised to where two approve, or lowered again."""
        self.guarded ^= {document}
        for held in self.answers if document in self.guarded else ():
            if held.released and document in held.sources and not held.was_guarded:
                held.closed.add(document)

    def confirm(self, held: Held) -> None:
        """It is read again; who confirms does so alone, so nothing of it is guarded."""
        held.closed, held.was_guarded = set(), False

    def shown_to(self, person: str, held: Held) -> str:
        """What the person may read of it at most, without a declassification."""
        return held.released if self.opens_all(person, held) and not held.closed else ""
