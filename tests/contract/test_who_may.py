"""Who may do what, at every address."""

from rest_framework.test import APIClient

from tests.contract.conftest import expect_nothing, fault_of, send
from tests.contract.routes import OWN, UNSAFE, operations
from tests.contract.world import World


def test_without_a_token_everything_but_the_open_addresses_is_a_401_with_a_challenge(world: World) -> None:
    faults = {}
    for operation in operations():
        if operation.is_open:
            continue
        answer = send(APIClient(), operation.method, world.address(operation.path))
        challenge = answer.headers.get("WWW-Authenticate") == "Bearer"
        faults[str(operation)] = fault_of(answer, 401) or ("" if challenge else "without WWW-Authenticate")
    expect_nothing(faults)


def test_the_open_addresses_ask_for_no_token(world: World) -> None:
    answers = {
        str(operation): send(
            APIClient(), operation.method, operation.path, {} if operation.method == "POST" else None
        )
        for operation in operations()
        if operation.is_open
    }
    expect_nothing(
        {
            name: "" if answer.status_code in {200, 400} else str(answer.status_code)
            for name, answer in answers.items()
        }
    )


def test_without_a_role_everything_but_what_is_about_oneself_is_a_403(
    world: World, as_stranger: APIClient
) -> None:
    expect_nothing(
        {
            str(operation): fault_of(
                send(as_stranger, operation.method, world.address(operation.path)), 403, code="no_role"
            )
            for operation in operations()
            if not operation.is_open and not operation.path.startswith(OWN)
        }
    )


def test_a_viewer_changes_nothing(world: World, as_viewer: APIClient) -> None:
    expect_nothing(
        {
            str(operation): fault_of(
                send(as_viewer, operation.method, world.address(operation.path)),
                403,
                404,
                code="" if "/jobs/" in operation.path else "permission_denied",
            )
            for operation in operations()
            if operation.method in UNSAFE and not operation.path.startswith(OWN)
        }
    )


def test_a_viewer_reads_everything_but_users(world: World, as_viewer: APIClient) -> None:
    faults = {}
    for operation in operations():
        if operation.method != "GET" or operation.path.startswith(OWN):
            continue
        answer = send(as_viewer, "GET", world.address(operation.path))
        private = "/users" in operation.path
        # The jobs of others are not there for a viewer, and comparing needs to know with what.
        expected = {403} if private else {200, 404} if "{pk}" in operation.path else {200}
        if operation.path.endswith("/compare"):
            expected = {400}
        faults[str(operation)] = "" if answer.status_code in expected else str(answer.status_code)
    expect_nothing(faults)
