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
        return held.state == "waiting" and self.decides(person, held) and person not in held.approvals

    def approve(self, person: str, held: Held) -> None:
        """What an approval does: the first of two waits, unless who gave it could not review by now."""
        standing = [one for one in held.approvals if self.reviews(one, held)]
        if self.guarded.intersection(held.sources) and not standing:
            held.approvals = [person]
            return
        held.state, held.released, held.approvals = "released", held.text, [*standing, person]

    def edit(self, person: str, held: Held, text: str) -> None:
        held.text, held.approvals = text, []
        held.editors.add(person)

    def look_again(self, held: Held, *, for_good: bool) -> None:
        """What was let out is no longer: it waits for another approval, or for none."""
        held.state, held.released, held.approvals = "ended" if for_good else "waiting", "", []

    def shown_to(self, person: str, held: Held) -> str:
        """What the person may read of it at most, without a declassification."""
        return held.released if self.opens_all(person, held) else ""
