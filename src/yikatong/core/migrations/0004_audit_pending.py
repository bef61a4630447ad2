"""Every new audit entry waits for its number in the Merkle tree, whoever wrote it."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION core_audit_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core_auditpending (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_pending AFTER INSERT ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_audit_pending();
INSERT INTO core_auditpending (entry_id)
    SELECT id FROM core_auditentry e WHERE NOT EXISTS (SELECT FROM core_auditleaf l WHERE l.entry_id = e.id);
"""
BACKWARD = """
DROP TRIGGER audit_pending ON core_auditentry;
DROP FUNCTION core_audit_pending();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0003_staff_without_counters")]

    operations = [
        migrations.CreateModel(
            name="AuditPending",
            fields=[("entry_id", models.UUIDField(primary_key=True, serialize=False))],
            options={"verbose_name": "待编号审计记录", "verbose_name_plural": "待编号审计记录"},
        ),
        migrations.AddField(
            model_name="auditcheckpoint",
            name="frontier",
            field=models.BinaryField(default=b""),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
