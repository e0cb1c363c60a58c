"""Say an entry of the trail as a sentence for a person, from what the entry itself holds."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.chain import digest
from audit.events import EventType
from audit.models import Event

#: event type → the sentence. `%(who)s` acted, `%(what)s` is the label the object had then; other names are details.
SENTENCES: dict[str, Any] = {
    EventType.USER_CREATED: gettext_lazy("%(who)s created the account “%(what)s”."),
    EventType.USER_SIGNED_IN: gettext_lazy("%(who)s signed in."),
    EventType.USER_SIGNED_OUT: gettext_lazy("%(who)s signed out."),
    EventType.SIGN_IN_FAILED: gettext_lazy("A sign-in as “%(name_given)s” was refused."),
    EventType.SIGN_IN_THROTTLED: gettext_lazy("Sign-ins were held back after too many failed attempts: “%(what)s”."),
    EventType.SESSION_ENDED: gettext_lazy("%(who)s ended a session of “%(what)s”."),
    EventType.FACTOR_ADDED: gettext_lazy("“%(what)s” added a second factor: %(factor)s."),
    EventType.FACTOR_REMOVED: gettext_lazy("A second factor of “%(what)s” was removed: %(factor)s."),
    EventType.SECRETS_RESEALED: gettext_lazy("%(secrets)s stored secrets were sealed with the newest key."),
    EventType.POLICY_CHANGED: gettext_lazy("%(who)s changed a rule of the installation: %(setting)s."),
    EventType.RECOVERY_CODE_USED: gettext_lazy("“%(what)s” used a recovery code."),
    EventType.PROVIDER_VOUCHED: gettext_lazy("The identity provider vouched for “%(what)s”."),
    EventType.PROVIDER_LINKED: gettext_lazy("“%(what)s” linked their account to an identity of the provider."),
    EventType.PROVIDER_UNLINKED: gettext_lazy("“%(what)s” ended the link to the provider, with all it had given."),
    EventType.PROVIDER_SIGNED_OUT: gettext_lazy("The identity provider ended %(sessions)s sessions of “%(what)s”."),
    EventType.PROVIDER_SIGN_OUT_REFUSED: gettext_lazy(
        "A message that wanted to end sessions in the identity provider's name was refused: %(fault)s."
    ),
    EventType.EMERGENCY_SIGN_IN: gettext_lazy("The emergency account “%(what)s” signed in."),
    EventType.USER_CHANGED: gettext_lazy("%(who)s changed the account “%(what)s”."),
    EventType.TOKEN_CREATED: gettext_lazy("%(who)s made the API token “%(what)s”."),
    EventType.TOKEN_USED: gettext_lazy("The API token “%(what)s” was used for the first time."),
    EventType.TOKEN_REVOKED: gettext_lazy("%(who)s revoked the API token “%(what)s”."),
    EventType.TOKEN_REFUSED: gettext_lazy("An API token was refused: “%(what)s”, %(why)s."),
    EventType.WORKSPACE_CREATED: gettext_lazy("%(who)s created the workspace “%(what)s”."),
    EventType.WORKSPACE_CHANGED: gettext_lazy("%(who)s changed the settings of “%(what)s”."),
    EventType.MEMBER_ADDED: gettext_lazy("%(who)s gave “%(what)s” the role %(role)s."),
    EventType.MEMBER_REMOVED: gettext_lazy("%(who)s took the role %(role)s from “%(what)s”."),
    EventType.ACCESS_DENIED: gettext_lazy("%(who)s was refused something on “%(what)s”: %(action)s."),
    EventType.GLASS_BROKEN: gettext_lazy("%(who)s broke the glass of “%(what)s” until %(until)s."),
    EventType.GLASS_ENDED: gettext_lazy("%(who)s ended the use of rights without a role in “%(what)s”."),
    EventType.BREAK_GLASS: gettext_lazy("%(who)s used a right on “%(what)s” without holding a role: %(action)s."),
    EventType.RIGHTS_READ: gettext_lazy("%(who)s looked up the rights around “%(what)s”."),
    EventType.BARRED: gettext_lazy("%(who)s made a never rule for “%(holder)s” on “%(what)s”."),
    EventType.BAR_LIFTED: gettext_lazy("%(who)s lifted the never rule for “%(holder)s” on “%(what)s”."),
    EventType.GROUP_CREATED: gettext_lazy("%(who)s created the group “%(what)s”."),
    EventType.GROUP_CHANGED: gettext_lazy("%(who)s changed the group “%(what)s”."),
    EventType.GROUP_DELETED: gettext_lazy("%(who)s deleted the group “%(what)s”, with the grants and bars it had."),
    EventType.GROUP_MEMBER_ADDED: gettext_lazy("%(who)s put “%(what)s” into the group “%(group)s”."),
    EventType.GROUP_MEMBER_REMOVED: gettext_lazy("%(who)s took “%(what)s” out of the group “%(group)s”."),
    EventType.CLAIM_RULE_ADDED: gettext_lazy("%(who)s made a rule for the provider's group “%(claim)s”."),
    EventType.CLAIM_RULE_REMOVED: gettext_lazy("%(who)s removed a rule for the provider's group “%(claim)s”."),
    EventType.ROLE_CREATED: gettext_lazy("%(who)s created the role “%(what)s”."),
    EventType.ROLE_CHANGED: gettext_lazy("%(who)s changed the role “%(what)s”."),
    EventType.ROLE_RETIRED: gettext_lazy("%(who)s retired the role “%(what)s”."),
    EventType.ACCESS_REVIEW_STARTED: gettext_lazy("%(who)s started an access review of %(lines)s rights."),
    EventType.ACCESS_REVIEW_EXTENDED: gettext_lazy("%(who)s took rights given since then into an access review."),
    EventType.ACCESS_REVIEW_DECIDED: gettext_lazy("%(who)s decided on rights under review."),
    EventType.ACCESS_REVIEW_SIGNED: gettext_lazy(
        "%(who)s signed an access review: %(kept)s rights kept, %(removed)s removed."
    ),
    EventType.VIEW_AS_STARTED: gettext_lazy("%(who)s began to see the portal as “%(what)s”."),
    EventType.VIEW_AS_ENDED: gettext_lazy("%(who)s stopped seeing the portal as “%(what)s”."),
    EventType.DOCUMENT_ADDED: gettext_lazy("%(who)s added the document “%(what)s”."),
    EventType.VERSION_RECEIVED: gettext_lazy("%(who)s brought new bytes: “%(what)s”."),
    EventType.VERSION_READY: gettext_lazy("“%(what)s” became ready and answers from now on."),
    EventType.VERSION_FAILED: gettext_lazy("“%(what)s” could not be ingested."),
    EventType.VERSION_QUARANTINED: gettext_lazy("“%(what)s” was set aside because it kept ending its worker."),
    EventType.VERSION_RETRIED: gettext_lazy("%(who)s sent “%(what)s” through ingestion again."),
    EventType.DOCUMENT_DELETED: gettext_lazy("%(who)s deleted the document “%(what)s”."),
    EventType.DOCUMENT_ERASED: gettext_lazy("Passages, vectors and files of “%(what)s” were erased."),
    EventType.DOCUMENT_RESTORED: gettext_lazy("%(who)s took “%(what)s” out of the bin."),
    EventType.VERSION_DELETED: gettext_lazy("%(who)s deleted the former version %(what)s."),
    EventType.ERASURE_BEGUN: gettext_lazy("The erasure of “%(what)s” began: no restoring and no hold stops it."),
    EventType.TRACES_SEARCHED: gettext_lazy("What was erased of “%(what)s” was looked for in every place."),
    EventType.ERASURE_RECEIPT_TAKEN: gettext_lazy("%(who)s took the receipt of the deletion of “%(what)s” away."),
    EventType.ERASURE_RECEIPTED: gettext_lazy("Nothing of “%(what)s” was found any more, and a receipt was signed."),
    EventType.TRACES_SEARCH_ASKED: gettext_lazy("%(who)s had “%(what)s” looked for once more."),
    EventType.HOLD_PLACED: gettext_lazy("%(who)s placed a legal hold on “%(what)s”."),
    EventType.HOLD_LIFTED: gettext_lazy("%(who)s lifted a legal hold on “%(what)s”."),
    EventType.RETENTION_CHANGED: gettext_lazy("%(who)s changed how long “%(what)s” keeps its documents."),
    EventType.DOCUMENT_RESTRICTED: gettext_lazy("%(who)s restricted “%(what)s” to named people."),
    EventType.DOCUMENT_UNRESTRICTED: gettext_lazy("%(who)s opened “%(what)s” to its workspace."),
    EventType.DOCUMENT_GRANTED: gettext_lazy("%(who)s granted “%(what)s” to a person."),
    EventType.DOCUMENT_REVOKED: gettext_lazy("%(who)s took back a person's grant on “%(what)s”."),
    EventType.DOCUMENT_CLASSIFIED: gettext_lazy("%(who)s classified “%(what)s” as %(after)s; it was %(before)s."),
    EventType.DOCUMENT_OWNER_CHANGED: gettext_lazy("%(who)s changed who keeps “%(what)s” current."),
    EventType.DOCUMENT_VALIDITY_CHANGED: gettext_lazy("%(who)s changed how long “%(what)s” holds."),
    EventType.DOCUMENT_REVIEW_SET: gettext_lazy("%(who)s changed when “%(what)s” is to be reviewed."),
    EventType.DOCUMENT_REVIEW_DUE: gettext_lazy("“%(what)s” is to be reviewed since %(review_on)s."),
    EventType.DOCUMENT_CONFIRMED: gettext_lazy("%(who)s found “%(what)s” still good until %(after)s."),
    EventType.DOCUMENT_EXPIRED: gettext_lazy("“%(what)s” held until %(valid_until)s, and is past it now."),
    EventType.DOCUMENT_TAGS_CHANGED: gettext_lazy("%(who)s changed the tags of “%(what)s”."),
    EventType.DOCUMENT_MOVED: gettext_lazy("%(who)s moved “%(what)s” from “%(before)s” to “%(after)s”."),
    EventType.FOLDER_CREATED: gettext_lazy("%(who)s made the folder “%(what)s”."),
    EventType.FOLDER_RENAMED: gettext_lazy("%(who)s renamed the folder “%(before)s” to “%(after)s”."),
    EventType.FOLDER_REMOVED: gettext_lazy("%(who)s removed the folder “%(what)s”."),
    EventType.BULK_ASKED: gettext_lazy("%(who)s asked for one act on %(documents)s documents: %(act)s."),
    EventType.BULK_ENDED: gettext_lazy("One act on several documents ended: %(act)s."),
    EventType.COVERAGE_EXPORTED: gettext_lazy("%(who)s downloaded the figures about the documents of “%(what)s”."),
    EventType.DOCUMENT_OPENED: gettext_lazy("%(who)s read “%(what)s”."),
    EventType.VERSIONS_COMPARED: gettext_lazy(
        "%(who)s read what changed in “%(what)s” from version %(before_number)s to %(number)s."
    ),
    EventType.ORIGINAL_DOWNLOADED: gettext_lazy("%(who)s downloaded the original of “%(what)s”."),
    EventType.ORIGINALS_REMOVED: gettext_lazy("Stored files that no document had were removed: %(files)s."),
    EventType.INDEX_CHECKED: gettext_lazy("%(who)s compared the search index of “%(what)s” with the database."),
    EventType.INDEX_DAMAGED: gettext_lazy("The vector index of “%(what)s” was found damaged and is made anew."),
    EventType.ENGINE_SET_ASIDE: gettext_lazy(
        "Files that kept ending the server of the vector index were set aside as %(directory)s."
    ),
    EventType.INDEX_REBUILT: gettext_lazy("%(who)s rebuilt the search index of “%(what)s”."),
    EventType.EMBEDDING_PLANNED: gettext_lazy("%(who)s estimated a change of “%(what)s” to the model %(target)s."),
    EventType.EMBEDDING_STARTED: gettext_lazy("%(who)s had vectors of %(target)s made for “%(what)s”."),
    EventType.EMBEDDING_PAUSED: gettext_lazy("%(who)s paused the making of vectors of %(target)s for “%(what)s”."),
    EventType.EMBEDDING_STOPPED: gettext_lazy("The change of “%(what)s” to %(target)s was stopped: %(problem)s."),
    EventType.EMBEDDING_BUILT: gettext_lazy("All vectors of %(target)s for “%(what)s” are made."),
    EventType.EMBEDDING_COMPARE_ASKED: gettext_lazy(
        "%(who)s asked for a comparison of %(source)s and %(target)s for “%(what)s”."
    ),
    EventType.EMBEDDING_COMPARED: gettext_lazy("%(who)s compared %(source)s and %(target)s for “%(what)s”."),
    EventType.EMBEDDING_SWITCHED: gettext_lazy("%(who)s switched “%(what)s” from %(source)s to %(target)s."),
    EventType.EMBEDDING_ROLLED_BACK: gettext_lazy("%(who)s switched “%(what)s” back from %(target)s to %(source)s."),
    EventType.EMBEDDING_CANCELLED: gettext_lazy("%(who)s gave up the change of “%(what)s” to %(target)s."),
    EventType.EMBEDDING_DROP_CONFIRMED: gettext_lazy(
        "%(who)s confirmed that the vectors of %(dropped)s for “%(what)s” may be removed."
    ),
    EventType.EMBEDDING_DROPPED: gettext_lazy("The vectors of %(dropped)s for “%(what)s” were removed."),
    EventType.SOURCE_CREATED: gettext_lazy("%(who)s set up the source “%(what)s”."),
    EventType.SOURCE_CHANGED: gettext_lazy("%(who)s changed the source “%(what)s”."),
    EventType.SOURCE_PAUSED: gettext_lazy("%(who)s paused the schedule of the source “%(what)s”."),
    EventType.SOURCE_RESUMED: gettext_lazy("%(who)s let the source “%(what)s” follow its schedule again."),
    EventType.SOURCE_DELETED: gettext_lazy("%(who)s took away the source “%(what)s”; its documents stay."),
    EventType.SOURCE_RUN_ASKED: gettext_lazy("%(who)s asked for a run of the source “%(what)s”: %(kind)s."),
    EventType.SOURCE_RUN_ENDED: gettext_lazy("A run of the source “%(what)s” ended: %(kind)s, %(state)s."),
    EventType.QUESTION_ASKED: gettext_lazy("%(who)s asked a question."),
    EventType.EVIDENCE_SENT: gettext_lazy("Passages open to %(who)s were given to a model."),
    EventType.ORDER_SENT: gettext_lazy("Passages that a search found were given to a reranker."),
    EventType.ANSWER_RELEASED: gettext_lazy("%(who)s released an answer."),
    EventType.ANSWER_HELD: gettext_lazy("An answer was held for review."),
    EventType.ANSWER_REFUSED: gettext_lazy("No answer was given: %(status)s."),
    EventType.ANSWER_FAILED: gettext_lazy("An answer could not be made: %(status)s."),
    EventType.ANSWER_STOPPED: gettext_lazy("%(who)s stopped an answer."),
    EventType.ANSWER_READ: gettext_lazy("%(who)s read an answer."),
    EventType.ANSWER_SUSPENDED: gettext_lazy("The answer was closed: what it rests on changed."),
    EventType.ANSWER_RESUMED: gettext_lazy("The answer was opened again: what it rests on holds again."),
    EventType.REPETITIONS_ERASED: gettext_lazy("Questions and reasons that repeated “%(what)s” were erased with it."),
    EventType.ANSWER_ERASED: gettext_lazy("The texts of the answer were erased with a document it rests on."),
    EventType.ANSWER_SHARED: gettext_lazy("%(who)s shared an answer with “%(person_label)s”."),
    EventType.ANSWER_UNSHARED: gettext_lazy("%(who)s took an answer back from “%(person_label)s”."),
    EventType.ANSWER_DECLASSIFIED: gettext_lazy("%(who)s declassified the text of an answer."),
    EventType.DECLASSIFICATION_ENDED: gettext_lazy("%(who)s took the declassification of an answer back."),
    EventType.SEARCHED: gettext_lazy("%(who)s searched the workspace."),
    EventType.DRAFT_OPENED: gettext_lazy("%(who)s opened a draft and its evidence."),
    EventType.DRAFT_ASSIGNED: gettext_lazy("%(who)s assigned a draft to “%(to_label)s”."),
    EventType.DRAFT_EDITED: gettext_lazy("%(who)s edited a draft."),
    EventType.DRAFT_APPROVED_ONCE: gettext_lazy("%(who)s gave the first of two approvals to a draft."),
    EventType.DRAFT_APPROVED: gettext_lazy("%(who)s approved a draft."),
    EventType.DRAFT_RETURNED: gettext_lazy("%(who)s returned a draft for changes."),
    EventType.DRAFT_SUBMITTED: gettext_lazy("%(who)s submitted a returned draft again."),
    EventType.DRAFT_REJECTED: gettext_lazy("%(who)s rejected a draft."),
    EventType.DRAFT_WITHDRAWN: gettext_lazy("A draft was withdrawn because a document it rests on was deleted."),
    EventType.DRAFT_STRANDED: gettext_lazy("A draft was ended because nobody is left who may decide on it."),
    EventType.ENDPOINT_CHANGED: gettext_lazy("%(who)s changed the model endpoint “%(what)s”."),
    EventType.ENDPOINT_TESTED: gettext_lazy("%(who)s tested the model endpoint “%(what)s”."),
    EventType.MODEL_REFUSED: gettext_lazy("Nothing was sent to the model “%(what)s”: the model policy refused it."),
    EventType.MODEL_PASSED_OVER: gettext_lazy("The model “%(what)s” was asked in place of another."),
    EventType.FALLBACKS_CHANGED: gettext_lazy("%(who)s changed which models stand in for others in “%(what)s”."),
    EventType.BUDGET_CHANGED: gettext_lazy("%(who)s changed what may be spent on models: %(what)s."),
    EventType.TRAIL_VERIFIED: gettext_lazy("%(who)s verified this chain up to entry %(events)s."),
    EventType.TRAIL_READ: gettext_lazy("%(who)s read the trail."),
    EventType.TRAIL_EXPORTED: gettext_lazy("%(who)s exported this chain."),
    EventType.TRAIL_PACKED: gettext_lazy("%(who)s made an evidence pack with this chain."),
    EventType.TRAIL_ARCHIVED: gettext_lazy("%(who)s archived this chain up to entry %(upto)s."),
    EventType.TRAIL_DETACHED: gettext_lazy(
        "%(who)s made the script that takes archived entries up to %(leaves)s out of the database."
    ),
    EventType.RECEIPT_ISSUED: gettext_lazy("%(who)s took a signed receipt of an answer."),
    EventType.QUESTION_REPHRASED: gettext_lazy("%(who)s put a question differently."),
    EventType.CONVERSATION_RENAMED: gettext_lazy("%(who)s gave a conversation another name."),
    EventType.CONVERSATION_ARCHIVED: gettext_lazy("%(who)s took a conversation out of their view."),
    EventType.TURNS_SENT: gettext_lazy(
        "Earlier turns open to %(who)s were given to a model, to understand a follow-up."
    ),
    EventType.SUGGESTIONS_CHANGED: gettext_lazy("%(who)s changed the questions that “%(what)s” suggests."),
    EventType.ANSWER_CONFIRMED: gettext_lazy("%(who)s confirmed that an answer still stands."),
    EventType.ANSWER_REOPENED: gettext_lazy("An answer was closed while a reviewer looks at it again."),
    EventType.ANSWER_TAKEN_BACK: gettext_lazy("An answer was closed for good: a reviewer took it back."),
    EventType.ANSWER_EXPORTED: gettext_lazy("%(who)s took an answer away as a file."),
    EventType.ANSWER_REPLAY_ASKED: gettext_lazy("%(who)s had an answer made once more."),
    EventType.ANSWER_REPLAY_SENT: gettext_lazy("Passages of an answer were given to its model once more."),
    EventType.ANSWER_REPLAYED: gettext_lazy("A replay of an answer ended."),
    EventType.REPLAY_READ: gettext_lazy("%(who)s read what a replay of an answer came to."),
    EventType.EXAMINATION_ASKED: gettext_lazy("%(who)s had a draft of theirs examined."),
    EventType.EXAMINATION_SENT: gettext_lazy("Passages were given to a model with a clause of a draft."),
    EventType.EXAMINATION_ENDED: gettext_lazy("The examination of a draft ended."),
    EventType.EXAMINATION_READ: gettext_lazy("%(who)s read what was found in a draft."),
    EventType.EXAMINATION_APPROVED_ONCE: gettext_lazy("%(who)s approved the findings in a draft, the first of two."),
    EventType.EXAMINATION_RELEASED: gettext_lazy("%(who)s released the findings in a draft."),
    EventType.EXAMINATION_REJECTED: gettext_lazy("%(who)s did not release the findings in a draft."),
    EventType.EXAMINATION_EDITED: gettext_lazy("%(who)s changed a finding in a draft, or left it out."),
    EventType.EXAMINATION_RETURNED: gettext_lazy("%(who)s asked the owner of a draft something about its findings."),
    EventType.EXAMINATION_REPLIED: gettext_lazy("%(who)s replied to what a reviewer wanted to know about a draft."),
    EventType.EXAMINATION_REOPENED: gettext_lazy("%(who)s put the findings in a draft under review again."),
    EventType.EXAMINATION_ASSIGNED: gettext_lazy("%(who)s assigned the findings in a draft to “%(to_label)s”."),
    EventType.EXAMINATION_CLAIMED: gettext_lazy("%(who)s began to read the findings in a draft."),
    EventType.EXAMINATION_CLAIM_ENDED: gettext_lazy("%(who)s put the findings in a draft back into line."),
    EventType.EXAMINATION_RANKED: gettext_lazy("%(who)s changed the priority or due date of the findings in a draft."),
    EventType.EXAMINATION_REMINDED: gettext_lazy("People were reminded of the findings in a draft: %(when)s."),
    EventType.EXAMINATION_EXPORTED: gettext_lazy("%(who)s took an examined draft away as a file."),
    EventType.EXAMINATION_ERASED: gettext_lazy("The text of an examined draft was erased."),
    EventType.FINDINGS_DECIDED: gettext_lazy("%(who)s decided on findings in their draft."),
    EventType.FINDINGS_CLOSED: gettext_lazy("Findings were closed: what they rest on changed."),
    EventType.FINDINGS_REOPENED: gettext_lazy("Findings were opened again: what they rest on holds again."),
    EventType.FEEDBACK_GIVEN: gettext_lazy("%(who)s said whether an answer helped."),
    EventType.FEEDBACK_TAKEN_BACK: gettext_lazy("%(who)s took back what they had said of an answer."),
    EventType.GAP_OPENED: gettext_lazy("A question that found no good answer opened a gap."),
    EventType.GAP_QUESTION_SENT: gettext_lazy("%(who)s sent a question to who manages documents."),
    EventType.GAP_ASSIGNED: gettext_lazy("%(who)s changed who closes a gap."),
    EventType.GAP_DOCUMENT_NAMED: gettext_lazy("%(who)s named the document that closes a gap."),
    EventType.GAP_CLOSED: gettext_lazy("A gap was closed: its document answers now."),
    EventType.GAP_REOPENED: gettext_lazy("A gap is open again: the document that was to close it does not answer."),
    EventType.GAP_DISMISSED: gettext_lazy("%(who)s dismissed a gap."),
    EventType.GAP_SPLIT: gettext_lazy("%(who)s took questions out of a gap."),
    EventType.GAP_MERGED: gettext_lazy("%(who)s put a gap into another."),
    EventType.GAP_REMINDED: gettext_lazy("People were reminded of a gap: %(when)s."),
    EventType.REUSE_CHANGED: gettext_lazy("%(who)s changed how “%(what)s” gives approved answers again."),
    EventType.ANSWER_REUSED: gettext_lazy("An approved answer was given again."),
    EventType.REUSE_VERIFIED: gettext_lazy("%(who)s stood by an approved answer again."),
    EventType.REUSE_STOPPED: gettext_lazy("%(who)s ended that an approved answer is given again."),
    EventType.REUSE_REMINDED: gettext_lazy("Reviewers were reminded that an approved answer expires soon."),
    EventType.PHASE_CHANGED: gettext_lazy("%(who)s took “%(what)s” into another phase."),
    EventType.READINESS_ASKED: gettext_lazy("%(who)s had the readiness of a workspace checked."),
    EventType.READINESS_CHECKED: gettext_lazy("The readiness of a workspace was checked."),
    EventType.GO_LAPSED: gettext_lazy("“%(what)s” was found to have no go any more."),
    EventType.READINESS_GIVEN_UP: gettext_lazy("A check of a workspace's readiness came to no verdict."),
    EventType.READINESS_REPORT_TAKEN: gettext_lazy("%(who)s took the signed report of a workspace's readiness."),
    EventType.COCKPIT_EXPORTED: gettext_lazy("%(who)s took the figures of the cockpit as a table."),
    EventType.ENDPOINT_APPROVED: gettext_lazy("%(who)s approved the endpoint “%(what)s”."),
    EventType.ENDPOINT_RETIRED: gettext_lazy("%(who)s retired the endpoint “%(what)s”."),
    EventType.ENDPOINT_REOPENED: gettext_lazy("%(who)s made the retired endpoint “%(what)s” a candidate again."),
    EventType.ENDPOINT_MADE_DEFAULT: gettext_lazy("%(who)s made “%(what)s” the default of the installation."),
    EventType.ENDPOINT_NO_DEFAULT: gettext_lazy("“%(what)s” stopped being the default of the installation."),
    EventType.DOCUMENT_USAGE_STATED: gettext_lazy("%(who)s stated what the usage rights in “%(what)s” allow."),
    EventType.ASSESSMENT_MADE: gettext_lazy("%(who)s assessed a use case for retrieval, fine-tuning or both."),
    EventType.ASSESSMENT_EXPORTED: gettext_lazy("%(who)s took an assessment away as a file."),
    EventType.TRAINING_ASKED: gettext_lazy("%(who)s had a training set built from approved answers."),
    EventType.TRAINING_BUILT: gettext_lazy("A training set was built, or could not be."),
    EventType.TRAINING_READ: gettext_lazy("%(who)s read examples of a training set."),
    EventType.TRAINING_EXAMPLE_DROPPED: gettext_lazy("%(who)s took examples out of a training set."),
    EventType.TRAINING_EXAMPLE_KEPT: gettext_lazy("%(who)s kept what looks like data of a person in a training set."),
    EventType.TRAINING_SEALED: gettext_lazy("%(who)s sealed a training set with a signed manifest."),
    EventType.TRAINING_EXPORTED: gettext_lazy("%(who)s took a file of a training set away."),
    EventType.TRAINING_FLAGGED: gettext_lazy("Something that a training set contains should not stand any more."),
    EventType.TRAINING_CLEARED: gettext_lazy("What a training set was flagged for is over."),
    EventType.TRAINING_SETTLED: gettext_lazy("%(who)s decided about a flag of a training set and its models."),
    EventType.TRAINING_ERASED: gettext_lazy("Examples of training sets were erased with “%(what)s”."),
    EventType.TRAINING_RULES_CHANGED: gettext_lazy("%(who)s changed what takes fine-tuned models out of use."),
    EventType.TUNING_ASKED: gettext_lazy("%(who)s asked a provider to train a model on a sealed set."),
    EventType.TUNING_SENT: gettext_lazy("A file of a training set was sent to a provider."),
    EventType.TUNING_STARTED: gettext_lazy("A provider took a fine-tuning job."),
    EventType.TUNING_CANCEL_ASKED: gettext_lazy("%(who)s wanted a fine-tuning job ended."),
    EventType.TUNING_ENDED: gettext_lazy("A fine-tuning job ended."),
    EventType.TUNING_FILES_DELETED: gettext_lazy("A provider deleted the files of a training that is over."),
    EventType.TUNING_MODEL_UNWANTED: gettext_lazy("%(who)s wanted a trained model deleted at its provider."),
    EventType.TUNING_MODEL_DELETED: gettext_lazy("A provider was told to delete a model that was trained there."),
    EventType.TUNING_COMPARE_ASKED: gettext_lazy("%(who)s had a fine-tuned model compared with retrieval."),
    EventType.TUNING_COMPARED: gettext_lazy("A fine-tuned model was compared with retrieval, or could not be."),
    EventType.MODEL_SUSPENDED: gettext_lazy("A fine-tuned model was taken out of use."),
    EventType.EXCHANGE_READ: gettext_lazy("%(who)s read what a model was sent for an answer and what it wrote."),
    EventType.TEMPLATE_ADOPTED: gettext_lazy("%(who)s took the template “%(template)s” into the workspace."),
    EventType.TEMPLATE_SAVED: gettext_lazy("%(who)s saved version %(number)s of the template “%(template)s”."),
    EventType.TEMPLATE_IN_FORCE: gettext_lazy(
        "%(who)s put version %(number)s of the template “%(template)s” in force."
    ),
    EventType.TEMPLATE_SWITCHED: gettext_lazy("%(who)s switched the template “%(template)s” on or off."),
    EventType.TEMPLATE_STANDARD: gettext_lazy("%(who)s changed the standard template of “%(what)s”."),
    EventType.TEMPLATE_TRIED: gettext_lazy("%(who)s had a version of the template “%(template)s” tried."),
    EventType.TEMPLATE_TRIAL_ENDED: gettext_lazy("A preview of the template “%(template)s” ended."),
    EventType.TEMPLATE_TRIAL_READ: gettext_lazy("%(who)s read a preview of the template “%(template)s”."),
    EventType.QUESTION_SET_CHANGED: gettext_lazy("%(who)s changed a question set: version %(version)s."),
    EventType.QUESTION_SET_TAKEN: gettext_lazy("%(who)s took version %(version)s of a question set as a file."),
    EventType.EVALUATION_STARTED: gettext_lazy("%(who)s had %(cases)s questions of a question set asked."),
    EventType.EVALUATION_STOPPED: gettext_lazy("%(who)s stopped a run of a question set."),
    EventType.EVALUATION_ENDED: gettext_lazy("A run of a question set ended."),
    EventType.EVALUATION_READ: gettext_lazy("%(who)s read the results of a run of a question set."),
    EventType.GATE_CHANGED: gettext_lazy("%(who)s changed what changes in “%(what)s” have to pass."),
    EventType.GATE_LOOSENING_ASKED: gettext_lazy("%(who)s wants the change gate of “%(what)s” to be easier to pass."),
    EventType.GATE_LOOSENING_WITHDRAWN: gettext_lazy(
        "%(who)s withdrew the wish that the change gate of “%(what)s” be easier to pass."
    ),
    EventType.GATE_PROPOSED: gettext_lazy("%(who)s proposed a change: %(what)s."),
    EventType.GATE_WITHDRAWN: gettext_lazy("%(who)s withdrew a proposed change: %(what)s."),
    EventType.GATE_OVERRIDE_ASKED: gettext_lazy("%(who)s wants a change that has not passed to go live: %(what)s."),
    EventType.GATE_OVERRIDDEN: gettext_lazy("%(who)s agreed that a change goes live without passing: %(what)s."),
    EventType.GATE_LIVE: gettext_lazy("%(who)s let a change go live: %(what)s."),
    EventType.PRECEDENTS_SOUGHT: gettext_lazy("%(who)s held a text against the documents open to them."),
    EventType.DRAFT_CLAIMED: gettext_lazy("%(who)s began to read a draft."),
    EventType.DRAFT_CLAIM_ENDED: gettext_lazy("%(who)s put a draft back into line."),
    EventType.DRAFT_RANKED: gettext_lazy("%(who)s changed the priority or due date of a draft."),
    EventType.DRAFT_REMINDED: gettext_lazy("People were reminded of a draft: %(when)s."),
    EventType.DRAFT_COMMENTED: gettext_lazy("%(who)s wrote a comment on a draft."),
    EventType.VIEW_SAVED: gettext_lazy("%(who)s saved a view of the review queue."),
    EventType.VIEW_DELETED: gettext_lazy("%(who)s deleted a saved view of the review queue."),
    EventType.DRAFT_REOPENED: gettext_lazy("%(who)s put a released answer under review again."),
    EventType.DRAFT_TAKEN_BACK: gettext_lazy("%(who)s took a released answer back for good."),
    EventType.DRAFT_REPLIED: gettext_lazy("%(who)s replied to what a reviewer wanted to know."),
    EventType.DRAFTS_BULK_APPROVED: gettext_lazy("%(who)s approved several identical drafts in one act."),
    EventType.REVIEW_REASONS_CHANGED: gettext_lazy(
        "%(who)s changed the reasons that the reviewers of “%(what)s” choose from."
    ),
    EventType.RELEASE_RULES_CHANGED: gettext_lazy("%(who)s changed the release rules of “%(what)s”."),
    EventType.RELEASE_RULES_TRIED: gettext_lazy("%(who)s looked at what release rules would have held in “%(what)s”."),
    EventType.NOTIFICATIONS_CHOSEN: gettext_lazy("%(who)s chose how they are told of things."),
    EventType.SIGNING_KEY_CHANGED: gettext_lazy("Checkpoints of this chain are signed with another key from now on."),
}

#: (event type, detail) → what the codes of this detail are called, as a table, or what says it. The apps above add
#: theirs; a code that no table has stays.
spoken: dict[tuple[str, str], Mapping[str, Any] | Callable[[str], Any]] = {}


class Setting(NamedTuple):
    """How a setting that was changed is told: what it is called, and what its values are called.

    `values`: a table of codes, or what says one value; None: they are names, numbers, or yes and no.
    """

    label: Any
    values: Mapping[Any, Any] | Callable[[Any], Any] | None = None


#: (event type, setting) → how it is told; "" for an entry about one thing, which it does not name. The apps above add
#: theirs; what is not here is told by its code.
spoken_settings: dict[tuple[str, str], Setting] = {}


def fields(type: str, model: type[Model], *names: str) -> None:
    """Have entries of `type` tell these settings as fields of `model` are called, with their choices."""
    for name in names:
        field = model._meta.get_field(name)
        known = spoken_settings.get((type, name), Setting(field.verbose_name)).values  # type: ignore[union-attr]
        choices = {**(known if isinstance(known, Mapping) else {}), **dict(field.flatchoices)}  # type: ignore[union-attr]
        spoken_settings[type, name] = Setting(field.verbose_name, choices or None)  # type: ignore[union-attr]


#: Their "after" is the entry behind which they begin.
_NO_CHANGE = frozenset({EventType.TRAIL_EXPORTED})

#: The name that was typed is no account's and is not kept: it may be a password in the wrong field.
_UNKNOWN_NAME = gettext_lazy("A sign-in with a name that no account has was refused.")


class _Words(dict[str, Any]):
    """What a sentence may name; a detail this entry does not have reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


