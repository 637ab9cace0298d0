"""The staff site."""

from django.contrib import admin


class NexusAdminSite(admin.AdminSite):
    """The admin site of Nexus."""

    site_header = site_title = "Nexus"
    index_title = "Catalogue"
    site_url = "/docs"
