"""Steps between taxonomies, whose ends the database keeps within them, and what was carried along."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# As for the parents of categories: a step ends in the taxonomies that it is between.
ENDS = """
ALTER TABLE products_categorymapping
    ADD CONSTRAINT products_categorymapping_source_in_its_taxonomy
    FOREIGN KEY (source_id, source_taxonomy_id) REFERENCES products_category (id, taxonomy_id)
    DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT products_categorymapping_target_in_its_taxonomy
    FOREIGN KEY (target_id, target_taxonomy_id) REFERENCES products_category (id, taxonomy_id)
    DEFERRABLE INITIALLY DEFERRED;
"""
ENDS_BACK = """
ALTER TABLE products_categorymapping
    DROP CONSTRAINT products_categorymapping_source_in_its_taxonomy,
    DROP CONSTRAINT products_categorymapping_target_in_its_taxonomy;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('nexus_jobs', '0002_created_before_saved'),
        ('products', '0003_imports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CarriedProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('product', models.BigIntegerField()),
                ('source', models.BigIntegerField(help_text='The category before.')),
                ('target', models.BigIntegerField(help_text='The category after.')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='nexus_jobs.job')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'product'), name='products_carriedproduct_once_a_job')],
            },
        ),
        migrations.CreateModel(
            name='CategoryMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('same', 'Same'), ('renamed', 'Renamed'), ('moved', 'Moved'), ('merged', 'merged with others'), ('split', 'Split'), ('removed', 'Removed')], editable=False, max_length=7)),
                ('basis', models.CharField(choices=[('code', 'the same code'), ('path', 'the same path'), ('name', 'the same name'), ('classifier', "the classifier's reading of the name"), ('person', 'decided by a person')], editable=False, max_length=10)),
                ('confidence', models.FloatField(editable=False, help_text='That the step is right, where the classifier says so.', null=True)),
                ('is_decided', models.BooleanField(default=False, help_text='Products and rules are carried along it.')),
                ('decided_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_by', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mappings', to='products.category')),
                ('source_taxonomy', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='products.taxonomy')),
                ('target', models.ForeignKey(blank=True, help_text='Empty when a person decided that nothing takes its place.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='products.category')),
                ('target_taxonomy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='products.taxonomy')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['source_taxonomy', 'target_taxonomy', 'id'], name='products_mapping_pair'), models.Index(condition=models.Q(('is_decided', False)), fields=['source_taxonomy', 'target_taxonomy', 'id'], name='products_mapping_open')],
                'constraints': [models.UniqueConstraint(fields=('source', 'target'), name='products_categorymapping_step_unique'), models.UniqueConstraint(condition=models.Q(('target', None)), fields=('source', 'target_taxonomy'), name='products_categorymapping_one_removal'), models.CheckConstraint(condition=models.Q(('source_taxonomy', models.F('target_taxonomy')), _negated=True), name='products_categorymapping_between_two_taxonomies'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'removed'), ('target', None)), models.Q(('target__isnull', False), models.Q(('kind', 'removed'), _negated=True)), _connector='OR'), name='products_categorymapping_removed_has_no_target'), models.CheckConstraint(condition=models.Q(('confidence', None), models.Q(('confidence__gte', 0), ('confidence__lte', 1)), _connector='OR'), name='products_categorymapping_confidence_is_a_share'), models.CheckConstraint(condition=models.Q(models.Q(('basis', 'person'), _negated=True), ('is_decided', True), _connector='OR'), name='products_categorymapping_persons_decide')],
            },
        ),
        migrations.RunSQL(ENDS, ENDS_BACK),
    ]
