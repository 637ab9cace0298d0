"""The forms of the admin site that are about users; they change things through the services."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.roles import ROLES
from accounts.services.signing_in import check_credentials
from accounts.services.users import UserChanges, keep_an_administrator, set_password, stays_administrator
from nexus.api.errors import Problem
from nexus.ops.address import client_address


class LoginForm(AdminAuthenticationForm):
    """The sign-in of the admin site, under the same limits as that of the API."""

    def clean(self) -> dict[str, Any]:
        """Find the user. Raises ValidationError for wrong credentials, and after too many failures."""
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password and self.request is not None:
            try:
                user = check_credentials(
                    email=email,
                    password=password,
                    address=client_address(self.request),
                    request=self.request,
                )
            except Problem as problem:
                if problem.status_code == 401:
                    raise self.get_invalid_login_error() from None
                raise ValidationError(str(problem.detail), code=problem.code) from None
            self.confirm_login_allowed(user)
            self.user_cache = user
        return self.cleaned_data


class PasswordServiceMixin:
    """Sets a password through the service, so that the user's sessions end."""

    cleaned_data: dict[str, Any]

    def set_password_and_save(
        self,
        user: User,
        password_field_name: str = "password1",  # noqa: S107 - the name of a field
        commit: bool = True,
        **kwargs: Any,
    ) -> User:
        """The user with the password of the form, or with none when it is to be unusable."""
        usable = self.cleaned_data.get("set_usable_password", True)
        set_password(user=user, password=self.cleaned_data[password_field_name] if usable else None)
        return user


class OwnPasswordForm(PasswordServiceMixin, AdminPasswordChangeForm):
    """A change of one's own password."""


class PasswordForm(PasswordServiceMixin, auth_forms.AdminPasswordChangeForm):
    """A password given to somebody else."""


class RolesMixin(forms.Form):
    """The roles as boxes to tick."""

    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="What the user may do, in the API and here. A role holds what the roles above it hold.",
    )


class UserCreationForm(RolesMixin, auth_forms.AdminUserCreationForm):
    """A new user."""

    class Meta:
        model = User
        fields = ["email", "name", "is_staff"]


class UserForm(RolesMixin, forms.ModelForm):
    """A change of a user."""

    password = auth_forms.ReadOnlyPasswordHashField()

    class Meta:
        model = User
        fields = ["email", "name", "is_active", "is_staff"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].initial = self.instance.roles

    def changes(self) -> UserChanges:
        """What the form asks to be changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}  # type: ignore[return-value]

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError when nobody would be left to administer."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not stays_administrator(self.instance, self.changes()):
            try:
                with transaction.atomic():
                    keep_an_administrator(self.instance)
            except Problem as problem:
                raise ValidationError(str(problem.detail), code=problem.code) from None
        return cleaned
