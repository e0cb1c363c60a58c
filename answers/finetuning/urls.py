"""The addresses of fine-tuning inside a workspace."""

from django.urls import path

from answers.finetuning import comparison_views, job_views, set_views, views

urlpatterns = [
    path("fine-tuning/", views.overview, name="finetuning"),
    path("fine-tuning/rules/", views.rules, name="tuning_rules"),
    path("fine-tuning/assess/", views.assess, name="assess"),
    path("fine-tuning/assessments/<uuid:pk>/", views.assessment, name="assessment"),
    path("fine-tuning/assessments/<uuid:pk>/again/", views.assess_again, name="assess_again"),
    path("fine-tuning/assessments/<uuid:pk>/file/<slug:format>/", views.take_assessment, name="assessment_file"),
    path("fine-tuning/sets/new/", set_views.ask, name="new_training_set"),
    path("fine-tuning/sets/<uuid:pk>/", set_views.show, name="training_set"),
    path("fine-tuning/sets/<uuid:pk>/choose/", set_views.choose, name="choose_examples"),
    path("fine-tuning/sets/<uuid:pk>/seal/", set_views.seal, name="seal_training_set"),
    path("fine-tuning/sets/<uuid:pk>/file/<slug:what>/", set_views.take, name="training_file"),
    path("fine-tuning/sets/<uuid:pk>/train/", set_views.train, name="begin_tuning"),
    path("fine-tuning/jobs/<uuid:pk>/", job_views.show, name="tuning_job"),
    path("fine-tuning/jobs/<uuid:pk>/cancel/", job_views.cancel, name="cancel_tuning"),
    path("fine-tuning/jobs/<uuid:pk>/forget/", job_views.forget_model, name="forget_tuned_model"),
    path("fine-tuning/jobs/<uuid:pk>/compare/", comparison_views.start, name="compare_tuning"),
    path("fine-tuning/comparisons/<uuid:pk>/", comparison_views.show, name="tuning_comparison"),
    path("fine-tuning/flags/<uuid:pk>/", views.flag, name="training_flag"),
]
