"""Staff, the audit log, and the log of who looked."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Left
from django.utils.crypto import salted_hmac

from yikatong.core.actor import Actor, Channel, Role
from yikatong.core.clock import day_of
from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.core.ids import uuid7


class StaffUser(AbstractUser):
    """A member of staff: clerk, supervisor, operator, leader, auditor or administrator.

    pii: name of staff; ground: employment; retention: two years after leaving.
    """

    ROLES: ClassVar = [
        (Role.CLERK, "窗口经办"),
        (Role.BANK_CLERK, "银行网点经办"),
        (Role.SUPERVISOR, "业务主管"),
        (Role.OPERATOR, "终端运营"),
        (Role.LEADER, "运行监测"),
        (Role.AUDITOR, "安全审计"),
        (Role.ADMIN, "系统管理"),
    ]

    id = key_field()
    display_name = models.CharField("姓名", max_length=50)
    staff_number = models.CharField("工号", max_length=20, blank=True)
    role = models.CharField("岗位", max_length=12, choices=ROLES)
    scope = models.CharField(
        "行政区划范围", max_length=12, blank=True, help_text="区划代码前缀，例如 5101；空为全部"
    )
    organisation = models.CharField("单位", max_length=100, blank=True)
    outlet_id = models.UUIDField("网点", null=True, blank=True)
    window = models.CharField("窗口", max_length=20, blank=True)
    bank_code = models.CharField(
        "合作银行编号", max_length=5, blank=True, help_text="只用于银行网点经办：只能办理这家银行的卡"
    )
    totp_secret = EncryptedTextField("动态口令密钥", null=True, editable=False)
    totp_confirmed_at = models.DateTimeField("动态口令启用时间", null=True, editable=False)
    totp_last_step = models.BigIntegerField("已用的动态口令步", default=0, editable=False)

    REQUIRED_FIELDS: ClassVar = ["display_name", "role"]

    class Meta:
        verbose_name = verbose_name_plural = "工作人员"
        constraints = [
            # A bank's clerk without a bank would serve everybody's.
            models.CheckConstraint(
                condition=models.Q(role=Role.BANK_CLERK, bank_code__gt="")
                | (~models.Q(role=Role.BANK_CLERK) & models.Q(bank_code="")),
                name="staff_bank_clerk_has_bank",
                violation_error_message="银行网点经办须填写合作银行编号，其他岗位不填写。",
            )
        ]

    def get_session_auth_hash(self) -> str:
        """What a session must still match: with a new password or another authenticator it ends."""
        return self._bound(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        return map(self._bound, super().get_session_auth_fallback_hash())

    def _bound(self, of_password: str) -> str:
        salt = "yikatong staff authenticator"
        return salted_hmac(salt, f"{of_password}{self.totp_secret}", algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.display_name

    def actor(self, channel: Channel = Channel.COUNTER) -> Actor:
        return Actor(
            id=self.id,
            name=self.display_name,
            role=Role(self.role),
            channel=channel,
            scope=self.scope,
            organisation=self.organisation,
            outlet_id=self.outlet_id,
            bank=self.bank_code,
        )


class AuditEntry(models.Model):
    """What was done. Only inserted; a trigger refuses any change. No foreign keys, so it never hinders live data.

    pii: none (keys of records and names of staff only); retention: ten years.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField("时间")
    event = models.CharField("事件代码", max_length=80)  # room:thing:what_happened
    subject = models.CharField("对象", max_length=80)  # "card:<uuid>"
    holder_id = models.UUIDField("持卡人编号", null=True)
    actor_id = models.UUIDField("人员编号", null=True)
    actor_name = models.CharField("人员", max_length=100)
    actor_role = models.CharField("岗位", max_length=12)
    channel = models.CharField("渠道", max_length=12)
    organisation = models.CharField("单位", max_length=100, blank=True)
    facts = models.JSONField("细节", default=dict)

    class Meta:
        verbose_name = verbose_name_plural = "审计记录"
        indexes = [
            models.Index(fields=["holder_id", "-at"], name="core_audit_holder"),
            models.Index(fields=["event", "-at"], name="core_audit_event"),
            models.Index(fields=["-at", "-id"], name="core_audit_newest"),
            models.Index(fields=["actor_name", "-at"], name="core_audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{day_of(self.at)} {self.actor_name}"


class AuditLeaf(models.Model):
    """The place of an audit entry in the Merkle tree: number from 0, and the entry's SM3 leaf hash. pii: none."""

    number = models.BigIntegerField(primary_key=True)
    entry_id = models.UUIDField(unique=True)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = verbose_name_plural = "审计叶"


class AuditCheckpoint(models.Model):
    """A signed root of the Merkle tree over the first `size` leaves. pii: none."""

    size = models.BigIntegerField("覆盖条数", primary_key=True)
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField("签名时间")
    key_id = models.PositiveIntegerField("签发密钥编号")
    signature = models.BinaryField(max_length=64)
    frontier = models.BinaryField(
        default=b""
    )  # the full subtrees, largest first, from which the tree grows on

    class Meta:
        verbose_name = verbose_name_plural = "审计检查点"

    def __str__(self) -> str:
        return f"第 {self.size} 条"


class AuditPending(models.Model):
    """Entries that wait for their number; a trigger fills it, so that no way of writing an entry avoids it.

    pii: none.
    """

    entry_id = models.UUIDField(primary_key=True)

    class Meta:
        verbose_name = verbose_name_plural = "待编号审计记录"


class Look(models.Model):
    """Who looked at a holder's record, as the holder sees it. Partitioned by day (PIPL art. 44, Guangdong art. 17).

    pii: access log; ground: statutory duty; retention: three years.
    """

    pk = models.CompositePrimaryKey("day", "id")
    day = models.DateField()
    id = models.UUIDField(default=uuid7)
    at = models.DateTimeField()
    holder_id = models.UUIDField()
    looker_id = models.UUIDField(null=True)
    looker_name = models.CharField(max_length=100)
    looker_role = models.CharField(max_length=12)
    looker_scope = models.CharField(max_length=12, db_default="")  # his region then, not where he is now
    organisation = models.CharField(max_length=100, blank=True)
    channel = models.CharField(max_length=12)
    purpose = models.CharField(max_length=100)
    ground = models.CharField(max_length=100, blank=True)
    fields: Any = ArrayField(models.CharField(max_length=40))

    class Meta:
        verbose_name = verbose_name_plural = "查询记录"
        indexes = [
            models.Index(fields=["holder_id", "-at"], name="core_look_holder"),
            models.Index(fields=["-at", "-id"], name="core_look_newest"),
            models.Index(fields=["looker_name", "-at"], name="core_look_looker"),
            models.Index(fields=["organisation", "-at"], name="core_look_organisation"),
            models.Index(Left("looker_scope", 4), models.F("at").desc(), name="core_look_city"),
        ]