def sentence(event: Event) -> str:
    """What happened, as one sentence in the reader's language. Plain text: escape it like any other."""
    words = _Words(details_of(event))
    words["who"] = event.actor_label if event.actor_id else _("The portal itself")
    words["what"] = event.object_label or "–"
    for (type_, name), said in spoken.items():
        if type_ == event.type and words.get(name) not in (None, ""):
            code = str(words[name])
            words[name] = said(code) if callable(said) else said.get(code, code)
    template = SENTENCES.get(event.type)
    if event.type == EventType.SIGN_IN_FAILED and "name_given" not in words:
        template = _UNKNOWN_NAME
    return str(template) % words if template else event.type


class Change(NamedTuple):
    """A setting that an entry says was changed."""

    name: str
    before: str
    after: str


def changes(event: Event) -> list[Change]:
    """What was changed from what to what, where the entry tells; a dash stands for what it does not tell.

    In words of the reader's language. Plain text: escape it like any other.
    """
    return [_change(event.type, name, before, after) for name, (before, after) in changed_by(event).items()]


def changed_by(event: Event) -> dict[str, tuple[Any, Any]]:
    """By setting what was changed from what to what, as the entry holds it; "" for the one it does not name."""
    details = details_of(event)
    before, after = details.get("before"), details.get("after")
    if (before is None and after is None) or event.type in _NO_CHANGE:
        return {}
    if not isinstance(before, dict) and not isinstance(after, dict):
        return {str(details.get("setting", "")): (before, after)}
    old, new = (part if isinstance(part, dict) else {} for part in (before, after))
    return {name: (old.get(name), new.get(name)) for name in sorted({*old, *new})}


