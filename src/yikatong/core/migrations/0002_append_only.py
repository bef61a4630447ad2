"""The audit log and the log of who looked are only inserted; the database itself refuses a change."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION core_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_auditleaf
    FOR EACH ROW EXECUTE FUNCTION core_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_auditcheckpoint
    FOR EACH ROW EXECUTE FUNCTION core_append_only();
CREATE TRIGGER append_only BEFORE UPDATE ON core_look
    FOR EACH ROW EXECUTE FUNCTION core_append_only();
"""
BACKWARD = """
DROP TRIGGER append_only ON core_look;
DROP TRIGGER append_only ON core_auditcheckpoint;
DROP TRIGGER append_only ON core_auditleaf;
DROP TRIGGER append_only ON core_auditentry;
DROP FUNCTION core_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
