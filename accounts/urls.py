"""The addresses of users, below ``/api/v1/``."""

from accounts.views.users import UserViewSet
from nexus.api.routers import Router

router = Router()
router.register("users", UserViewSet, basename="user")

urlpatterns = router.urls
