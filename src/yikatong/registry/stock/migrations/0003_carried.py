"""Moves know their outlet and bank, and a daily count carries the balance forward: nothing is summed from the beginning."""

import django.db.models.deletion
from django.db import migrations, models

import yikatong.core.ids

# Immediate, so that the table may be altered in the same transaction.
_FILL = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE stock_blankmove m SET outlet_id = b.outlet_id, bank_id = b.bank_id FROM stock_blank b WHERE b.id = m.blank_id;
"""


def _key(to: str, label: str, *, null: bool = False) -> models.ForeignKey:
    return models.ForeignKey(
        to=to, on_delete=django.db.models.deletion.PROTECT, related_name="+", db_index=False, null=null, verbose_name=label
    )


class Migration(migrations.Migration):
    dependencies = [
        ("banks", "0004_deliveries"),
        ("regions", "0005_services_as_practised"),
        ("stock", "0002_counted_twice"),
    ]

    operations = [
        migrations.AddField("blankmove", "outlet", _key("regions.outlet", "网点", null=True)),
        migrations.AddField("blankmove", "bank", _key("banks.bank", "银行", null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField("blankmove", "outlet", _key("regions.outlet", "网点")),
        migrations.AlterField("blankmove", "bank", _key("banks.bank", "银行")),
        migrations.AddIndex(
            "blankmove",
            models.Index(
                fields=["outlet", "bank", "at"], include=["kind", "change"], name="stock_move_balance"
            ),
        ),
        migrations.CreateModel(
            "DayBalance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=yikatong.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("outlet", _key("regions.outlet", "网点")),
                ("bank", _key("banks.bank", "银行")),
                ("day", models.DateField(verbose_name="日期")),
                ("opening", models.PositiveIntegerField(verbose_name="期初")),
            ],
            options={
                "verbose_name": "空白卡结转",
                "verbose_name_plural": "空白卡结转",
                "constraints": [
                    models.UniqueConstraint(fields=("outlet", "bank", "day"), name="day_balance_once")
                ],
            },
        ),
    ]
