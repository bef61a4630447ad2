"""One row a device with all that the gate must know, kept by triggers in the transaction of every change.

A device that is bound while its card is being lost must not keep the status of before: the first trigger locks what
it copies, in the order of locks that every act keeps (holder, card, e-card, device), and copies only then.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

_COPY = """
INSERT INTO codes_standing (
  device_number, device_status, generation, revoked_at, ecard_status, removed_at, card_id, card_status, expires_on,
  ended_at, holder_id, holder_status, deceased_on)
SELECT d.number, d.status, d.generation, d.revoked_at, e.status, e.removed_at, c.id, c.status, c.expires_on,
  COALESCE(c.lost_at, c.cancelled_at), h.id, h.status, h.deceased_on
FROM codes_device d
JOIN cards_ecard e ON e.id = d.ecard_id
JOIN cards_card c ON c.id = e.card_id
JOIN holders_holder h ON h.id = d.holder_id
"""

_TRIGGERS = f"""
CREATE FUNCTION codes_device_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM holders_holder WHERE id = NEW.holder_id FOR SHARE;
  PERFORM 1 FROM cards_card WHERE id = (SELECT card_id FROM cards_ecard WHERE id = NEW.ecard_id) FOR SHARE;
  PERFORM 1 FROM cards_ecard WHERE id = NEW.ecard_id FOR SHARE;
  PERFORM 1 FROM cards_card WHERE id = (SELECT card_id FROM cards_ecard WHERE id = NEW.ecard_id) FOR SHARE;
  DELETE FROM codes_standing WHERE device_number = NEW.number;
  {_COPY} WHERE d.number = NEW.number;
  RETURN NULL;
END $$;
CREATE TRIGGER codes_device_bound AFTER INSERT ON codes_device
  FOR EACH ROW EXECUTE FUNCTION codes_device_bound();
CREATE TRIGGER codes_device_rebound AFTER UPDATE ON codes_device FOR EACH ROW
  WHEN ((OLD.ecard_id, OLD.holder_id) IS DISTINCT FROM (NEW.ecard_id, NEW.holder_id))
  EXECUTE FUNCTION codes_device_bound();

CREATE FUNCTION codes_device_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE codes_standing
  SET device_status = NEW.status, generation = NEW.generation, revoked_at = NEW.revoked_at
  WHERE device_number = NEW.number;
  RETURN NULL;
END $$;
CREATE TRIGGER codes_device_moved AFTER UPDATE ON codes_device FOR EACH ROW
  WHEN ((OLD.status, OLD.generation, OLD.revoked_at) IS DISTINCT FROM (NEW.status, NEW.generation, NEW.revoked_at))
  EXECUTE FUNCTION codes_device_moved();

CREATE FUNCTION codes_ecard_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM cards_card WHERE id = NEW.card_id FOR SHARE;
  UPDATE codes_standing s
  SET ecard_status = NEW.status, removed_at = NEW.removed_at, card_id = c.id, card_status = c.status,
      expires_on = c.expires_on, ended_at = COALESCE(c.lost_at, c.cancelled_at)
  FROM codes_device d, cards_card c
  WHERE d.ecard_id = NEW.id AND s.device_number = d.number AND c.id = NEW.card_id;
  RETURN NULL;
END $$;
CREATE TRIGGER codes_ecard_moved AFTER UPDATE ON cards_ecard FOR EACH ROW
  WHEN ((OLD.status, OLD.removed_at, OLD.card_id) IS DISTINCT FROM (NEW.status, NEW.removed_at, NEW.card_id))
  EXECUTE FUNCTION codes_ecard_moved();

CREATE FUNCTION codes_card_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE codes_standing s
  SET card_status = NEW.status, expires_on = NEW.expires_on, ended_at = COALESCE(NEW.lost_at, NEW.cancelled_at)
  FROM cards_ecard e JOIN codes_device d ON d.ecard_id = e.id
  WHERE e.card_id = NEW.id AND s.device_number = d.number;
  RETURN NULL;
END $$;
CREATE TRIGGER codes_card_moved AFTER UPDATE ON cards_card FOR EACH ROW
  WHEN ((OLD.status, OLD.expires_on, OLD.lost_at, OLD.cancelled_at)
    IS DISTINCT FROM (NEW.status, NEW.expires_on, NEW.lost_at, NEW.cancelled_at))
  EXECUTE FUNCTION codes_card_moved();

CREATE FUNCTION codes_holder_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE codes_standing s SET holder_status = NEW.status, deceased_on = NEW.deceased_on
  FROM codes_device d WHERE d.holder_id = NEW.id AND s.device_number = d.number;
  RETURN NULL;
END $$;
CREATE TRIGGER codes_holder_moved AFTER UPDATE ON holders_holder FOR EACH ROW
  WHEN ((OLD.status, OLD.deceased_on) IS DISTINCT FROM (NEW.status, NEW.deceased_on))
  EXECUTE FUNCTION codes_holder_moved();
"""

_NO_TRIGGERS = """
DROP FUNCTION codes_device_bound, codes_device_moved, codes_ecard_moved, codes_card_moved, codes_holder_moved CASCADE;
"""

_WHOLE_ROW_IN_KEY = """
ALTER TABLE codes_standing DROP CONSTRAINT codes_standing_pkey, ADD PRIMARY KEY (device_number) INCLUDE (
  device_status, generation, revoked_at, ecard_status, removed_at, card_id, card_status, expires_on, ended_at,
  holder_id, holder_status, deceased_on);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("codes", "0003_gate_reads"),
        ("cards", "0010_gate_reads_standing"),
        ("holders", "0003_gate_reads_standing"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Standing",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        db_column="device_number",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="codes.device",
                    ),
                ),
                ("device_status", models.CharField(max_length=8)),
                ("generation", models.PositiveSmallIntegerField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("ecard_status", models.CharField(max_length=8)),
                ("removed_at", models.DateTimeField(null=True)),
                ("card_id", models.UUIDField()),
                ("card_status", models.CharField(max_length=1)),
                ("expires_on", models.DateField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("holder_id", models.UUIDField()),
                ("holder_status", models.CharField(max_length=10)),
                ("deceased_on", models.DateField(null=True)),
            ],
            options={"verbose_name": "用卡状态", "verbose_name_plural": "用卡状态"},
        ),
        migrations.RunSQL(_WHOLE_ROW_IN_KEY, migrations.RunSQL.noop),
        migrations.RunSQL(_COPY, migrations.RunSQL.noop),
        migrations.RunSQL(_TRIGGERS, _NO_TRIGGERS),
        migrations.RemoveIndex(model_name="device", name="codes_device_gate"),
    ]
