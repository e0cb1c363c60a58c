"""The addresses of documents inside a workspace; `slug` is the workspace's."""

from django.urls import URLPattern

app_name = "documents"
urlpatterns: list[URLPattern] = []
