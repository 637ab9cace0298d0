"""The Django application of classification."""

from django.apps import AppConfig


class ClassificationConfig(AppConfig):
    """Classification: classifiers, their answers, and reviews."""

    name = "classification"
    verbose_name = "Classification"

    def ready(self) -> None:
        """Tell the roles what they may, the job room what kinds there are, and operators what to watch."""
        from accounts import roles
        from classification import observation
        from classification.services import (  # noqa: F401 - they register their kinds of jobs
            carrying,
            classify,
            mapping_suggestions,
            rule_checks,
            shadow,
            training,
        )

        roles.grant(
            roles.VIEWER,
            "classification.view_classification",
            "classification.view_classifier",
            "classification.view_review",
            "classification.view_policy",
            "classification.view_activation",
            "classification.view_shadowrun",
            "classification.view_difference",
            "classification.view_alarm",
            "classification.view_rule",
            "classification.view_ruleconflict",
        )
        roles.grant(roles.EDITOR, "classification.run_classification")
        roles.grant(roles.REVIEWER, "classification.decide_review")
        roles.grant(
            roles.ADMINISTRATOR,
            *roles.crud("classification", "classifier"),
            *roles.crud("classification", "policy"),
            *roles.crud("classification", "rule"),
        )
        observation.register()
        carrying.register()
