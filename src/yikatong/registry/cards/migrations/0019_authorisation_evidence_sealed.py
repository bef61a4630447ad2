"""The number of the paper an agent acts on is sealed like every other number."""

from django.db import migrations

import yikatong.core.fields

CHUNK = 2_000


def seal(apps, schema_editor):
    Authorisation = apps.get_model("cards", "Authorisation")
    left = Authorisation.objects.exclude(evidence_plain="").only("pk", "evidence_plain").order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence_number, row.evidence_plain = row.evidence_plain, ""
        Authorisation.objects.bulk_update(rows, ["evidence_number", "evidence_plain"], batch_size=500)


def unseal(apps, schema_editor):
    Authorisation = apps.get_model("cards", "Authorisation")
    left = Authorisation.objects.filter(evidence_number__isnull=False).only("pk", "evidence_number").order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence_number, row.evidence_plain = None, row.evidence_number[:60]
        Authorisation.objects.bulk_update(rows, ["evidence_number", "evidence_plain"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("cards", "0018_roster_rows_as_given")]

    operations = [
        migrations.RenameField("authorisation", "evidence_number", "evidence_plain"),
        migrations.AddField(
            "authorisation",
            "evidence_number",
            yikatong.core.fields.EncryptedTextField("依据编号", null=True, blank=True),
        ),
        migrations.RunPython(seal, unseal, elidable=True),
        migrations.RemoveField("authorisation", "evidence_plain"),
    ]
