"""The addresses of questions and answers inside a workspace; `slug` is the workspace's."""

from django.urls import path

from answers import views
from answers.access import views as who_views
from answers.chat import feedback_views, history_views, suggestion_views
from answers.chat import views as asking_views
from answers.checks import views as check_views
from answers.citations import views as citation_views
from answers.cockpit import views as cockpit_views
from answers.draft_review import views as draft_review_views
from answers.evaluation.urls import urlpatterns as evaluation_urls
from answers.export import views as export_views
from answers.finetuning.urls import urlpatterns as finetuning_urls
from answers.gaps import views as gap_views
from answers.governing import views as governing_views
from answers.policy import views as policy_views
from answers.precedents import views as precedent_views
from answers.provenance import receipt_views
from answers.provenance import views as provenance_views
from answers.queue import views as review_time_views
from answers.rag_templates import preview_views
from answers.rag_templates import views as template_views
from answers.registry import views as model_views
from answers.replays import views as replay_views
from answers.reuse import views as reuse_views
from answers.review import views as review_views
from answers.suspension import views as standing_views

app_name = "answers"
urlpatterns = [
    *evaluation_urls,
    *finetuning_urls,
    path("cockpit/", cockpit_views.show, name="cockpit"),
    path("cockpit/table.csv", cockpit_views.download, name="cockpit_csv"),
    path("ask/", asking_views.ask, name="ask"),
    path("ask/new/", asking_views.new, name="new_conversation"),
    path("ask/<uuid:pk>/", asking_views.conversation, name="conversation"),
    path("ask/<uuid:pk>/rename/", asking_views.rename, name="rename_conversation"),
    path("ask/<uuid:pk>/delete/", asking_views.archive, name="archive_conversation"),
    path("settings/suggestions/", suggestion_views.suggested, name="suggestions"),
    path("settings/approved-answers/", reuse_views.settings, name="reuse"),
    path("approved/", reuse_views.approved, name="approved"),
    path("approved/<uuid:pk>/verify/", reuse_views.verify, name="verify_approved"),
    path("approved/<uuid:pk>/stop/", reuse_views.stop, name="stop_approved"),
    path("feedback/", feedback_views.listing, name="feedback_list"),
    path("gaps/", gap_views.gaps, name="gaps"),
    path("gaps/<uuid:pk>/", gap_views.gap, name="gap"),
    path("gaps/<uuid:pk>/assign/", gap_views.assign, name="assign_gap"),
    path("gaps/<uuid:pk>/close/", gap_views.close, name="close_gap"),
    path("gaps/<uuid:pk>/dismiss/", gap_views.dismiss, name="dismiss_gap"),
    path("gaps/<uuid:pk>/split/", gap_views.split, name="split_gap"),
    path("gaps/<uuid:pk>/merge/", gap_views.merge, name="merge_gap"),
    path("draft-review/", draft_review_views.examinations, name="examinations"),
    path("draft-review/next/", draft_review_views.next_waiting, name="next_examination"),
    path("draft-review/<uuid:pk>/", draft_review_views.examination, name="examination"),
    path("draft-review/<uuid:pk>/line/", draft_review_views.line, name="examination_line"),
    path("draft-review/<uuid:pk>/decide/", draft_review_views.decide, name="decide_finding"),
    path("draft-review/<uuid:pk>/review/", draft_review_views.review, name="review_findings"),
    path("draft-review/<uuid:pk>/reword/", draft_review_views.reword, name="reword_finding"),
    path("draft-review/<uuid:pk>/reopen/", draft_review_views.reopen, name="reopen_findings"),
    path("draft-review/<uuid:pk>/reply/", draft_review_views.reply, name="reply_about_draft"),
    path("draft-review/<uuid:pk>/delete/", draft_review_views.delete, name="delete_examination"),
    path("draft-review/<uuid:pk>/export/<slug:format>/", draft_review_views.export, name="export_examination"),
    path("answers/<uuid:pk>/feedback/", feedback_views.give, name="feedback"),
    path("answers/<uuid:pk>/send-gap/", gap_views.send, name="send_gap"),
    path("precedents/", precedent_views.precedents, name="precedents"),
    path("settings/templates/", template_views.listing, name="rag_templates"),
    path("settings/templates/adopt/", template_views.adopt, name="adopt_rag_template"),
    path("settings/templates/standard/", template_views.standard, name="standard_rag_template"),
    path("settings/templates/new/", template_views.new, name="new_rag_template"),
    path("settings/templates/<uuid:pk>/", template_views.detail, name="rag_template"),
    path("settings/templates/<uuid:pk>/edit/", template_views.edit, name="edit_rag_template"),
    path("settings/templates/<uuid:pk>/switch/", template_views.switch, name="switch_rag_template"),
    path("settings/templates/<uuid:pk>/duplicate/", template_views.duplicate, name="duplicate_rag_template"),
    path("settings/templates/versions/<uuid:pk>/", template_views.version, name="rag_template_version"),
    path("settings/templates/versions/<uuid:pk>/force/", template_views.put_in_force, name="force_rag_template"),
    path("settings/templates/versions/<uuid:pk>/preview/", preview_views.begin, name="begin_rag_preview"),
    path("settings/templates/previews/<uuid:pk>/", preview_views.show, name="rag_preview"),
    path("settings/checks/", check_views.settings, name="checks"),
    path("settings/models/", model_views.models, name="models"),
    path("settings/budgets/", governing_views.settings, name="budgets"),
    path("settings/stand-ins/", governing_views.stand_ins, name="stand_ins"),
    path("settings/release/", policy_views.rules, name="release_rules"),
    path("settings/reasons/", policy_views.review_reasons, name="review_reasons"),
    path("settings/review-time/", review_time_views.review_time, name="review_time"),
    path("questions/", history_views.history, name="history"),
    path("answers/<uuid:pk>/", views.answer, name="answer"),
    path("suspended/", standing_views.listing, name="suspended"),
    path("answers/<uuid:pk>/standing/", standing_views.standing, name="standing"),
    path("answers/<uuid:pk>/standing/confirm/", standing_views.confirm, name="confirm_standing"),
    path("answers/<uuid:pk>/standing/send-back/", standing_views.send_back, name="send_back"),
    path("answers/<uuid:pk>/share/", views.share, name="share"),
    path("answers/<uuid:pk>/card/", views.card, name="card"),
    path("answers/<uuid:pk>/events/", views.events, name="events"),
    path("answers/<uuid:pk>/stop/", views.stop, name="stop"),
    path("answers/<uuid:pk>/rephrase/", asking_views.rephrase, name="rephrase"),
    path("answers/<uuid:pk>/way-out/", asking_views.way_out, name="way_out"),
    path("answers/<uuid:pk>/again/", views.again, name="again"),
    path("answers/<uuid:pk>/reopen/", review_views.reopen, name="reopen"),
    path("answers/<uuid:pk>/reply/<uuid:question>/", review_views.reply, name="reply"),
    path("answers/<uuid:pk>/provenance/", provenance_views.provenance, name="provenance"),
    path("answers/<uuid:pk>/exchange/", provenance_views.exchange, name="exchange"),
    path("answers/<uuid:pk>/who/", who_views.who, name="who"),
    path("answers/<uuid:pk>/who/take-back/", who_views.take_back, name="take_back"),
    path("answers/<uuid:pk>/export/<slug:format>/", export_views.export, name="export"),
    path("answers/<uuid:pk>/replays/", replay_views.begin, name="begin_replay"),
    path("answers/<uuid:pk>/replays/<uuid:replay>/", replay_views.show, name="replay"),
    path("answers/<uuid:pk>/receipt/", receipt_views.receipt, name="receipt"),
    path("answers/<uuid:pk>/citations/<int:number>/", citation_views.citation, name="citation"),
]
