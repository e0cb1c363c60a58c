"""The addresses of question sets, runs and the gate inside a workspace."""

from django.urls import path

from answers.evaluation import gate_views, run_views, views

urlpatterns = [
    path("evaluation/", views.overview, name="evaluation"),
    path("evaluation/new/", views.create, name="create_question_set"),
    path("evaluation/sets/<uuid:pk>/", views.question_set, name="question_set"),
    path("evaluation/sets/<uuid:pk>/add/", views.add, name="add_case"),
    path("evaluation/sets/<uuid:pk>/import/", views.bring, name="import_cases"),
    path("evaluation/sets/<uuid:pk>/take-out/", views.take_out, name="remove_case"),
    path("evaluation/sets/<uuid:pk>/start/", run_views.start, name="start_evaluation"),
    path("evaluation/sets/<uuid:pk>/file/<slug:format>/", views.take, name="question_set_file"),
    path("evaluation/runs/<uuid:pk>/", run_views.run, name="evaluation_run"),
    path("evaluation/runs/<uuid:pk>/stop/", run_views.stop, name="stop_evaluation"),
    path("evaluation/runs/<uuid:pk>/resume/", run_views.resume, name="resume_evaluation"),
    path("evaluation/runs/<uuid:pk>/repeat/", run_views.repeat, name="repeat_evaluation"),
    path("evaluation/gate/", gate_views.candidates, name="gate"),
    path("evaluation/gate/propose/", gate_views.propose, name="propose_change"),
    path("evaluation/gate/<uuid:pk>/", gate_views.act, name="act_on_change"),
    path("settings/gate/", gate_views.settings, name="gate_settings"),
    path("settings/gate/loosen/", gate_views.loosen, name="loosen_gate"),
    path("answers/<uuid:pk>/keep-question/", views.keep, name="keep_question"),
]
