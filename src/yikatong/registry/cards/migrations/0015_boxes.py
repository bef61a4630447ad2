"""箱号 and 箱内位置 apart, so that a card is found in its box."""

from django.db import migrations, models

_SPLIT = r"""
UPDATE cards_batchrow SET position = substring(box FROM '-([0-9]{1,4})$')::smallint,
    box = regexp_replace(box, '-[0-9]{1,4}$', '') WHERE box ~ '.-[0-9]{1,4}$'
"""


class Migration(migrations.Migration):
    dependencies = [("cards", "0014_escalations_in_order")]

    operations = [
        migrations.AddField(
            model_name="batchrow",
            name="position",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="箱内位置"),
        ),
        migrations.AlterField(
            model_name="batchrow",
            name="box",
            field=models.CharField(blank=True, max_length=20, verbose_name="箱号"),
        ),
        migrations.RunSQL(_SPLIT, migrations.RunSQL.noop, elidable=True),
        migrations.AddIndex(
            model_name="batchrow",
            index=models.Index(
                condition=models.Q(("position__isnull", False)),
                fields=["box", "position"],
                name="cards_row_box",
            ),
        ),
    ]
