"""`demo`: the whole idea once through, on a small company's documents, with what came of it printed."""

import textwrap
from typing import Any

from django.core.management import call_command

from answers import questions, review
from answers.models import Answer
from answers.provenance import record as provenance
from answers.reading import place_in_words
from answers.states import HELD, RELEASED, AnswerStatus
from audit import chain, context, verification
from documents.states import VersionState
from inlock.demo.questions import ACCOUNTS, QUESTIONS, DemoQuestion
from inlock.demo.seed import Seeded, seed_documents, seed_people, seed_templates
from workspaces.checks import DEMO_PASSWORD
from workspaces.commands import PortalCommand
from workspaces.dispatch import inline
from workspaces.models import User, Workspace

WIDTH = 100


class Command(PortalCommand):
    help = "Seed two workspaces, ingest, ask five questions, have one answer reviewed, verify the trail."

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-serve", action="store_true", help="end after the demo instead of opening the portal")

    def run(self, *, no_serve: bool, **options: Any) -> dict[str, Any]:
        # Everything runs in this process: the demo shows each step as it happens.
        with inline():
            seed_people()
            seed_templates()
            documents = self._documents()
            answers = [self._question(number, asked) for number, asked in enumerate(QUESTIONS, start=1)]
        trail = self._trail()
        self._closing(no_serve)
        if not no_serve and self.holds:
            call_command("serve")
        return {"documents": documents, "answers": answers, "trail": trail}

    def _documents(self) -> list[dict[str, Any]]:
        self._heading("Documents go in")
        rows = []
        for seeded in seed_documents():
            rows.append(self._document(seeded))
        return rows

    def _document(self, seeded: Seeded) -> dict[str, Any]:
        version = seeded.version
        if version.state != VersionState.READY:
            self.does_not_hold()
        lock = "  restricted" if seeded.asked.restricted_to else ""
        self.say(
            f"  {seeded.asked.workspace:<9} {version.filename:<32} {version.get_state_display():<8}"
            f" {version.page_count:>3} pages {version.passage_count:>4} passages{lock}"
        )
        if version.failure_sentence:
            self.say(f"            {version.failure_sentence}")
        return {"path": seeded.asked.path, "state": version.state, "passages": version.passage_count}

    def _question(self, number: int, asked: DemoQuestion) -> dict[str, Any]:
        asker = User.objects.get(username=asked.asked_as)
        workspace = Workspace.objects.get(slug=asked.workspace)
        self._heading(f"Question {number} · {workspace.name} · asked by the {asker.username}")
        self.say(f"  {asked.text}")
        with context.acting(asker):
            answer = questions.ask(workspace=workspace, text=asked.text, by=asker)
        answer.refresh_from_db()
        self.say(f"  → {answer.get_status_display()}")
        was_held = answer.status in HELD
        if was_held:
            self._review(answer)
            answer.refresh_from_db()
        if answer.status in RELEASED:
            self._released(answer)
        self._compare(asked, answer, was_held)
        return {"question": asked.text, "status": answer.status, "text": answer.released_text}

    def _review(self, answer: Answer) -> None:
        """The officer reads the held draft and approves it."""
        officer = User.objects.get(username="reviewer")
        with context.acting(officer):
            review.opened(answer.draft, by=officer)
            review.approve(
                answer.draft,
                by=officer,
                reason="Each sentence stands in the cited page.",
                seen_sha256=chain.digest(answer.draft.text),
            )
        self.say(
            "    The asker sees: awaiting review, and no text. The reviewer reads it beside its source and approves."
        )

    def _released(self, answer: Answer) -> None:
        self.say()
        self.say(textwrap.indent(textwrap.fill(answer.released_text, WIDTH - 4), "    "))
        self.say()
        for citation in answer.citations.select_related("document", "version").defer("version__text"):
            where = f"[{citation.number}] {citation.document.title}, {place_in_words(citation)}"
            self.say(f"    {where}  (characters {citation.start}–{citation.end})")
        record = provenance.record_of(answer)
        self.say(f"    provenance: model {answer.endpoint_label}, prompt {answer.prompt_version}")
        self.say(f"                {len(record['evidence'])} passages as evidence, policy {answer.policy}")
        self.say(f"                released text SHA-256 {answer.released_sha256[:16]}…, answer {answer.pk}")

    def _compare(self, asked: DemoQuestion, answer: Answer, was_held: bool) -> None:
        """The demo checks itself: a wrong ending or a missing citation makes it exit with 1."""
        if asked.expect == "refused_no_evidence":
            as_expected = answer.status == asked.expect
        else:
            quotes = answer.citations.filter(document__path=asked.document.partition("/")[2])
            # A PDF breaks lines where it likes, so the words count and not the white space.
            ending = AnswerStatus.ANSWERED_APPROVED if asked.expect == "held" else AnswerStatus.ANSWERED
            as_expected = answer.status == ending and was_held == (asked.expect == "held")
            as_expected = as_expected and any(asked.phrase in " ".join(c.quote.split()) for c in quotes)
        if not as_expected:
            self.does_not_hold()
            self.say(f"    NOT AS EXPECTED: {asked.expect} from {asked.document or 'no document'}")

    def _trail(self) -> list[dict[str, Any]]:
        self._heading("The trail")
        rows = []
        for name in chain.chains():
            result = verification.verify(name)
            if not result.holds:
                self.does_not_hold()
            label = name
            if name != chain.PLATFORM:
                label = Workspace.objects.get(pk=name.partition(":")[2]).slug
            verdict = "holds" if result.holds else "; ".join(fault.sentence for fault in result.faults)
            self.say(f"  {label:<10} {result.events:>5} events  {verdict}")
            rows.append({"chain": name, "events": result.events, "holds": result.holds})
        return rows

    def _closing(self, no_serve: bool) -> None:
        self._heading("The portal")
        if no_serve:
            self.say("  make run opens it on http://127.0.0.1:8000")
        self.say(f"  Sign in as {', '.join(account.username for account in ACCOUNTS)}")
        self.say(f"  with the password {DEMO_PASSWORD}")
        self.say("  Reviewers, managers, auditors and admin also have http://127.0.0.1:8000/admin/")

    def _heading(self, text: str) -> None:
        self.say()
        self.say(f"── {text} ".ljust(WIDTH, "─"))
