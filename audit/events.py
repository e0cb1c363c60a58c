"""The vocabulary of the audit trail: every event type with one line of meaning.

A code is permanent once it was written to a chain; its wording may change.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventType(models.TextChoices):
    """What happened. An entry of any other type is refused."""

    # workspaces and people
    USER_CREATED = "user.created", _("An account was created.")
    USER_SIGNED_IN = "user.signed_in", _("A person signed in.")
    USER_SIGNED_OUT = "user.signed_out", _("A person signed out.")
    SIGN_IN_FAILED = "user.sign_in_failed", _("A sign-in was refused.")
    SIGN_IN_THROTTLED = "user.sign_in_throttled", _("Sign-ins were held back after too many failed attempts.")
    SESSION_ENDED = "user.session_ended", _("A session of a person was ended from another one.")
    FACTOR_ADDED = "user.factor_added", _("A person added a second factor.")
    FACTOR_REMOVED = "user.factor_removed", _("A second factor of a person was removed.")
    SECRETS_RESEALED = "platform.secrets_resealed", _("Stored secrets were sealed with the newest key.")
    POLICY_CHANGED = "platform.policy_changed", _("A rule of the whole installation was changed.")
    PROVIDER_LINKED = "user.provider_linked", _("A person linked their account to an identity of the provider.")
    PROVIDER_UNLINKED = "user.provider_unlinked", _("A person ended the link to the provider, with all it had given.")
    PROVIDER_SIGNED_OUT = "user.provider_signed_out", _("The identity provider ended sessions of a person.")
    PROVIDER_SIGN_OUT_REFUSED = (
        "user.provider_sign_out_refused",
        _("A message that wanted to end sessions in the identity provider's name was refused."),
    )
    EMERGENCY_SIGN_IN = "user.emergency_sign_in", _("The emergency account signed in beside the identity provider.")
    RECOVERY_CODE_USED = "user.recovery_code_used", _("A person signed in with a recovery code, which is spent now.")
    PROVIDER_VOUCHED = (
        "user.provider_vouched",
        _("An identity provider vouched for a person, and its groups were applied."),
    )
    USER_CHANGED = "user.changed", _("An account was changed.")
    TOKEN_CREATED = "token.created", _("A person made an API token.")
    TOKEN_USED = "token.first_used", _("An API token was used for the first time.")
    TOKEN_REVOKED = "token.revoked", _("An API token was revoked.")
    TOKEN_REFUSED = "token.refused", _("An API token was refused.")
    WORKSPACE_CREATED = "workspace.created", _("A workspace was created.")
    WORKSPACE_CHANGED = "workspace.changed", _("A workspace's settings were changed.")
    MEMBER_ADDED = "member.added", _("A person was given a role.")
    MEMBER_REMOVED = "member.removed", _("A role was taken from a person.")
    ACCESS_DENIED = "access.denied", _("An act was refused for want of a right.")
    GLASS_BROKEN = "access.glass_broken", _("A superuser stated why they will use rights without a role.")
    GLASS_ENDED = "access.glass_ended", _("A superuser's use of rights without a role was ended.")
    BREAK_GLASS = "access.break_glass", _("A superuser used a right without holding a role.")
    RIGHTS_READ = "access.rights_read", _("Somebody looked up who may open something, or what a person may see.")
    BARRED = "access.barred", _("A never rule was made: somebody is kept out whatever else lets them in.")
    BAR_LIFTED = "access.bar_lifted", _("A never rule was lifted.")

    # readiness
    READINESS_ASKED = "readiness.asked", _("Somebody had a workspace's readiness checked.")
    READINESS_CHECKED = "readiness.checked", _("A workspace's readiness was checked, and is a go or not.")
    READINESS_GIVEN_UP = "readiness.given_up", _("A readiness check came to no verdict: its workers went away.")
    READINESS_REPORT_TAKEN = "readiness.report_taken", _("Somebody took the signed report of a workspace's readiness.")
    GO_LAPSED = "readiness.go_lapsed", _("A workspace in use was found to have no go any more.")
    PHASE_CHANGED = "workspace.phase_changed", _("A workspace went into pilot, live or back to being set up.")

    # groups of people, roles of this installation, access reviews, views as another
    GROUP_CREATED = "group.created", _("A group of people was created.")
    GROUP_CHANGED = "group.changed", _("A group of people was renamed or described anew.")
    GROUP_DELETED = "group.deleted", _("A group of people was deleted, with the grants and bars it had.")
    GROUP_MEMBER_ADDED = "group.member_added", _("A person was put into a group.")
    GROUP_MEMBER_REMOVED = "group.member_removed", _("A person was taken out of a group.")
    CLAIM_RULE_ADDED = (
        "claim_rule.added",
        _("A rule was made that gives a provider's group a role or a place in a group."),
    )
    CLAIM_RULE_REMOVED = "claim_rule.removed", _("A rule over a provider's groups was removed, with all it had given.")
    ROLE_CREATED = "role.created", _("A role of this installation was created.")
    ROLE_CHANGED = "role.changed", _("A role of this installation was changed, in every workspace at once.")
    ROLE_RETIRED = "role.retired", _("A role of this installation was retired and taken from everybody.")
    ACCESS_REVIEW_STARTED = "access_review.started", _("An access review of a workspace was started.")
    ACCESS_REVIEW_EXTENDED = (
        "access_review.extended",
        _("Rights given since an access review began were put into it."),
    )
    ACCESS_REVIEW_DECIDED = "access_review.decided", _("Rights under review were decided on.")
    ACCESS_REVIEW_SIGNED = "access_review.signed", _("An access review was signed and its removals carried out.")
    VIEW_AS_STARTED = "view_as.started", _("An administrator began to see the portal as another person.")
    VIEW_AS_ENDED = "view_as.ended", _("An administrator stopped seeing the portal as another person.")

    # documents
    DOCUMENT_ADDED = "document.added", _("A document was added.")
    VERSION_RECEIVED = "version.received", _("New bytes of a document were received.")
    VERSION_READY = "version.ready", _("A version became ready and is now the one that answers.")
    VERSION_FAILED = "version.failed", _("A version could not be ingested.")
    VERSION_QUARANTINED = (
        "version.quarantined",
        _("A version was set aside because it kept ending its worker."),
    )
    VERSION_RETRIED = "version.retried", _("A failed version was sent through ingestion again.")
    DOCUMENT_DELETED = "document.deleted", _("A document was deleted.")
    DOCUMENT_ERASED = "document.erased", _("A deleted document's passages, vectors and files were erased.")
    DOCUMENT_RESTORED = "document.restored", _("A deleted document was taken out of the bin.")
    VERSION_DELETED = "version.deleted", _("A former version was deleted, and the document stays.")
    ERASURE_BEGUN = (
        "document.erasure_begun",
        _("The erasure of what was deleted began: it can no longer be restored or held."),
    )
    TRACES_SEARCHED = (
        "document.traces_searched",
        _("What was erased was looked for in every place where something of it could still be."),
    )
    TRACES_SEARCH_ASKED = "document.traces_search_asked", _("A person had what was erased looked for once more.")
    ERASURE_RECEIPTED = (
        "document.erasure_receipted",
        _("Nothing erased was found any more, and a signed receipt of the deletion was issued."),
    )
    ERASURE_RECEIPT_TAKEN = "document.erasure_receipt_taken", _("A person took the signed receipt of a deletion away.")
    HOLD_PLACED = "hold.placed", _("A legal hold was placed: nothing under it is deleted or erased.")
    HOLD_LIFTED = "hold.lifted", _("A legal hold was lifted.")
    RETENTION_CHANGED = "retention.changed", _("How long a workspace keeps its documents was changed.")
    DOCUMENT_RESTRICTED = "document.restricted", _("A document was restricted to named people.")
    DOCUMENT_UNRESTRICTED = "document.unrestricted", _("A document was opened to its workspace.")
    DOCUMENT_GRANTED = "document.granted", _("A person was granted a restricted document.")
    DOCUMENT_REVOKED = "document.revoked", _("A person's grant on a restricted document was taken back.")
    DOCUMENT_CLASSIFIED = "document.classified", _("A document's classification was changed.")
    DOCUMENT_USAGE_STATED = "document.usage_stated", _("What the usage rights in a document allow was stated.")
    DOCUMENT_OWNER_CHANGED = "document.owner_changed", _("Who keeps a document current was changed.")
    DOCUMENT_VALIDITY_CHANGED = "document.validity_changed", _("How long a document holds was changed.")
    DOCUMENT_REVIEW_SET = "document.review_set", _("When a document is to be reviewed was changed.")
    DOCUMENT_REVIEW_DUE = "document.review_due", _("The day came on which a document is to be reviewed.")
    DOCUMENT_CONFIRMED = "document.confirmed", _("A document was looked through and found still good.")
    DOCUMENT_EXPIRED = "document.expired", _("The last valid day of a document is over.")
    DOCUMENT_TAGS_CHANGED = "document.tags_changed", _("A document's tags were changed.")
    DOCUMENT_MOVED = "document.moved", _("A document was moved to another folder.")
    FOLDER_CREATED = "folder.created", _("A folder for documents was made.")
    FOLDER_RENAMED = "folder.renamed", _("A folder was given another name.")
    FOLDER_REMOVED = "folder.removed", _("A folder was removed; what lay in it lies one level above now.")
    BULK_ASKED = "documents.bulk_asked", _("A person asked for one act on several documents; each has its own entry.")
    BULK_ENDED = "documents.bulk_ended", _("One act on several documents ended, with how many were changed and not.")
    COVERAGE_EXPORTED = "documents.coverage_exported", _("The figures about a workspace's documents were downloaded.")
    DOCUMENT_OPENED = "document.opened", _("A person read a document.")
    VERSIONS_COMPARED = "document.compared", _("A person read what changed between two versions of a document.")
    ORIGINAL_DOWNLOADED = "document.downloaded", _("A person downloaded a document's original file.")
    ORIGINALS_REMOVED = (
        "originals.removed",
        _("Stored files that no document had, left by a process that died, were removed."),
    )
    INDEX_CHECKED = "index.checked", _("A workspace's search index was compared with the database, and mended.")
    INDEX_DAMAGED = (
        "index.damaged",
        _("A workspace's vector index was found damaged, and was emptied to be made anew."),
    )
    ENGINE_SET_ASIDE = (
        "engine.set_aside",
        _("Files of the vector index that kept ending its server were set aside, and it began with empty ones."),
    )
    INDEX_REBUILT = "index.rebuilt", _("A workspace's search index was rebuilt from the database.")

    EMBEDDING_PLANNED = (
        "embedding.planned",
        _("What a change of a workspace's embedding model would take was estimated."),
    )
    EMBEDDING_STARTED = "embedding.started", _("Vectors of another embedding model began to be made, or went on.")
    EMBEDDING_PAUSED = "embedding.paused", _("The making of another embedding model's vectors was paused.")
    EMBEDDING_STOPPED = "embedding.stopped", _("A change of the embedding model was stopped by an error or a rule.")
    EMBEDDING_BUILT = "embedding.built", _("Every passage has its vector of the other embedding model.")
    EMBEDDING_COMPARE_ASKED = "embedding.compare_asked", _("A comparison of two embedding models was asked for.")
    EMBEDDING_COMPARED = "embedding.compared", _("What two embedding models find for the same questions was compared.")
    EMBEDDING_SWITCHED = "embedding.switched", _("A workspace is searched with another embedding model now.")
    EMBEDDING_ROLLED_BACK = (
        "embedding.rolled_back",
        _("A workspace is searched with the embedding model it had before again."),
    )
    EMBEDDING_CANCELLED = "embedding.cancelled", _("A change of the embedding model was given up.")
    EMBEDDING_DROP_CONFIRMED = "embedding.drop_confirmed", _("Somebody confirmed that unused vectors may be removed.")
    EMBEDDING_DROPPED = "embedding.dropped", _("Unused vectors of an embedding model were removed.")

    SOURCE_CREATED = "source.created", _("A source of documents was set up.")
    SOURCE_CHANGED = "source.changed", _("A source of documents was changed.")
    SOURCE_PAUSED = "source.paused", _("A person kept a source's schedule from starting runs.")
    SOURCE_RESUMED = "source.resumed", _("A person let a source's schedule start runs again.")
    SOURCE_DELETED = "source.deleted", _("A source was taken away; the documents it brought stay.")
    SOURCE_RUN_ASKED = "source.run_asked", _("A test, preview or sync of a source was asked for.")
    SOURCE_RUN_ENDED = "source.run_ended", _("A test, preview or sync of a source ended.")

    # answers
    QUESTION_ASKED = "question.asked", _("A question was asked.")
    QUESTION_REPHRASED = "question.rephrased", _("A question was put differently; its earlier form is kept.")
    CONVERSATION_RENAMED = "conversation.renamed", _("A conversation was given another name.")
    CONVERSATION_ARCHIVED = "conversation.archived", _("A conversation was taken out of its owner's view.")
    TURNS_SENT = "conversation.sent", _("Earlier turns were authorised and sent to a model, to understand a follow-up.")
    SUGGESTIONS_CHANGED = "workspace.suggestions_changed", _("The questions a workspace suggests were changed.")
    EVIDENCE_SENT = "answer.evidence_sent", _("Passages were authorised and given to a model.")
    ANSWER_RELEASED = "answer.released", _("An answer was released.")
    ANSWER_HELD = "answer.held", _("An answer was held for review.")
    ANSWER_REFUSED = "answer.refused", _("No answer was given, for a named reason.")
    ANSWER_FAILED = "answer.failed", _("An answer could not be made.")
    ANSWER_STOPPED = "answer.stopped", _("The asker stopped an answer.")
    ANSWER_READ = "answer.read", _("A person read an answer.")
    ANSWER_SUSPENDED = (
        "answer.suspended",
        _("A released answer was closed: a document it rests on was deleted or changed."),
    )
    ANSWER_RESUMED = "answer.resumed", _("A suspended answer was opened again: what it rests on holds again.")
    ANSWER_CONFIRMED = (
        "answer.confirmed",
        _("A reviewer confirmed that a text still stands, with the place of each quote in the versions of today."),
    )
    ANSWER_ERASED = "answer.erased", _("The texts of an answer were erased with a document it rests on.")
    REPETITIONS_ERASED = (
        "document.repetitions_erased",
        _("Questions and reasons that repeated an erased document word for word were erased with it."),
    )
    ANSWER_REOPENED = "answer.reopened", _("A released answer was closed because a reviewer looks at it again.")
    ANSWER_TAKEN_BACK = "answer.taken_back", _("A released answer was closed for good: a reviewer took it back.")
    ANSWER_SHARED = "answer.shared", _("An answer was shared with a person of the workspace.")
    ANSWER_UNSHARED = "answer.unshared", _("An answer is no longer shared with a person.")
    ANSWER_DECLASSIFIED = (
        "answer.declassified",
        _("A reviewer opened exactly one text to people to whom a source of it is closed."),
    )
    DECLASSIFICATION_ENDED = "answer.declassification_ended", _("The declassification of an answer was taken back.")
    ANSWER_EXPORTED = "answer.exported", _("A person took an answer away as a file.")
    ANSWER_REPLAY_ASKED = "answer.replay_asked", _("A reviewer had an answer made once more, to compare the outputs.")
    ANSWER_REPLAY_SENT = (
        "answer.replay_sent",
        _("Passages of an answer were authorised and given to its model once more."),
    )
    ANSWER_REPLAYED = "answer.replayed", _("A replay of an answer ended: the same, different, or not possible.")
    REPLAY_READ = "answer.replay_read", _("A reviewer read what a replay of an answer came to.")
    FEEDBACK_GIVEN = "feedback.given", _("A reader said whether an answer helped, and why not.")
    FEEDBACK_TAKEN_BACK = "feedback.taken_back", _("A reader took back what they had said of an answer.")
    GAP_OPENED = "gap.opened", _("A question that found no good answer opened a gap.")
    GAP_QUESTION_SENT = "gap.question_sent", _("An asker sent their question to who manages documents.")
    GAP_ASSIGNED = "gap.assigned", _("A gap was given to a person to close, or taken from them.")
    GAP_DOCUMENT_NAMED = "gap.document_named", _("Somebody named the document that closes a gap.")
    GAP_CLOSED = "gap.closed", _("The document that closes a gap answers now, and the askers who may open it are told.")
    GAP_REOPENED = "gap.reopened", _("A gap is open again: the document that was to close it does not answer.")
    GAP_DISMISSED = "gap.dismissed", _("A gap was dismissed with a reason, and its askers are told.")
    GAP_SPLIT = "gap.split", _("Questions were taken out of a gap into one of their own.")
    GAP_MERGED = "gap.merged", _("The questions of one gap were put into another.")
    GAP_REMINDED = "gap.reminded", _("People were reminded of a gap that is due, or overdue.")
    REUSE_CHANGED = "reuse.changed", _("Whether and for how long approved answers are given again was changed.")
    ANSWER_REUSED = "answer.reused", _("An approved answer was given again to a person who asked the same.")
    REUSE_VERIFIED = "reuse.verified", _("A reviewer checked an approved answer again, so that it goes on being given.")
    REUSE_STOPPED = "reuse.stopped", _("A reviewer ended that an approved answer is given again.")
    REUSE_REMINDED = "reuse.reminded", _("The approver of an answer was reminded that it soon expires.")
    TEMPLATE_ADOPTED = "template.adopted", _("A template was taken into a workspace.")
    TEMPLATE_SAVED = "template.saved", _("A version of a template was saved; it is not in force yet.")
    TEMPLATE_IN_FORCE = "template.in_force", _("Another version of a template was put in force.")
    TEMPLATE_SWITCHED = "template.switched", _("A template was switched on or off.")
    TEMPLATE_STANDARD = "template.standard", _("A workspace's standard template was changed.")
    TEMPLATE_TRIED = "template.tried", _("A preview of a template's version was asked for.")
    TEMPLATE_TRIAL_ENDED = "template.trial_ended", _("A preview of a template's version ended.")
    TEMPLATE_TRIAL_READ = "template.trial_read", _("Somebody who manages the workspace read what a preview came to.")
    QUESTION_SET_CHANGED = "evaluation.set_changed", _("A question set was made, or its questions were changed.")
    QUESTION_SET_TAKEN = "evaluation.set_taken", _("A person took a question set away as a file.")
    EVALUATION_STARTED = "evaluation.started", _("A person had a question set asked, or went on with it.")
    EVALUATION_STOPPED = "evaluation.stopped", _("A person stopped a run of a question set.")
    EVALUATION_ENDED = "evaluation.ended", _("A run of a question set ended; its figures stand here.")
    EVALUATION_READ = "evaluation.read", _("A person read what a run of a question set made, with its texts.")
    GATE_CHANGED = "gate.changed", _("What changes have to pass before they go live was changed.")
    GATE_LOOSENING_ASKED = (
        "gate.loosening_asked",
        _("A person gave a reason to make a change gate easier to pass; another one has to agree."),
    )
    GATE_LOOSENING_WITHDRAWN = (
        "gate.loosening_withdrawn",
        _("A wish to make a change gate easier to pass was withdrawn."),
    )
    GATE_PROPOSED = "gate.proposed", _("A change was proposed; it waits until it passes.")
    GATE_WITHDRAWN = "gate.withdrawn", _("A proposed change was withdrawn.")
    GATE_OVERRIDE_ASKED = (
        "gate.override_asked",
        _("A person gave a reason to let a change go live that has not passed."),
    )
    GATE_OVERRIDDEN = "gate.overridden", _("A second person agreed to let a change go live that has not passed.")
    GATE_LIVE = "gate.live", _("A change went live after it passed, or after two people overrode the gate.")
    PRECEDENTS_SOUGHT = "precedents.sought", _("A person held a text against the documents open to them.")
    EXCHANGE_READ = "answer.exchange_read", _("A reviewer read what a model was sent for an answer and what it wrote.")
    SEARCHED = "search.run", _("A person searched a workspace.")
    ORDER_SENT = "search.order_sent", _("Passages that a search found were given to a reranker, to put them in order.")

    # review
    DRAFT_OPENED = "draft.opened", _("A reviewer opened a draft and its evidence.")
    DRAFT_ASSIGNED = "draft.assigned", _("A draft was assigned to a reviewer.")
    DRAFT_CLAIMED = "draft.claimed", _("A reviewer began to read a draft; others see that for a while.")
    DRAFT_CLAIM_ENDED = "draft.claim_ended", _("A reviewer put a draft they had begun to read back into line.")
    DRAFT_RANKED = "draft.ranked", _("The priority or due date of a draft was changed.")
    DRAFT_REMINDED = "draft.reminded", _("People were reminded of a draft that is due soon, or overdue.")
    DRAFT_COMMENTED = "draft.commented", _("A reviewer wrote a comment on a draft to the other reviewers.")
    VIEW_SAVED = "view.saved", _("A reviewer saved a view of the review queue: which drafts they look at first.")
    VIEW_DELETED = "view.deleted", _("A reviewer deleted a saved view of the review queue.")
    DRAFT_EDITED = "draft.edited", _("A draft's text was edited.")
    DRAFT_APPROVED = "draft.approved", _("A reviewer approved a draft.")
    DRAFT_APPROVED_ONCE = "draft.approved_once", _("A reviewer gave the first of two approvals to a draft.")
    DRAFT_RETURNED = "draft.returned", _("A reviewer returned a draft for changes.")
    DRAFT_SUBMITTED = "draft.submitted", _("A returned draft was submitted again.")
    DRAFT_REJECTED = "draft.rejected", _("A reviewer rejected a draft.")
    DRAFT_REOPENED = "draft.reopened", _("A reviewer put a released answer under review again.")
    DRAFT_TAKEN_BACK = "draft.taken_back", _("A reviewer took a released answer back for good.")
    DRAFT_REPLIED = "draft.replied", _("The asker replied to what a reviewer wanted to know about a draft.")
    DRAFTS_BULK_APPROVED = (
        "drafts.bulk_approved",
        _("A reviewer approved several identical drafts in one act; each has its own entry."),
    )
    REVIEW_REASONS_CHANGED = (
        "workspace.review_reasons_changed",
        _("The reasons that a workspace's reviewers choose from were changed."),
    )
    RELEASE_RULES_CHANGED = (
        "workspace.release_rules_changed",
        _("The rules by which a workspace releases or holds its answers were changed."),
    )
    RELEASE_RULES_TRIED = (
        "workspace.release_rules_tried",
        _("A person looked at what a set of release rules would have held."),
    )
    DRAFT_WITHDRAWN = "draft.withdrawn", _("A draft was withdrawn because a document it rests on was deleted.")
    DRAFT_STRANDED = "draft.stranded", _("A draft ended because no reviewer was left who may open all it rests on.")

    # drafts held against the guidance
    EXAMINATION_ASKED = "examination.asked", _("A person had a draft of theirs held against the guidance.")
    EXAMINATION_SENT = "examination.sent", _("Passages were authorised and given to a model with a clause of a draft.")
    EXAMINATION_ENDED = "examination.ended", _("The examination of a draft ended: findings, or why there are none.")
    EXAMINATION_READ = "examination.read", _("A person read an examined draft and what was found in it.")
    EXAMINATION_APPROVED_ONCE = (
        "examination.approved_once",
        _("A reviewer gave the first of two approvals to the findings in a draft."),
    )
    EXAMINATION_RELEASED = "examination.released", _("A reviewer released the findings in a draft.")
    EXAMINATION_REJECTED = "examination.rejected", _("A reviewer did not release the findings in a draft.")
    EXAMINATION_EDITED = "examination.edited", _("A reviewer changed a finding in a draft, or left it out.")
    EXAMINATION_RETURNED = "examination.returned", _("A reviewer asked the owner of a draft something about findings.")
    EXAMINATION_REPLIED = "examination.replied", _("The owner of a draft replied to a reviewer.")
    EXAMINATION_REOPENED = "examination.reopened", _("A reviewer put findings in a draft under review again.")
    EXAMINATION_ASSIGNED = "examination.assigned", _("The findings in a draft were put on a desk, or on none.")
    EXAMINATION_CLAIMED = "examination.claimed", _("A reviewer began to read the findings in a draft; others see that.")
    EXAMINATION_CLAIM_ENDED = (
        "examination.claim_ended",
        _("A reviewer put findings in a draft that they had begun to read back into line."),
    )
    EXAMINATION_RANKED = "examination.ranked", _("The priority or due date of findings in a draft was changed.")
    EXAMINATION_REMINDED = (
        "examination.reminded",
        _("People were reminded of findings in a draft that are due soon, or overdue."),
    )
    EXAMINATION_EXPORTED = "examination.exported", _("A person took an examined draft away as a file.")
    EXAMINATION_ERASED = "examination.erased", _("The text of an examined draft and of its findings was erased.")
    FINDINGS_DECIDED = "finding.decided", _("A person accepted, edited, rejected or put back findings in their draft.")
    FINDINGS_CLOSED = "finding.closed", _("Findings were closed: a document they rest on was deleted or changed.")
    FINDINGS_REOPENED = "finding.reopened", _("Closed findings were opened again: what they rest on stands again.")

    # fine-tuning
    ASSESSMENT_MADE = "assessment.made", _("A use case was assessed for retrieval, fine-tuning or both.")
    ASSESSMENT_EXPORTED = "assessment.exported", _("A person took an assessment away as a file.")
    TRAINING_ASKED = "training.asked", _("A person had a training set built from approved answers.")
    TRAINING_BUILT = "training.built", _("A training set was built, or could not be.")
    TRAINING_READ = "training.read", _("A person read examples of a training set.")
    TRAINING_EXAMPLE_DROPPED = "training.example_dropped", _("Examples were taken out of a training set.")
    TRAINING_EXAMPLE_KEPT = "training.example_kept", _("What looks like data of a person was kept in a training set.")
    TRAINING_SEALED = "training.sealed", _("A training set was sealed with a signed manifest.")
    TRAINING_EXPORTED = "training.exported", _("A person took a file or the manifest of a training set away.")
    TRAINING_FLAGGED = "training.flagged", _("Something that a sealed training set contains should not stand any more.")
    TRAINING_CLEARED = "training.cleared", _("What a training set was flagged for is over.")
    TRAINING_SETTLED = "training.settled", _("A person decided about a flag of a training set and its models.")
    TRAINING_ERASED = "training.erased", _("Examples of training sets were erased with a document.")
    TRAINING_RULES_CHANGED = "training.rules_changed", _("What takes fine-tuned models out of use was changed.")
    TUNING_ASKED = "tuning.asked", _("A person asked a provider to train a model on a sealed set.")
    TUNING_SENT = "tuning.sent", _("A file of a training set was sent to a provider.")
    TUNING_STARTED = "tuning.started", _("A provider took a fine-tuning job.")
    TUNING_CANCEL_ASKED = "tuning.cancel_asked", _("A person wanted a fine-tuning job ended.")
    TUNING_ENDED = "tuning.ended", _("A fine-tuning job ended: a model, a failure, or cancelled.")
    TUNING_FILES_DELETED = (
        "tuning.files_deleted",
        _("A provider was told to delete the files of a training that is over."),
    )
    TUNING_MODEL_UNWANTED = "tuning.model_unwanted", _("A person wanted a trained model deleted at its provider.")
    TUNING_MODEL_DELETED = "tuning.model_deleted", _("A provider was told to delete a model that was trained there.")
    TUNING_COMPARE_ASKED = "tuning.compare_asked", _("A person had a fine-tuned model compared on a question set.")
    TUNING_COMPARED = "tuning.compared", _("The comparison of a fine-tuned model with retrieval ended.")
    MODEL_SUSPENDED = (
        "model.suspended",
        _("A fine-tuned model was taken out of use: a source of what it learnt changed."),
    )

    # what people are told
    NOTIFICATIONS_CHOSEN = "notifications.chosen", _("A person chose how they are told of things.")

    # models and the trail itself
    COCKPIT_EXPORTED = "cockpit.exported", _("A person took the figures of the cockpit as a table.")
    ENDPOINT_CHANGED = "endpoint.changed", _("A model endpoint's settings were changed.")
    ENDPOINT_APPROVED = "endpoint.approved", _("A person approved an endpoint that another one entered.")
    ENDPOINT_MADE_DEFAULT = "endpoint.made_default", _("A model was made the one of every workspace that chose none.")
    ENDPOINT_NO_DEFAULT = "endpoint.no_default", _("A model stopped being the default: another one is.")
    ENDPOINT_RETIRED = "endpoint.retired", _("An endpoint was retired: nothing is sent to it any more.")
    ENDPOINT_REOPENED = "endpoint.reopened", _("A retired endpoint became a candidate again.")
    ENDPOINT_TESTED = "endpoint.tested", _("A model endpoint was tested.")
    MODEL_REFUSED = "model.refused", _("The model policy refused a call, so nothing of it was sent there.")
    MODEL_PASSED_OVER = "model.passed_over", _("A call went to the next model on the workspace's own list.")
    FALLBACKS_CHANGED = "workspace.fallbacks_changed", _("The list of models that stand in for others was changed.")
    BUDGET_CHANGED = "budget.changed", _("What may be spent on models was changed.")
    TRAIL_VERIFIED = "trail.verified", _("A chain of the trail was verified.")
    TRAIL_READ = "trail.read", _("A person read the trail.")
    TRAIL_EXPORTED = "trail.exported", _("A chain of the trail was exported.")
    TRAIL_PACKED = "trail.packed", _("An evidence pack was made of a chain of the trail and what belongs to it.")
    TRAIL_ARCHIVED = "trail.archived", _("The beginning of a chain of the trail was written to a signed archive.")
    TRAIL_DETACHED = (
        "trail.detached",
        _("A script was made that takes archived entries of a chain out of the database."),
    )
    RECEIPT_ISSUED = "receipt.issued", _("A signed receipt of an answer was issued.")
    SIGNING_KEY_CHANGED = "trail.key_changed", _("Checkpoints of this chain are signed with another key from now on.")


def event_choices() -> list[tuple[str, str]]:
    """The vocabulary as a model field wants it; a function, so that a new type needs no migration."""
    return EventType.choices
