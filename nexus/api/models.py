"""The one table of the API kit."""

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """The answer given to a POST with an ``Idempotency-Key``, kept 24 hours to be given again."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="nexus_idempotency_key_unique"),
        ]

    def __str__(self) -> str:
        return self.key
