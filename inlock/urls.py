"""Every address of the portal."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from workspaces.views import home

urlpatterns = [
    path("admin/", admin.site.urls),
    path("sign-in/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", home, name="home"),
    path("", include("workspaces.urls")),
    path("w/<slug:slug>/documents/", include("documents.urls")),
    path("w/<slug:slug>/", include("answers.urls")),
]
