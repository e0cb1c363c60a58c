"""The addresses of documents inside a workspace; `slug` is the workspace's."""

from django.urls import path

from documents import access_views, act_views, change_views, source_views, viewer_views, views

app_name = "documents"
urlpatterns = [
    path("", views.list_documents, name="list"),
    path("upload/", act_views.upload, name="upload"),
    path("retry/", act_views.retry_all, name="retry_all"),
    path("progress/", views.progress, name="progress"),
    path("sources/", source_views.list_sources, name="sources"),
    path("sources/add/", source_views.add_source, name="add_source"),
    path("sources/<uuid:pk>/", source_views.show_source, name="source"),
    path("sources/<uuid:pk>/progress/", source_views.source_progress, name="source_progress"),
    path("sources/<uuid:pk>/edit/", source_views.edit_source, name="edit_source"),
    path("sources/<uuid:pk>/run/", source_views.run_source, name="run_source"),
    path("sources/<uuid:pk>/confirm/", source_views.confirm_source, name="confirm_source"),
    path("sources/<uuid:pk>/remove/", source_views.remove_source, name="remove_source"),
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
    path("<uuid:pk>/retry/", act_views.retry, name="retry"),
    path("<uuid:pk>/delete/", act_views.delete, name="delete"),
    path("<uuid:pk>/classify/", act_views.classify, name="classify"),
    path("<uuid:pk>/restrict/", act_views.restrict, name="restrict"),
    path("<uuid:pk>/unrestrict/", act_views.unrestrict, name="unrestrict"),
    path("<uuid:pk>/grant/", act_views.grant, name="grant"),
    path("<uuid:pk>/revoke/", act_views.revoke, name="revoke"),
]
