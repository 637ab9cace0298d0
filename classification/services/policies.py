"""The policy of each taxonomy: its own, or what holds where nobody has decided."""

from collections.abc import Mapping
from time import monotonic
from typing import Any

from classification.models import Policy
from products.models import Taxonomy

# Every answer that is certain asks for the share of audits; a change of it is seen everywhere after this time.
KEPT_S = 10.0

_shares: dict[int, tuple[float, float]] = {}


def policy_of(taxonomy: Taxonomy) -> Policy:
    """The policy of a taxonomy; one of defaults, unsaved, when nobody has written one."""
    return Policy.objects.filter(taxonomy=taxonomy).first() or Policy(taxonomy=taxonomy)


def locked_policy(taxonomy: Taxonomy) -> Policy:
    """The policy of a taxonomy with its row locked, made of defaults when there was none."""
    Policy.objects.get_or_create(taxonomy=taxonomy)
    return Policy.objects.select_for_update().get(taxonomy=taxonomy)


def change(policy: Policy, values: Mapping[str, Any]) -> Policy:
    """Write new values to a locked policy."""
    for name, value in values.items():
        setattr(policy, name, value)
    policy.save()
    forget_share(policy)
    return policy


def audit_share(taxonomy_id: int) -> float:
    """The share of certain answers that people look at as well, as it was at most ten seconds ago."""
    read_at, share = _shares.get(taxonomy_id, (-KEPT_S, 0.0))
    if monotonic() - read_at >= KEPT_S:
        policy = Policy.objects.filter(taxonomy=taxonomy_id).first() or Policy()
        share = policy.audit_share
        _shares[taxonomy_id] = (monotonic(), share)
    return share


def forget_share(policy: Policy) -> None:
    """Let this process see a change at once."""
    _shares.pop(policy.taxonomy_id, None)
