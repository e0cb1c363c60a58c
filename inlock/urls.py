"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

from answers.cockpit import views as cockpit_views
from inlock import health_views
from inlock.api import api
from workspaces import language_views
from workspaces.views import home

urlpatterns = [
    path("health/live", health_views.live, name="health_live"),
    path("health/ready", health_views.ready, name="health_ready"),
    path("admin/health/", admin.site.admin_view(health_views.page), name="admin_health"),
    path("admin/health/<uuid:pk>/compare/", admin.site.admin_view(health_views.compare), name="admin_health_compare"),
    path("admin/", admin.site.urls),
    path("", include("workspaces.identity.urls")),
    path("api/v1/", api.urls),
    path("i18n/setlang/", language_views.choose, name="set_language"),
    path("cockpit/", cockpit_views.show_all, name="cockpit"),
    path("cockpit/table.csv", cockpit_views.download_all, name="cockpit_csv"),
    path("", home, name="home"),
    path("", include("workspaces.urls")),
    path("w/<slug:slug>/documents/", include("documents.urls")),
    path("w/<slug:slug>/", include("answers.urls")),
]
