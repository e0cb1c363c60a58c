"""Make the portal's own admin site the one that `django.contrib.admin` hands out."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "workspaces.admin_site.PortalAdminSite"
