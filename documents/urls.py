"""The addresses of documents inside a workspace; `slug` is the workspace's."""

from django.urls import path

from documents import act_views, views
from documents.access import views as access_views
from documents.bulk import views as bulk_views
from documents.cards import views as card_views
from documents.changes import views as change_views
from documents.coverage import views as coverage_views
from documents.deletion import views as deletion_views
from documents.folders import views as folder_views
from documents.reembedding import views as reembedding_views
from documents.sources import views as source_views
from documents.viewer import views as viewer_views

app_name = "documents"
urlpatterns = [
    path("", views.list_documents, name="list"),
    path("upload/", act_views.upload, name="upload"),
    path("retry/", act_views.retry_all, name="retry_all"),
    path("progress/", views.progress, name="progress"),
    path("bulk/", bulk_views.choose, name="bulk"),
    path("bulk/order/", bulk_views.order, name="bulk_order"),
    path("bulk/<uuid:pk>/", bulk_views.show_run, name="bulk_run"),
    path("folders/", folder_views.list_folders, name="folders"),
    path("folders/create/", folder_views.create_folder, name="create_folder"),
    path("folders/<uuid:folder>/rename/", folder_views.rename_folder, name="rename_folder"),
    path("folders/<uuid:folder>/remove/", folder_views.remove_folder, name="remove_folder"),
    path("coverage/", coverage_views.show_coverage, name="coverage"),
    path("coverage/alike/", coverage_views.show_near_duplicates, name="alike"),
    path("coverage/table.csv", coverage_views.download_coverage, name="coverage_csv"),
    path("embedding/", reembedding_views.show_embedding, name="embedding"),
    path("embedding/progress/", reembedding_views.embedding_progress, name="embedding_progress"),
    path("embedding/plan/", reembedding_views.plan_embedding, name="plan_embedding"),
    path("embedding/<uuid:pk>/steer/", reembedding_views.steer_embedding, name="steer_embedding"),
    path("embedding/<uuid:pk>/compare/", reembedding_views.compare_embedding, name="compare_embedding"),
    path("sources/", source_views.list_sources, name="sources"),
    path("sources/add/", source_views.add_source, name="add_source"),
    path("sources/<uuid:pk>/", source_views.show_source, name="source"),
    path("sources/<uuid:pk>/progress/", source_views.source_progress, name="source_progress"),
    path("sources/<uuid:pk>/edit/", source_views.edit_source, name="edit_source"),
    path("sources/<uuid:pk>/pause/", source_views.pause, name="pause_source"),
    path("sources/<uuid:pk>/resume/", source_views.resume, name="resume_source"),
    path("sources/<uuid:pk>/run/", source_views.run_source, name="run_source"),
    path("sources/<uuid:pk>/confirm/", source_views.confirm_source, name="confirm_source"),
    path("sources/<uuid:pk>/remove/", source_views.remove_source, name="remove_source"),
    path("deleted/", deletion_views.list_deleted, name="deleted"),
    path("deleted/<uuid:pk>/", deletion_views.show_deleted, name="deletion"),
    path("deleted/<uuid:pk>/receipt.json", deletion_views.download_receipt, name="deletion_receipt"),
    path("deleted/<uuid:pk>/restore/", deletion_views.restore, name="restore"),
    path("deleted/<uuid:pk>/look/", deletion_views.look_again, name="look_again"),
    path("holds/", deletion_views.list_holds, name="holds"),
    path("holds/place/", deletion_views.place_hold, name="place_hold"),
    path("holds/<uuid:pk>/lift/", deletion_views.lift_hold, name="lift_hold"),
    path("retention/", deletion_views.change_retention, name="retention"),
    path("restricted/", access_views.restricted, name="restricted"),
    path("<uuid:pk>/who/", access_views.who, name="who"),
    path("<uuid:pk>/who/let-in/", access_views.let_in, name="let_in"),
    path("<uuid:pk>/who/take-back/", access_views.take_back, name="take_back"),
    path("<uuid:pk>/who/never/", access_views.bar, name="bar"),
    path("<uuid:pk>/who/never/<uuid:rule>/lift/", access_views.lift, name="lift_bar"),
    path("<uuid:pk>/", viewer_views.detail, name="detail"),
    path("<uuid:pk>/changes/", change_views.changes, name="changes"),
    path("<uuid:pk>/versions/<uuid:version>/status/", viewer_views.status, name="status"),
    path("<uuid:pk>/versions/<uuid:version>/pages/<int:number>.png", viewer_views.page, name="page"),
    path("<uuid:pk>/versions/<uuid:version>/original/", viewer_views.original, name="original"),
    path("<uuid:pk>/card/", card_views.edit_card, name="card"),
    path("<uuid:pk>/confirm/", card_views.confirm, name="confirm"),
    path("<uuid:pk>/retry/", act_views.retry, name="retry"),
    path("<uuid:pk>/delete/", deletion_views.delete, name="delete"),
    path("<uuid:pk>/classify/", act_views.classify, name="classify"),
    path("<uuid:pk>/usage/", act_views.state_usage, name="state_usage"),
    path("<uuid:pk>/restrict/", act_views.restrict, name="restrict"),
    path("<uuid:pk>/unrestrict/", act_views.unrestrict, name="unrestrict"),
    path("<uuid:pk>/grant/", act_views.grant, name="grant"),
    path("<uuid:pk>/revoke/", act_views.revoke, name="revoke"),
]