def _change(type: str, name: str, before: Any, after: Any) -> Change:
    setting = spoken_settings.get((type, name), Setting(name))
    return Change(capfirst(str(setting.label)), _shown(before, setting.values), _shown(after, setting.values))


def _shown(value: Any, words: Mapping[Any, Any] | Callable[[Any], Any] | None) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(one, words) for one in value) or "–"
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if callable(words):
        return str(words(value if isinstance(value, dict) else str(value)))
    return str(words.get(value, value)) if words and isinstance(value, (str, int)) else str(value)


#: Each tells the reason of which an entry holds the hash alone, from its details, or "". The apps above add theirs.
kept_reasons: list[Callable[[dict[str, Any]], str]] = []


def reason(event: Event) -> str:
    """The reason the person gave, if any; for what a source took away, that it is gone there."""
    given = str(_body(event).get("reason", ""))
    if not given and (kept := details_of(event).get("reason_sha256")):
        told = (tell(details_of(event)) for tell in kept_reasons)
        return next((text for text in told if digest(text) == kept), "")
    if not given and event.type == EventType.DOCUMENT_DELETED and (source := details_of(event).get("source_name")):
        return _("No longer in the source “%(name)s”.") % {"name": source}
    return given


def details_of(event: Event) -> dict[str, Any]:
    """What the entry says beside who, what and why; nothing when it was damaged."""
    details = _body(event).get("details", {})
    return details if isinstance(details, dict) else {}


def _body(event: Event) -> dict[str, Any]:
    """The entry's content; nothing when it was damaged, which verification reports and a list must survive."""
    try:
        body = json.loads(event.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
