"""What the API takes and gives about classifiers, and how they are made and exchanged."""

from typing import Any

from rest_framework import serializers

from classification.models import Classifier, Difference, Policy, ShadowRun
from classification.serializers.answers import (
    CandidateSerializer,
    CategoryBriefSerializer,
    ClassifierBriefSerializer,
)
from classification.services import shadow
from nexus.api.serializers import ModelSerializer, Serializer
from nexus.jobs.models import Job


class ClassifierSerializer(ModelSerializer):
    """A version of a classifier with its measured figures."""

    taxonomy = serializers.CharField(source="taxonomy.code")
    taxonomy_version = serializers.CharField(source="taxonomy.version")
    job_id = serializers.PrimaryKeyRelatedField[Job](
        source="job",
        read_only=True,
        allow_null=True,
        help_text="Null for the first one, which no job trained.",
    )

    class Meta:
        model = Classifier
        fields = [
            "id",
            "taxonomy",
            "taxonomy_version",
            "version",
            "status",
            "training_size",
            "metrics",
            "comparison",
            "job_id",
            "error",
            "created_at",
            "activated_at",
        ]
        read_only_fields = fields


class DecidedSerializer(serializers.Serializer[Any]):
    """What people decided about answers of a classifier."""

    reviewed = serializers.IntegerField()
    accepted = serializers.IntegerField()
    corrected = serializers.IntegerField()
    rejected = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="95 % interval of the precision."
    )


class DecidedBySourceSerializer(serializers.Serializer[Any]):
    """The doubtful answers, and the certain ones that were drawn by lot; only these tell of all certain answers."""

    doubtful = DecidedSerializer()
    audits = DecidedSerializer()


class ClassifierDetailSerializer(ClassifierSerializer):
    """A version of a classifier, and how it has done since."""

    decided = DecidedBySourceSerializer()

    class Meta(ClassifierSerializer.Meta):
        fields = [*ClassifierSerializer.Meta.fields, "decided"]
        read_only_fields = fields


class TrainSerializer(Serializer):
    """For which taxonomy to train a classifier."""

    taxonomy = serializers.CharField(required=False, max_length=101)


class ComparedProductSerializer(serializers.Serializer[Any]):
    """A product about which two classifiers differ."""

    product_id = serializers.IntegerField()
    name = serializers.CharField()
    before = CandidateSerializer()
    after = CandidateSerializer()


class ComparedSerializer(ClassifierBriefSerializer):
    """One of two classifiers that were compared."""

    metrics = serializers.DictField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """What two classifiers say about the newest products."""

    classifier = ComparedSerializer()
    compared = serializers.IntegerField()
    different = serializers.IntegerField()
    differences = ComparedProductSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """``with`` is a word of Python, so the field is named here."""
        return {"classifier": ComparedSerializer(), "with": ComparedSerializer(), **super().get_fields()}


class LevelSerializer(serializers.Serializer[Any]):
    """How often answers are right down to a number of steps from the root, 1 for the step below it."""

    level = serializers.IntegerField()
    accuracy = serializers.FloatField()


class CategoryFiguresSerializer(serializers.Serializer[Any]):
    """How good the answers are of one category."""

    category = CategoryBriefSerializer()
    examples = serializers.IntegerField()
    precision = serializers.FloatField(allow_null=True)
    recall = serializers.FloatField(allow_null=True)


class ConfusionSerializer(serializers.Serializer[Any]):
    """How often one category was answered instead of another."""

    category = CategoryBriefSerializer()
    answered = CategoryBriefSerializer()
    count = serializers.IntegerField()


class CalibrationBinSerializer(serializers.Serializer[Any]):
    """How often answers of about the same confidence are right."""

    confidence = serializers.FloatField(allow_null=True)
    accuracy = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """``from`` is a word of Python, so the field is named here."""
        bounds = {"from": serializers.FloatField(), "to": serializers.FloatField()}
        return {**bounds, **super().get_fields()}


class CoverageSerializer(serializers.Serializer[Any]):
    """How many answers would be certain if this precision were promised."""

    precision = serializers.FloatField()
    coverage = serializers.FloatField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)


class ReportSerializer(serializers.Serializer[Any]):
    """What was measured when a classifier was trained; lists are empty where nothing could be."""

    levels = LevelSerializer(many=True)
    categories = CategoryFiguresSerializer(many=True)
    confusions = ConfusionSerializer(many=True)
    calibration = CalibrationBinSerializer(many=True)
    coverage = CoverageSerializer(many=True)


class StartShadowSerializer(Serializer):
    """How many of the newest products to run over."""

    size = serializers.IntegerField(
        required=False, min_value=1, max_value=shadow.MOST_SIZE, default=shadow.DEFAULT_SIZE
    )


class ShadowRunSerializer(ModelSerializer):
    """A run of a classifier beside the active one; the counts are null until its job has ended."""

    job_id = serializers.PrimaryKeyRelatedField[Job](source="job", read_only=True)
    status = serializers.CharField(source="job.status", help_text="Of its job.")
    compared = serializers.IntegerField(source="job.succeeded", help_text="Products so far.")
    classifier_id = serializers.IntegerField()
    with_id = serializers.IntegerField(source="against_id", help_text="The one that was active.")

    class Meta:
        model = ShadowRun
        fields = [
            "id",
            "job_id",
            "status",
            "classifier_id",
            "with_id",
            "compared",
            "agree",
            "differ",
            "differ_both_certain",
            "certain_only_candidate",
            "certain_only_active",
        ]
        read_only_fields = fields


class SideSerializer(serializers.Serializer[Any]):
    """What one of two classifiers says."""

    category = CategoryBriefSerializer(allow_null=True)
    confidence = serializers.FloatField()
    is_certain = serializers.BooleanField()


class DifferenceSerializer(ModelSerializer):
    """A product about which they differ."""

    before = SideSerializer(help_text="The active one.")
    after = SideSerializer()

    class Meta:
        model = Difference
        fields = ["position", "product_id", "name", "before", "after"]
        read_only_fields = fields


class PolicySerializer(ModelSerializer):
    """What is promised of the classifiers of a taxonomy, and when a new one is made and activated."""

    class Meta:
        model = Policy
        fields = [
            "promised_precision",
            "audit_share",
            "retrain_after_decisions",
            "retrain_cron",
            "activation",
        ]
        extra_kwargs = {name: {"required": True} for name in fields}
