"""The number of a birth certificate leads to the child: it is sealed like every other number."""

from django.db import migrations

import yikatong.core.fields

CHUNK = 2_000


def seal(apps, schema_editor):
    Guardianship = apps.get_model("holders", "Guardianship")
    left = Guardianship.objects.exclude(evidence_plain="").only("pk", "evidence_plain").order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence_number, row.evidence_plain = row.evidence_plain, ""
        Guardianship.objects.bulk_update(rows, ["evidence_number", "evidence_plain"], batch_size=500)


def unseal(apps, schema_editor):
    Guardianship = apps.get_model("holders", "Guardianship")
    left = Guardianship.objects.filter(evidence_number__isnull=False).only("pk", "evidence_number").order_by("pk")
    while rows := list(left[:CHUNK]):
        for row in rows:
            row.evidence_number, row.evidence_plain = None, row.evidence_number[:60]
        Guardianship.objects.bulk_update(rows, ["evidence_number", "evidence_plain"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("holders", "0011_certificate_validity")]

    operations = [
        migrations.RenameField("guardianship", "evidence_number", "evidence_plain"),
        migrations.AddField(
            "guardianship",
            "evidence_number",
            yikatong.core.fields.EncryptedTextField("证明编号", null=True, blank=True),
        ),
        migrations.RunPython(seal, unseal, elidable=True),
        migrations.RemoveField("guardianship", "evidence_plain"),
    ]
