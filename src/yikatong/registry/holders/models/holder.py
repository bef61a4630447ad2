"""持卡人: a person once, with the certificates that prove him."""

from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.holders.certificates import Kind


class Holder(models.Model):
    """持卡人 (Guangdong art. 5, Ningxia art. 13, Opinions 12).

    pii: identity, contact; ground: statutory duty (PIPL art. 13(3), 34); retention: life of the card and 30 years.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "正常"
        DECEASED = "deceased", "已故"
        MERGED = "merged", "已合并"
        LEFT = "left", "已迁出"

    class Sex(models.TextChoices):
        MALE = "1", "男"
        FEMALE = "2", "女"
        UNKNOWN = "9", "未说明"

    id = key_field()
    name = models.CharField("姓名", max_length=50)
    name_original = models.CharField("姓名（原文）", max_length=80, blank=True)
    social_security_number = EncryptedTextField("社会保障号码")
    social_security_index = IndexField(unique=True)
    sex = models.CharField("性别", max_length=1, choices=Sex.choices)
    birth_date = models.DateField("出生日期")
    nationality = models.CharField("国籍", max_length=3, default="CHN")
    ethnicity = models.CharField("民族", max_length=2, blank=True)
    division_code = models.CharField("所在区划", max_length=9, db_collation="C")  # found by its beginning
    phone = EncryptedTextField("手机号码", null=True, blank=True)
    phone_index = IndexField(null=True, blank=True)
    address = EncryptedTextField("通讯地址", null=True, blank=True)
    ground = models.CharField("申领依据", max_length=12, default="residence")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.ACTIVE)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    deceased_on = models.DateField("死亡日期", null=True, blank=True)
    created_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "持卡人"
        indexes = [
            models.Index(fields=["phone_index"], name="holders_phone"),
            # A name is shared by thousands: those of a region are found in their order, and never sorted.
            models.Index(fields=["name", "division_code", "id"], name="holders_name"),
            models.Index(fields=["division_code"], name="holders_division"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Certificate(models.Model):
    """A certificate that proves a holder. One number of one kind belongs to one holder.

    pii: identity document; ground: statutory duty; retention: as the holder.
    """

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="certificates", verbose_name="持卡人")
    kind = models.CharField("证件类型", max_length=1)  # codes of certificates.Kind
    number = EncryptedTextField("证件号码")
    number_index = IndexField()
    # As printed: the last day still counts; 长期 has none.
    valid_from = models.DateField("起始日期", null=True, blank=True)
    valid_until = models.DateField("截止日期", null=True, blank=True)
    is_long_term = models.BooleanField("长期有效", default=False, db_default=False)
    expiry_told_on = models.DateField("到期已提醒", null=True, blank=True)
    is_current = models.BooleanField("现用", default=True)
    created_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "证件"
        constraints = [
            models.UniqueConstraint(fields=["kind", "number_index"], name="certificate_belongs_to_one"),
            # Nothing is recorded, or a whole period: both days, or a first day and 长期.
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True, valid_until__isnull=True, is_long_term=False)
                | Q(valid_from__isnull=False, valid_until__isnull=True, is_long_term=True)
                | Q(
                    Q(valid_from__isnull=False, valid_until__isnull=False, is_long_term=False),
                    valid_until__gt=F("valid_from"),
                ),
                name="certificate_period_whole",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"],
                condition=Q(is_current=True, expiry_told_on__isnull=True, valid_until__isnull=False),
                name="holders_certificate_expiring",
            )
        ]

    def __str__(self) -> str:
        return Kind(self.kind).label

    @property
    def validity_words(self) -> str:
        """The period as people say it; "" where none is recorded."""
        if self.is_long_term:
            return f"{self.valid_from} 起长期有效"
        return f"{self.valid_from} 至 {self.valid_until}" if self.valid_until else ""
