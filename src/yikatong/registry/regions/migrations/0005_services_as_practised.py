"""An outlet takes what its list 可办业务 has. Until now an empty list took everything, so these now say so."""

from django.db import migrations

EVERYTHING = "{申领,启用,金融激活,挂失,解挂,补换,注销,信息变更,全省通办}"


class Migration(migrations.Migration):
    dependencies = [("regions", "0004_services")]
    operations = [
        migrations.RunSQL(
            f"UPDATE regions_outlet SET services = '{EVERYTHING}' WHERE services = '{{}}'",
            migrations.RunSQL.noop,
        )
    ]
