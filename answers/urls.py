"""The addresses of questions and answers inside a workspace; `slug` is the workspace's."""

from django.urls import path

from answers import model_views, receipt_views, views, who_views
from answers.export import views as export_views
from answers.replays import views as replay_views

app_name = "answers"
urlpatterns = [
    path("ask/", views.ask, name="ask"),
    path("settings/models/", model_views.models, name="models"),
    path("questions/", views.history, name="history"),
    path("answers/<uuid:pk>/", views.answer, name="answer"),
    path("answers/<uuid:pk>/share/", views.share, name="share"),
    path("answers/<uuid:pk>/card/", views.card, name="card"),
    path("answers/<uuid:pk>/events/", views.events, name="events"),
    path("answers/<uuid:pk>/stop/", views.stop, name="stop"),
    path("answers/<uuid:pk>/again/", views.again, name="again"),
    path("answers/<uuid:pk>/provenance/", views.provenance, name="provenance"),
    path("answers/<uuid:pk>/who/", who_views.who, name="who"),
    path("answers/<uuid:pk>/who/take-back/", who_views.take_back, name="take_back"),
    path("answers/<uuid:pk>/export/<slug:format>/", export_views.export, name="export"),
    path("answers/<uuid:pk>/replays/", replay_views.begin, name="begin_replay"),
    path("answers/<uuid:pk>/replays/<uuid:replay>/", replay_views.show, name="replay"),
    path("answers/<uuid:pk>/receipt/", receipt_views.receipt, name="receipt"),
    path("answers/<uuid:pk>/citations/<int:number>/", views.citation, name="citation"),
]
