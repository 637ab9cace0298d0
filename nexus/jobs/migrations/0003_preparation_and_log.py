"""How far a job is cut into chunks, which chunks messages speak of, and what happened to it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('nexus_jobs', '0002_created_before_saved'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LogLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('level', models.CharField(choices=[('info', 'Info'), ('warning', 'Warning'), ('error', 'Error')], default='info', max_length=7)),
                ('message', models.TextField()),
                ('chunk', models.PositiveIntegerField(help_text='The position of the chunk that it is about.', null=True)),
                ('worker', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='QueueHeartbeat',
            fields=[
                ('queue', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('heard_at', models.DateTimeField()),
                ('wait_s', models.FloatField(help_text='How long the message waited for a worker.')),
                ('worker', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['queue'],
            },
        ),
        migrations.AddField(
            model_name='chunk',
            name='offered_until',
            field=models.DateTimeField(blank=True, help_text='While a message speaks of it.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='attempts',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='How often the step of the preparation at hand was begun.'),
        ),
        migrations.AddField(
            model_name='job',
            name='leased_until',
            field=models.DateTimeField(blank=True, help_text='While a worker prepares it.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='prepared',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Items that are cut into chunks so far.'),
        ),
        migrations.AddField(
            model_name='job',
            name='prepared_at',
            field=models.DateTimeField(blank=True, help_text='When all items were cut into chunks.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='prepared_to',
            field=models.JSONField(help_text='Where the next step of the preparation goes on.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='processed_before',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='How many of them before it was taken up again.'),
        ),
        migrations.AddField(
            model_name='job',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', help_text='Why there is such a job.', max_length=200),
        ),
        # Jobs that run have been cut into chunks already.
        migrations.RunSQL(
            "UPDATE nexus_jobs_job SET prepared_at = coalesce(started_at, created_at), prepared = total "
            "WHERE status <> 'queued'",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name='logline',
            name='job',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='log_lines', to='nexus_jobs.job'),
        ),
        migrations.AddField(
            model_name='logline',
            name='user',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='logline',
            index=models.Index(models.F('job'), models.OrderBy(models.F('id'), descending=True), name='nexus_logline_newest'),
        ),
        migrations.AddIndex(
            model_name='logline',
            index=models.Index(condition=models.Q(('user__isnull', False)), fields=['user'], name='nexus_logline_by_user'),
        ),
    ]
