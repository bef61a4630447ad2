"""Keys that issue passes, devices that show them, and the lists terminals carry."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import IndexField, key_field
from yikatong.registry.banks.models import BankRequest
from yikatong.registry.cards.models import CardEvent, ECard
from yikatong.registry.holders.models import Holder


class IssuerKey(models.Model):
    """A keyset of the issuer: SM2 signing key, MAC, reference and short-code keys, wrapped by the master key.

    Read by the gate (table codes_issuerkey). pii: none.
    """

    key_id = models.PositiveIntegerField("编号", primary_key=True)
    issuer = models.PositiveIntegerField("签发机构")
    public_key = models.BinaryField(max_length=33)
    secrets_sealed = models.BinaryField()  # private 32, mac 32, reference 16, short 16, sealed as one
    created_at = models.DateTimeField("启用时间")
    sign_until = models.DateTimeField("签发至", null=True)  # null: signs now
    verify_until = models.DateTimeField("核验至", null=True)
    withdrawn_at = models.DateTimeField("撤销时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "签发密钥"
        constraints = [
            models.UniqueConstraint(
                fields=["issuer"], condition=Q(sign_until__isnull=True), name="issuerkey_one_signs"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key_id} 号"


class Device(models.Model):
    """A device that shows an e-card. `number` goes, encrypted, into every reference. Read by the gate.

    pii: device identifier; ground: the holder's request; retention: one year after removal.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "在用"
        REVOKED = "revoked", "已解除"

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True)
    ecard = models.ForeignKey(ECard, models.PROTECT, related_name="devices", verbose_name="电子社保卡")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="devices", verbose_name="持卡人")
    public_key = models.BinaryField("设备公钥", max_length=33)
    name = models.CharField("设备", max_length=60)
    is_server = models.BooleanField("由平台生码", default=False)
    generation = models.PositiveSmallIntegerField("代次", default=1)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.ACTIVE)
    registered_at = models.DateTimeField("绑定时间")
    renewed_at = models.DateTimeField("最近签发", null=True)
    expires_at = models.DateTimeField("凭证到期", null=True)
    revoked_at = models.DateTimeField("解除时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "设备"
        indexes = [
            models.Index(fields=["holder"], condition=Q(status="active"), name="codes_device_active"),
        ]


class Standing(models.Model):
    """All that the gate must know of a device, its e-card, card and holder, in one row found by one look.

    Written by triggers alone (migration 0004), in the transaction that changes what it repeats; each trigger writes
    the columns of its own table, so two acts at the same time never undo each other. Its primary key holds the whole
    row, and the gate need not open the table. docs/adr/0006-standing.md.

    pii: keys of holder and card; ground: the holder's request; retention: as the device.
    """

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, db_column="device_number")
    device_status = models.CharField(max_length=8)
    generation = models.PositiveSmallIntegerField()
    revoked_at = models.DateTimeField(null=True)
    ecard_status = models.CharField(max_length=8)
    removed_at = models.DateTimeField(null=True)
    card_id = models.UUIDField()
    card_status = models.CharField(max_length=1)
    expires_on = models.DateField()
    ended_at = models.DateTimeField(null=True)  # lost or cancelled
    holder_id = models.UUIDField()
    holder_status = models.CharField(max_length=10)
    deceased_on = models.DateField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "用卡状态"


class HotEntry(models.Model):
    """A reference offline terminals must refuse, from one list version until another. pii: none."""

    id = key_field()
    scene = models.PositiveSmallIntegerField()
    reference = IndexField()
    device_number = models.BigIntegerField()
    added_version = models.BigIntegerField(null=True)  # null: waits for the next list
    removed_version = models.BigIntegerField(null=True)
    is_ended = models.BooleanField(default=False)  # removal waits for the next list
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "黑名单条目"
        indexes = [
            models.Index(fields=["scene", "added_version"], name="codes_hot_added"),
            models.Index(fields=["scene", "removed_version"], name="codes_hot_removed"),
            models.Index(fields=["device_number"], name="codes_hot_device"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scene", "reference"], condition=Q(is_ended=False), name="hot_entry_once_at_a_time"
            )
        ]


