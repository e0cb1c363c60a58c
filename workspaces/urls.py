"""The addresses of workspaces and their people."""

from django.urls import path

from workspaces import views

app_name = "workspaces"
urlpatterns = [
    path("workspaces/new/", views.create, name="create"),
    path("w/<slug:slug>/", views.detail, name="detail"),
    path("w/<slug:slug>/people/", views.people, name="people"),
    path("w/<slug:slug>/people/add/", views.add_person, name="add_person"),
    path("w/<slug:slug>/people/<uuid:pk>/", views.change_person, name="change_person"),
    path("w/<slug:slug>/settings/", views.settings, name="settings"),
    path("w/<slug:slug>/archive/", views.archive, name="archive"),
]
