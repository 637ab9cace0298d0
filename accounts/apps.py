"""The Django application of accounts."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete

from accounts.roles import ADMINISTRATOR, crud, grant


class AccountsConfig(AppConfig):
    """Accounts."""

    name = "accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        """Give the administrators what is theirs, and describe the ways to sign in to the OpenAPI schema."""
        grant(ADMINISTRATOR, "accounts.view_user", *crud("accounts", "user"))
        grant(ADMINISTRATOR, "accounts.view_session", "accounts.change_session")
        # Jobs are below this room and know no roles. Their owners need no permission for them.
        grant(ADMINISTRATOR, "nexus_jobs.view_job", "nexus_jobs.change_job", "nexus_jobs.view_chunk")
        from accounts import doctor, liveness, schema  # noqa: F401 - the schema registers itself

        doctor.register_checks()

        user_logged_in.connect(liveness.announce_sign_in)
        post_delete.connect(liveness.forget_deleted_user, sender=self.get_model("User"))