class ListVersion(models.Model):
    """A published version of a list; the gate serves from here. pii: none."""

    class Kind(models.TextChoices):
        TRUST = "trust", "信任列表"
        HOT = "hot", "黑名单"

    id = key_field()
    kind = models.CharField("名单", max_length=6, choices=Kind.choices)
    scene = models.PositiveSmallIntegerField("场景", default=0)
    version = models.BigIntegerField("版本")
    made_at = models.DateTimeField("发布时间")
    full = models.BinaryField()  # the signed envelope, JSON bytes
    entries = models.PositiveIntegerField("条目", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "名单版本"
        constraints = [models.UniqueConstraint(fields=["kind", "scene", "version"], name="list_version_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}第 {self.version} 版"


class LossSpread(models.Model):
    """How long a loss took to get about: to gate, offline lists, terminals, bank and partners (Ningxia art. 17).

    pii: none beyond the card's key.
    """

    event = models.OneToOneField(
        CardEvent, models.PROTECT, primary_key=True, related_name="+", verbose_name="挂失"
    )
    division_code = models.CharField("所在区划", max_length=9)
    reported_at = models.DateTimeField("报失", db_index=True)
    gate_at = models.DateTimeField("在线闸机", null=True)  # first read by another connection
    needs_list = models.BooleanField("需列入名单")
    list_at = models.DateTimeField("离线名单", null=True)
    listed_in = models.DateTimeField("名单版本", null=True)  # when the newest list that names it was made
    most_at = models.DateTimeField("多数终端", null=True)  # 95 of 100 have said they hold that list
    all_at = models.DateTimeField("全部终端", null=True)
    needs_partners = models.BooleanField("需告知伙伴平台", default=False)
    partners_at = models.DateTimeField("伙伴平台", null=True)  # the last of them has said it holds that list
    bank_request = models.ForeignKey(
        BankRequest, models.PROTECT, null=True, related_name="+", verbose_name="银行请求"
    )

    class Meta:
        verbose_name = verbose_name_plural = "挂失传播"
        indexes = [
            models.Index(
                fields=["reported_at"],
                condition=Q(needs_list=True, list_at__isnull=True),
                name="codes_spread_unlisted",
            ),
            # Each keeps only those still on their way, so that a look at them costs what has arrived since the last.
            models.Index(fields=["listed_in"], condition=Q(most_at=None), name="codes_spread_most"),
            models.Index(fields=["listed_in"], condition=Q(all_at=None), name="codes_spread_all"),
            models.Index(
                fields=["listed_in"],
                condition=Q(needs_partners=True, partners_at=None),
                name="codes_spread_partners",
            ),
        ]


class Partner(models.Model):
    """伙伴平台: another platform that accepts our codes, and which lists it holds (Sichuan art. 16, 18). pii: none."""

    class Failure(models.TextChoices):
        AWAY = "away", "不通"
        SILENT = "silent", "无应答"
        UNFIT = "unfit", "应答不合约定"

    code = models.CharField("编号", primary_key=True, max_length=20)
    name = models.CharField("名称", max_length=40)
    is_wired = models.BooleanField("已接入", default=True)
    held = models.JSONField("持有版本", default=dict)  # {"3": 17}: by scene, as it said itself
    told_at = models.DateTimeField("最近告知", null=True)
    behind_since = models.DateTimeField("中断自", null=True)
    trouble = models.CharField("最近的问题", max_length=100, blank=True)
    trouble_kind = models.CharField("问题种类", max_length=6, choices=Failure.choices, blank=True)
    tries = models.PositiveIntegerField("次数", default=0)
    next_try_at = models.DateTimeField("下次发送", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "伙伴平台"

    def __str__(self) -> str:
        return self.name


class PartnerNotice(models.Model):
    """A published list that a partner is to be told of, written with the publication and sent after it. pii: none."""

    id = models.BigAutoField(primary_key=True)
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="notices", verbose_name="伙伴平台")
    scene = models.PositiveSmallIntegerField("场景")
    version = models.BigIntegerField("版本")
    made_at = models.DateTimeField("发布时间")
    told_at = models.DateTimeField("告知时间", null=True)

    class Meta:
        verbose_name = verbose_name_plural = "名单通知"
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "scene", "version"], name="partner_notice_once_a_version"
            )
        ]
        indexes = [
            models.Index(
                fields=["partner", "made_at"], condition=Q(told_at=None), name="codes_notice_waiting"
            ),
        ]
