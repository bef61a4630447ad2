"""The number of a concession's proof holds the person's own (残疾人证号): it is sealed like every other number."""

from django.db import migrations

import yikatong.core.fields

CHUNK = 2_000


def seal(apps, schema_editor):
    Category = apps.get_model("holders", "Category")
    left = Category.objects.exclude(evidence_plain="").order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence, row.evidence_plain = row.evidence_plain, ""
        Category.objects.bulk_update(rows, ["evidence", "evidence_plain"], batch_size=500)


def unseal(apps, schema_editor):
    Category = apps.get_model("holders", "Category")
    left = Category.objects.filter(evidence__isnull=False).order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence, row.evidence_plain = None, row.evidence[:100]
        Category.objects.bulk_update(rows, ["evidence", "evidence_plain"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("holders", "0008_merge_missing")]

    operations = [
        migrations.RenameField("category", "evidence", "evidence_plain"),
        migrations.AddField(
            "category",
            "evidence",
            yikatong.core.fields.EncryptedTextField("依据", null=True, blank=True),
        ),
        migrations.RunPython(seal, unseal, elidable=True),
        migrations.RemoveField("category", "evidence_plain"),
    ]
