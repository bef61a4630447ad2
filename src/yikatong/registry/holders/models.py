"""持卡人基础信息库: a person once, with certificates and categories."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.holders import names
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
    valid_from = models.DateField("起始日期", null=True, blank=True)
    valid_until = models.DateField("截止日期", null=True, blank=True)
    is_current = models.BooleanField("现用", default=True)
    created_at = models.DateTimeField("登记时间")

    class Meta:
        verbose_name = verbose_name_plural = "证件"
        constraints = [
            models.UniqueConstraint(fields=["kind", "number_index"], name="certificate_belongs_to_one")
        ]

    def __str__(self) -> str:
        return Kind(self.kind).label


class Guardianship(models.Model):
    """监护关系: who acts for a child, and until when (Opinions 10). It ends on the day the child may act alone.

    pii: identity of ward and guardian; ground: statutory duty; retention: as the ward's record.
    """

    class Ground(models.TextChoices):
        PARENT = "parent", "父母"
        RELATIVE = "relative", "其他近亲属"
        APPOINTED = "appointed", "指定监护人"

    class Evidence(models.TextChoices):
        BIRTH = "birth", "出生医学证明"
        HOUSEHOLD = "household", "户口簿"
        KINSHIP = "kinship", "亲属关系证明"
        APPOINTMENT = "appointment", "指定监护的判决或决定"
        ROSTER = "roster", "学校名册核对"

    id = key_field()
    ward = models.ForeignKey(Holder, models.PROTECT, related_name="guardianships", verbose_name="被监护人")
    guardian = models.ForeignKey(
        Holder, models.PROTECT, null=True, blank=True, related_name="wards", verbose_name="监护人（持卡人）"
    )
    name = EncryptedTextField("监护人姓名")
    kind = models.CharField("监护人证件类型", max_length=1)  # codes of certificates.Kind
    number = EncryptedTextField("监护人证件号码")
    number_index = IndexField()
    ground = models.CharField("监护依据", max_length=10, choices=Ground.choices)
    evidence = models.CharField("证明材料", max_length=12, choices=Evidence.choices)
    evidence_number = models.CharField("证明编号", max_length=60, blank=True)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）")
    ended_at = models.DateTimeField("终止时间", null=True, blank=True)
    end_reason = models.CharField("终止原因", max_length=100, blank=True)
    created_at = models.DateTimeField("登记时间")
    created_by = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "监护关系"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gt=F("valid_from")), name="guardianship_period_runs_forward"
            ),
            models.UniqueConstraint(
                fields=["ward", "kind", "number_index"],
                condition=Q(ended_at__isnull=True),
                name="guardianship_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"], condition=Q(ended_at__isnull=True), name="holders_guardian_ending"
            )
        ]

    def __str__(self) -> str:
        return f"{names.mask(self.name)}（{self.get_ground_display()}）"


class Proof(models.Model):
    """申领依据的证明: a document that proves a ground (Guangdong art. 5); a work permit is carried on the card.

    pii: residence, work, insurance or enrolment; ground: statutory duty; retention: as the holder.
    """

    class Kind(models.TextChoices):
        HOUSEHOLD = "household", "户口簿"
        RESIDENCE_PERMIT = "residence", "居住证"
        INSURANCE = "insurance", "参保缴费证明"
        EMPLOYMENT = "employment", "劳动合同或就业登记"
        WORK_PERMIT = "work_permit", "外国人工作许可"
        ENROLMENT = "enrolment", "学籍或录取证明"
        SERVICE = "service", "公共服务办理凭证"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="proofs", verbose_name="持卡人")
    kind = models.CharField("证明种类", max_length=12, choices=Kind.choices)
    number = EncryptedTextField("证明编号")
    issuer = models.CharField("出具单位", max_length=100)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）", null=True, blank=True)
    created_at = models.DateTimeField("登记时间")
    created_by = models.CharField("登记人", max_length=100)

    class Meta:
        verbose_name = verbose_name_plural = "申领依据证明"
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="proof_period_runs_forward",
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class Category(models.Model):
    """优待类别: a proven concession with its period, half-open (Guangdong art. 7, Ningxia art. 9).

    pii: sensitive (health, military service); ground: concession claimed by the holder; retention: five years after end.
    """

    class Kind(models.TextChoices):
        ELDER = "elder", "老年人"
        DISABLED = "disabled", "残疾人"
        VETERAN = "veteran", "退役军人"
        STUDENT = "student", "学生"
        LOW_INCOME = "low_income", "低保对象"

    class Source(models.TextChoices):
        """Who proves it."""

        LICENCE = "licence", "电子证照"
        CIVIL = "civil", "民政部门名单"
        DISABLED = "disabled", "残联名单"
        VETERANS = "veterans", "退役军人事务部门名单"
        EDUCATION = "education", "教育部门名单"
        DOCUMENT = "document", "本人出示的证件原件"

    class State(models.TextChoices):
        """Which the job has set last; what counts at the gate is the period."""

        COMING = "coming", "未到起始日期"
        ON = "on", "有效"
        OFF = "off", "已终止"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="categories", verbose_name="持卡人")
    kind = models.CharField("类别", max_length=12, choices=Kind.choices)
    valid_from = models.DateField("起始日期")
    valid_until = models.DateField("截止日期（不含）", null=True, blank=True)
    source = models.CharField("来源", max_length=60)
    evidence = models.CharField("依据", max_length=100, blank=True)
    state = models.CharField(
        "状态", max_length=6, choices=State.choices, default=State.COMING, db_default=State.COMING
    )
    end_reason = models.CharField("终止原因", max_length=100, blank=True, default="", db_default="")
    created_at = models.DateTimeField("登记时间", null=True, blank=True)
    created_by = models.CharField("登记人", max_length=100, blank=True, default="", db_default="")

    class Meta:
        verbose_name = verbose_name_plural = "优待类别"
        constraints = [
            # An empty period is one that was ended before it began: it never held, and stays readable.
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="category_period_not_backward",
            ),
            models.UniqueConstraint(
                fields=["holder", "kind", "valid_from"],
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="category_once_a_period",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_from"], condition=Q(state="coming"), name="holders_category_beginning"
            ),
            models.Index(fields=["valid_until"], condition=Q(state="on"), name="holders_category_ending"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


CATEGORY_MOVES: dict[Category.State, frozenset[Category.State]] = {
    Category.State.COMING: frozenset({Category.State.ON, Category.State.OFF}),
    Category.State.ON: frozenset({Category.State.OFF}),
    Category.State.OFF: frozenset(),
}

# The rest of the tables; they name Holder as text, so that this file stays short enough to read.
from yikatong.registry.holders.history import LifeEvent as LifeEvent  # noqa: E402, PLC0414
from yikatong.registry.holders.history import Merge as Merge  # noqa: E402, PLC0414
