"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

from inlock.api import api
from workspaces.views import home

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("workspaces.identity.urls")),
    path("api/v1/", api.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", home, name="home"),
    path("", include("workspaces.urls")),
    path("w/<slug:slug>/documents/", include("documents.urls")),
    path("w/<slug:slug>/", include("answers.urls")),
]
