"""The staff site, in the place of Django's own."""

from django.contrib.admin.apps import AdminConfig


class NexusAdminConfig(AdminConfig):
    """Django's admin with the site of `nexus.admin.site`."""

    default_site = "nexus.admin.site.NexusAdminSite"
