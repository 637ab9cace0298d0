"""The addresses below ``/auth/``."""

from django.urls import path

from accounts.views.authentication import LoginView, LogoutView, RefreshView
from accounts.views.me import MeView, MySessionViewSet, PasswordView
from nexus.api.routers import Router

router = Router()
router.register("sessions", MySessionViewSet, basename="my-session")

urlpatterns = [
    path("login", LoginView.as_view(), name="login"),
    path("refresh", RefreshView.as_view(), name="refresh"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("me", MeView.as_view(), name="me"),
    path("password", PasswordView.as_view(), name="password"),
    *router.urls,
]
