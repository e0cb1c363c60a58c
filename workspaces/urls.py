"""The addresses of workspaces and their people."""

from django.urls import path

from workspaces import views
from workspaces.access_review import views as review_views
from workspaces.bars import views as bar_views
from workspaces.glass import views as glass_views
from workspaces.notifications import views as notification_views
from workspaces.readiness import views as readiness
from workspaces.tokens import views as token_views
from workspaces.view_as import views as view_as_views

app_name = "workspaces"
urlpatterns = [
    path("account/tokens/", token_views.own, name="tokens"),
    path("account/tokens/<uuid:pk>/revoke/", token_views.revoke, name="revoke_token"),
    path("account/notifications/", notification_views.own, name="notifications"),
    path("account/notifications/choices/", notification_views.choices, name="notification_choices"),
    path("account/notifications/read/", notification_views.read_all, name="read_notifications"),
    path("account/notifications/<uuid:pk>/", notification_views.open_one, name="open_notification"),
    path("workspaces/new/", views.create, name="create"),
    path("glass/<slug:slug>/", glass_views.state_reason, name="glass"),
    path("glass/<slug:slug>/end/", glass_views.end, name="end_glass"),
    path("view-as/end/", view_as_views.end_view, name="end_view"),
    path("w/<slug:slug>/", views.detail, name="detail"),
    path("w/<slug:slug>/people/", views.people, name="people"),
    path("w/<slug:slug>/people/add/", views.add_person, name="add_person"),
    path("w/<slug:slug>/people/never/", bar_views.rules, name="bars"),
    path("w/<slug:slug>/people/never/<uuid:pk>/lift/", bar_views.lift, name="lift_bar"),
    path("w/<slug:slug>/people/<uuid:pk>/why/", bar_views.person, name="person"),
    path("w/<slug:slug>/people/<uuid:pk>/", views.change_person, name="change_person"),
    path("w/<slug:slug>/access-review/", review_views.reviews, name="access_reviews"),
    path("w/<slug:slug>/access-review/start/", review_views.start, name="start_review"),
    path("w/<slug:slug>/access-review/<uuid:pk>/", review_views.review, name="access_review"),
    path("w/<slug:slug>/access-review/<uuid:pk>/decide/", review_views.decide, name="decide_review"),
    path("w/<slug:slug>/access-review/<uuid:pk>/catch-up/", review_views.catch_up, name="catch_up_review"),
    path("w/<slug:slug>/access-review/<uuid:pk>/sign/", review_views.sign, name="sign_review"),
    path("w/<slug:slug>/readiness/", readiness.overview, name="readiness"),
    path("w/<slug:slug>/readiness/check/", readiness.check, name="check_readiness"),
    path("w/<slug:slug>/readiness/phase/", readiness.move, name="move_phase"),
    path("w/<slug:slug>/readiness/watch/", readiness.watch, name="watch_readiness"),
    path("w/<slug:slug>/readiness/<uuid:pk>/", readiness.run, name="readiness_run"),
    path("w/<slug:slug>/readiness/<uuid:pk>/report/", readiness.take, name="take_readiness"),
    path("w/<slug:slug>/readiness/<uuid:pk>/pdf/", readiness.as_pdf, name="readiness_pdf"),
    path("w/<slug:slug>/settings/", views.settings, name="settings"),
    path("w/<slug:slug>/archive/", views.archive, name="archive"),
]
