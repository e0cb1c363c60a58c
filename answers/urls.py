"""The addresses of answers inside a workspace; `slug` is the workspace's."""

from django.urls import URLPattern

app_name = "answers"
urlpatterns: list[URLPattern] = []
