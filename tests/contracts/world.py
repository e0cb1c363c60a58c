"""Two workspaces with one of everything that an address or a form can name, and who may do what with it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from answers.access import declassification
from answers.endpoints import built_in
from answers.evaluation import sets
from answers.evaluation.sets import Case
from answers.models import (
    Answer,
    ApprovedAnswer,
    Assessment,
    Budget,
    Clarification,
    Conversation,
    Draft,
    EvaluationRun,
    Examination,
    ExaminationState,
    Finding,
    FindingsQuestion,
    FineTuningJob,
    Gap,
    GapCause,
    GapQuestion,
    GateCandidate,
    GroundLost,
    ModelEndpoint,
    Question,
    QuestionSet,
    RagTemplate,
    SavedView,
    Suspension,
    TemplatePreview,
    TemplateVersion,
    TrainingExample,
    TrainingFlag,
    TrainingSet,
)
from answers.rag_templates import content, keeping
from answers.review import approve, edit, return_for_changes
from answers.states import AnswerStatus
from audit import context
from audit.chain import digest
from documents import library
from documents.access import bars as document_bars
from documents.access import restriction
from documents.deletion import holds
from documents.embedding.spaces import of_endpoint, row_of
from documents.embeddings import default_space
from documents.folders import keeping as folders
from documents.models import (
    Deletion,
    Document,
    DocumentBar,
    EmbeddingEndpoint,
    Folder,
    LegalHold,
    RerankEndpoint,
    RunKind,
    RunState,
    Source,
    SourceRun,
    SpaceComparison,
    SpaceMigration,
    Version,
)
from documents.states import VersionState
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer
from tests.contracts import training
from workspaces import claim_rules, custom_roles, groups, members
from workspaces.access_review import reviewing as access_review
from workspaces.bars import rules as bars
from workspaces.models import (
    AccessReview,
    AccessReviewLine,
    ApiToken,
    ClaimRule,
    CustomRole,
    Notification,
    PeopleGroup,
    ReadinessRun,
    RoleBar,
    User,
    Workspace,
)
from workspaces.notifications.registry import Kind
from workspaces.roles import Action, Role
from workspaces.tokens import keeping as tokens

PASSWORD = "correct-horse-battery-staple"
FEED = "https://docs.example/api/documents"
#: Everybody who tries: one person for each role, and those outside of them.
ROLES = tuple(role.value for role in Role)
VISITORS = (*ROLES, "admin", "superuser", "stranger")
#: One for all browsers: each would make its middleware anew.
_PORTAL = ClientHandler(enforce_csrf_checks=False)


@dataclass
class Shelf:
    """One workspace with one of everything; its people are called after their roles, with `prefix` before."""

    workspace: Workspace
    person: User
    document: Document
    restricted: Document
    failed: Version
    bar: RoleBar
    document_bar: DocumentBar
    review: AccessReview
    line: AccessReviewLine
    draft: Draft
    returned: Draft
    #: What the asker of the returned draft is asked.
    asked: Clarification
    released: Answer
    declassified: Answer
    #: Closed because its first document is over.
    suspended: Answer
    #: What the asker was told of.
    notice: Notification
    waiting: Answer
    #: Of the asker's, which the waiting answer belongs to.
    conversation: Conversation
    token: ApiToken
    source: Source
    #: With a document in it.
    folder: Folder
    #: A look at the source that wants to delete something.
    held_run: SourceRun
    #: A document in the bin, with a hold on it, one that was erased and is not proven yet, and one that is.
    binned: Deletion
    hold: LegalHold
    deletion: Deletion
    proven: Deletion
    #: A change of the embedding model that was estimated, and a comparison that was made once.
    migration: SpaceMigration
    comparison: SpaceComparison
    #: The reviewer's own, of the review queue.
    view: SavedView
    #: Of the asker's: without evidence and in no gap; gaps, the first with two questions; an answer given again.
    unanswered: Answer
    gap: Gap
    gap_question: GapQuestion
    other_gap: Gap
    approved: ApprovedAnswer
    #: A template that is switched on, its second version, which is not in force, and the manager's preview.
    rag_template: RagTemplate
    template_version: TemplateVersion
    preview: TemplatePreview
    #: Drafts the asker brought: one with a finding they may decide on, one whose findings wait for a reviewer, and one
    #: about which a reviewer asked something.
    examination: Examination
    finding: Finding
    held_examination: Examination
    held_finding: Finding
    returned_examination: Examination
    findings_question: FindingsQuestion
    #: A check that came out as a go, with a report.
    readiness: ReadinessRun
    #: The manager's questions, of which two have to be refused, a run of them that waits, and a proposed model.
    question_set: QuestionSet
    evaluation: EvaluationRun
    candidate: GateCandidate
    #: Of fine-tuning: a set to look through with one of its examples, and a sealed one with its training and a flag.
    assessment: Assessment
    training_set: TrainingSet
    example: TrainingExample
    tuning_job: FineTuningJob
    training_flag: TrainingFlag
    #: More than anything here costs.
    budget: Budget
    #: One of the asker's, which is not the one they act in.
    session: UserSession | None = None


@dataclass
class World:
    """What a contract test can name."""

    people: dict[str, User]
    own: Shelf
    elsewhere: Shelf
    #: Of the whole installation, so that there is no other one of another workspace.
    group: PeopleGroup
    role: CustomRole
    rule: ClaimRule
    endpoint: ModelEndpoint
    switched_off: ModelEndpoint
    built_in: ModelEndpoint
    embedding: EmbeddingEndpoint
    reranker: RerankEndpoint
    #: What a browser was shown and has to send back.
    shown: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def client(self, who: str | None) -> Client:
        """A browser in which `who` is signed in (None: nobody); what it does leaves the others alone."""
        client = Client(raise_request_exception=False)
        client.handler = _PORTAL
        if who is not None:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[who]
        return client

    def sign_in(self) -> None:
        """Begin the session in which each person acts in every test."""
        for who, user in self.people.items():
            self.cookies[who] = _session_of(user)
        for shelf in (self.own, self.elsewhere):
            shelf.session = UserSession.objects.create(
                user=shelf.person, session_key=_session_of(shelf.person), ip="127.0.0.1", user_agent="Another browser"
            )

    def find(self, name: str, *, elsewhere: bool = False) -> Any:
        """The thing called `name`: on the own shelf or the other, else of the installation or a person."""
        shelf = self.elsewhere if elsewhere else self.own
        if hasattr(shelf, name):
            return getattr(shelf, name)
        return getattr(self, name) if hasattr(self, name) else self.people[name]

    def is_local(self, name: str) -> bool:
        """Whether another workspace has one of these too."""
        return hasattr(self.own, name)


@dataclass(frozen=True)
class One:
    """A thing of the world in an address or a form, by its name; `spelled` says how a request writes it."""

    name: str
    spelled: Callable[[Any], Any] = lambda thing: thing.pk

    def written(self, world: World, *, elsewhere: bool = False) -> str:
        return str(self.spelled(world.find(self.name, elsewhere=elsewhere)))


def _session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def build() -> World:
    """Make all of it; the caller holds the transaction."""
    people = {who: members.create_user(username=who, password=PASSWORD, by=None) for who in VISITORS}
    members.set_platform_administrator(people["admin"], by=None)
    people["superuser"].is_superuser = True
    people["superuser"].save(update_fields=["is_superuser"])
    # Reviewers beside the one who acts, so that what they edit or return is not left without anybody to decide.
    for who in ("second-reviewer", "reader", "newcomer"):
        people[who] = members.create_user(username=who, password=PASSWORD, by=None)
    group = groups.create_group(name="Finance", by=None)
    groups.add_to_group(group, people["reader"], by=None)
    own = _shelf("policies", people, group)
    others = {f"other-{role}": members.create_user(username=f"other-{role}", by=None) for role in ROLES}
    others["other-second-reviewer"] = members.create_user(username="other-second-reviewer", by=None)
    others["other-reader"] = members.create_user(username="other-reader", by=None)
    elsewhere = _shelf("elsewhere", {name.removeprefix("other-"): user for name, user in others.items()}, group)
    endpoint, switched_off = (
        ModelEndpoint.objects.create(
            name=name,
            kind="openai",
            model="m",
            base_url="http://127.0.0.1:9/v1",
            state=state,
            approved_at=timezone.now(),
        )
        for name, state in (("local", "approved"), ("switched-off", "retired"))
    )
    role = custom_roles.create_role(
        code="librarian", name="Librarian", purpose="Reads.", actions=["open_documents"], by=None
    )
    rule = claim_rules.add_rule(
        provider=settings.OIDC_PROVIDER, claim="staff", workspace=None, role="", people_group=group, by=None
    )
    world = World(
        people | others,
        own,
        elsewhere,
        group,
        role,
        rule,
        endpoint,
        switched_off,
        built_in(),
        EmbeddingEndpoint.objects.get(),
        RerankEndpoint.objects.create(
            name="judge", base_url="http://127.0.0.1:9/v1", state="approved", approved_at=timezone.now()
        ),
    )
    world.sign_in()
    return world


def _shelf(slug: str, people: dict[str, User], group: PeopleGroup) -> Shelf:
    manager, reviewer, asker = people["manager"], people["reviewer"], people["member"]
    workspace = members.create_workspace(slug=slug, name=slug.capitalize(), policy="review", by=None)
    for role in ROLES:
        members.add_member(workspace, people[role], role, by=None)
    members.add_member(workspace, people["second-reviewer"], Role.REVIEWER, by=None)
    members.add_member(workspace, people["reader"], Role.MEMBER, by=None)
    versions = [
        a_document(workspace, title=f"{slug} {n}", text=f"Before.\n{clause}\nAfter.")
        for n, clause in enumerate(CLAUSES)
    ]
    closed = a_document(workspace, title=f"{slug} closed", text="Nothing for everybody.").document
    restriction.restrict(closed, by=manager)
    restriction.grant(closed, asker, by=manager)
    failed = _failed(a_document(workspace, title=f"{slug} broken", text="Nothing."))
    folder = folders.create(workspace, "Filed", by=manager)
    folders.move(versions[1].document, folder, by=manager)
    return Shelf(
        workspace=workspace,
        person=asker,
        document=versions[0].document,
        restricted=closed,
        failed=failed,
        bar=bars.bar(workspace, people["auditor"], role=Role.REVIEWER, reason="Audits it.", by=None),
        document_bar=document_bars.bar(versions[1].document, people["contributor"], reason="Too close.", by=manager),
        review=(review := access_review.start(workspace, by=manager)),
        line=review.lines.get(user=asker, code=Role.MEMBER),
        draft=a_held_answer(workspace, asker, versions=versions),
        returned=(returned := _returned(workspace, asker, versions, reviewer, people["second-reviewer"])),
        asked=Clarification.objects.get(review__draft=returned),
        released=_released(workspace, asker, versions, reviewer),
        declassified=_declassified(workspace, asker, versions, reviewer),
        suspended=(closed_now := _suspended(_released(workspace, asker, versions, reviewer), versions[0].document)),
        notice=_notice(closed_now, asker),
        waiting=(waiting := _waiting(workspace, asker)),
        conversation=waiting.question.conversation,
        source=(source := _source(workspace, manager)),
        held_run=_held_run(source),
        migration=(migration := _migration(workspace, manager)),
        comparison=SpaceComparison.objects.create(
            migration=migration, kind="set", state="done", asked_by=manager, ended_at=timezone.now()
        ),
        folder=folder,
        view=SavedView.objects.create(owner=reviewer, name="Mine", filters={"desk": "mine"}),
        unanswered=_unanswered(workspace, asker),
        gap=(gap := _gap(workspace, asker, 2)),
        gap_question=gap.questions.first(),
        other_gap=_gap(workspace, asker, 1),
        readiness=_checked(workspace),
        question_set=(question_set := _questions(workspace, manager)),
        evaluation=EvaluationRun.objects.create(
            workspace=workspace,
            question_set=question_set,
            set_version=question_set.version,
            cases_sha256="0" * 64,
            case_count=2,
            started_by=manager,
        ),
        candidate=(candidate := _proposed(workspace, manager)),
        assessment=(trained := training.make(workspace, manager, asker, candidate)).assessment,
        training_set=trained.training_set,
        example=trained.example,
        tuning_job=trained.job,
        training_flag=trained.flag,
        budget=Budget.objects.create(workspace=workspace, month_tokens=10**9),
        rag_template=(template := _template(workspace, manager)),
        template_version=template.versions.first(),
        preview=TemplatePreview.objects.create(
            workspace=workspace,
            candidate=template.current,
            questions=["How can we end it?"],
            state="done",
            asked_by=manager,
            ended_at=timezone.now(),
        ),
        approved=_given_again(_released(workspace, asker, versions, reviewer)),
        examination=(examined := _examined(workspace, asker, ExaminationState.RELEASED)),
        finding=examined.findings.first(),
        held_examination=(held := _examined(workspace, asker, ExaminationState.HELD)),
        held_finding=held.findings.first(),
        returned_examination=(returned := _examined(workspace, asker, ExaminationState.RETURNED)),
        findings_question=FindingsQuestion.objects.create(
            examination=returned, round=1, position=1, text="Which office?", asked_by=reviewer, asked_at=timezone.now()
        ),
        binned=(binned := _deleted(workspace, manager, f"{slug} binned")),
        hold=holds.place(workspace, binned.document, by=manager, reason="Case 11."),
        deletion=_erased(_deleted(workspace, manager, f"{slug} erased")),
        proven=_erased(_deleted(workspace, manager, f"{slug} proven"), receipt='{"signed": {}}'),
        token=tokens.create(by=asker, name="A program", workspaces=[workspace], actions=[Action.ASK])[0],
    )


def _deleted(workspace: Workspace, manager: User, title: str) -> Deletion:
    document = a_document(workspace, title=title, text="What is no longer needed.").document
    return library.delete(document, by=manager).deletion


def _erased(deletion: Deletion, *, receipt: str = "") -> Deletion:
    deletion.begun_at = deletion.erased_at = deletion.searched_at = timezone.now()
    if receipt:
        deletion.search = {"places": [], "probes": {"phrases": 1, "parts": 0, "vectors": 1}}
        deletion.receipt, deletion.receipt_issued_at = receipt, timezone.now()
    deletion.save()
    return deletion


def _unanswered(workspace: Workspace, asker: User) -> Answer:
    question = Question.objects.create(workspace=workspace, asked_by=asker, text="Who ends it?", language="en")
    return Answer.objects.create(
        question=question, workspace=workspace, asked_by=asker, status=AnswerStatus.REFUSED_NO_EVIDENCE
    )


def _examined(workspace: Workspace, asker: User, state: ExaminationState) -> Examination:
    made = Examination.objects.create(
        workspace=workspace,
        asked_by=asker,
        title="Notice",
        text="Notice is 30 days.",
        text_sha256=digest("Notice is 30 days."),
        state=state,
        examined_at=timezone.now(),
        findings_sha256=digest("findings"),
    )
    Finding.objects.create(
        examination=made,
        severity="major",
        category="conflict",
        start=10,
        end=17,
        explanation="Sixty elsewhere.",
        suggestion="60 days",
    )
    return made


def _gap(workspace: Workspace, asker: User, questions: int) -> Gap:
    gap = Gap.objects.create(workspace=workspace)
    for _each in range(questions):
        GapQuestion.objects.create(
            gap=gap, answer=_unanswered(workspace, asker), asker=asker, cause=GapCause.NO_EVIDENCE
        )
    return gap


def _questions(workspace: Workspace, manager: User) -> QuestionSet:
    made = sets.create(workspace, name="Everyday", by=manager)
    cases = [Case(f"Who is behind door {code}?", code, must_refuse=True) for code in ("one", "two")]
    return sets.put(made, cases, by=manager)


def _proposed(workspace: Workspace, manager: User) -> GateCandidate:
    """Another model beside the gate, which is off: other acts of the table change what answers here."""
    model = ModelEndpoint.objects.get_or_create(
        name="proposed", kind="extractive", defaults={"state": "approved", "approved_at": timezone.now()}
    )[0]
    return GateCandidate.objects.create(
        workspace=workspace, kind="model", target=str(model.pk), label=model.name, proposed_by=manager
    )


def _given_again(answer: Answer) -> ApprovedAnswer:
    return ApprovedAnswer.objects.create(
        answer=answer,
        workspace=answer.workspace,
        verified_at=answer.released_at,
        verified_by=answer.released_by,
        expires_at=timezone.now() + timedelta(days=90),
    )


def _source(workspace: Workspace, manager: User) -> Source:
    return Source.objects.create(
        workspace=workspace,
        name="Feed",
        kind="feed",
        folder="Feed",
        options={"url": FEED},
        owner=manager,
        created_by=manager,
    )


def _held_run(source: Source) -> SourceRun:
    ended = timezone.now()
    return SourceRun.objects.create(
        source=source, kind=RunKind.SYNC, state=RunState.HELD, held=1, started_at=ended, ended_at=ended
    )


def _migration(workspace: Workspace, manager: User) -> SpaceMigration:
    endpoint, _made = EmbeddingEndpoint.objects.get_or_create(
        name="vectors", defaults={"base_url": "http://127.0.0.1:9/v1", "model": "m", "dimension": 8}
    )
    return SpaceMigration.objects.create(
        workspace=workspace,
        source=row_of(default_space()),
        target=row_of(of_endpoint(endpoint)),
        planned_by=manager,
        estimate={"seconds": 1, "passages": 0, "to_embed": 0, "tokens": 0, "bytes": 0},
    )


def _failed(version: Version) -> Version:
    Document.objects.filter(pk=version.document_id).update(current_version=None)
    version.state, version.ready_at, version.failure_sentence = VersionState.FAILED, None, "It is damaged."
    version.save()
    return version


def _returned(workspace: Workspace, asker: User, versions: list[Version], editor: User, other: User) -> Draft:
    draft = a_held_answer(workspace, asker, versions=versions, question="What was returned?")
    asked = ["Which agreement do you mean?"]
    return_for_changes(draft, by=other, reason="Too long.", seen_sha256=digest(draft.text), questions=asked)
    draft.refresh_from_db()
    return edit(draft, text=f"{CLAUSES[0]} [1]", by=editor, reason="Shorter.")


def _released(workspace: Workspace, asker: User, versions: list[Version], reviewer: User) -> Answer:
    draft = a_held_answer(workspace, asker, versions=versions, question="What was released?")
    with context.acting(reviewer):
        approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return Answer.objects.get(pk=draft.answer_id)


def _suspended(answer: Answer, document: Document) -> Answer:
    Suspension.objects.create(
        answer=answer, document=document, reason=GroundLost.EXPIRED, status_before=answer.status, suspended_by=None
    )
    answer.status = AnswerStatus.SUSPENDED
    answer.save(update_fields=["status"])
    return answer


def _notice(answer: Answer, asker: User) -> Notification:
    return Notification.objects.create(
        person=asker,
        kind=Kind.ANSWER_SUSPENDED,
        workspace=answer.workspace,
        about_type="answers.answer",
        about_id=answer.pk,
    )


def _declassified(workspace: Workspace, asker: User, versions: list[Version], reviewer: User) -> Answer:
    answer = _released(workspace, asker, versions, reviewer)
    declassification.declassify(answer, by=reviewer, reason="It is printed in the paper.")
    return answer


def _template(workspace: Workspace, manager: User) -> RagTemplate:
    template = keeping.adopt(workspace, "policy_lookup", by=manager)
    keeping.save(template, replace(content.of(template.current), passages=3), by=manager)
    return template


def _checked(workspace: Workspace) -> ReadinessRun:
    return ReadinessRun.objects.create(
        workspace=workspace, cause="operator", state="done", is_go=True, score=90, ended_at=timezone.now(), report="{}"
    )


def _waiting(workspace: Workspace, asker: User) -> Answer:
    thread = Conversation.objects.create(workspace=workspace, started_by=asker)
    question = Question.objects.create(
        workspace=workspace, asked_by=asker, text="What waits?", language="en", conversation=thread
    )
    return Answer.objects.create(
        question=question, workspace=workspace, asked_by=asker, policy="open", status=AnswerStatus.WAITING
    )
