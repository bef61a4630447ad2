"""社会保障卡: cards, e-cards, cases and production. Five identifiers stay separate (see README)."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards.representation import ApplicantKind as ApplicantKind  # noqa: PLC0414
from yikatong.registry.cards.representation import Authorisation as Authorisation  # noqa: PLC0414
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Outlet


class CardStatus(models.TextChoices):
    """卡状态, the codes in use among provinces (social-security half)."""

    RELEASED = "0", "放号"
    NORMAL = "1", "正常"
    LOST = "2", "正式挂失"
    LOST_CANCELLED = "3", "挂失后注销"
    CANCELLED = "4", "注销"
    INACTIVE = "A", "未启用"
    TEMPORARILY_LOST = "B", "临时挂失"


TRANSITIONS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.RELEASED: frozenset({CardStatus.INACTIVE, CardStatus.CANCELLED}),
    CardStatus.INACTIVE: frozenset({CardStatus.NORMAL, CardStatus.LOST, CardStatus.CANCELLED}),
    CardStatus.NORMAL: frozenset({CardStatus.TEMPORARILY_LOST, CardStatus.LOST, CardStatus.CANCELLED}),
    CardStatus.TEMPORARILY_LOST: frozenset({CardStatus.NORMAL, CardStatus.LOST, CardStatus.LOST_CANCELLED}),
    CardStatus.LOST: frozenset({CardStatus.NORMAL, CardStatus.LOST_CANCELLED}),
    CardStatus.LOST_CANCELLED: frozenset(),
    CardStatus.CANCELLED: frozenset(),
}

#: Back from the end, only where the very act that ended the card is undone: a death that was none, a wrong merge.
REVIVALS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.CANCELLED: frozenset({CardStatus.INACTIVE, CardStatus.NORMAL}),
    CardStatus.LOST_CANCELLED: frozenset({CardStatus.LOST, CardStatus.TEMPORARILY_LOST}),
}

LIVE = (CardStatus.NORMAL, CardStatus.TEMPORARILY_LOST, CardStatus.LOST)
COMING = (CardStatus.RELEASED, CardStatus.INACTIVE)


class Card(models.Model):
    """A physical card.

    pii: card identifiers; ground: statutory duty; retention: life of the card and 30 years.
    """

    class Category(models.TextChoices):
        PRESCHOOL = "1", "学龄前儿童"
        STUDENT = "2", "学生"
        ADULT = "3", "成年人"
        ELDER = "4", "老年人"

    id = key_field()
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cards", verbose_name="持卡人")
    number = models.CharField("卡号", max_length=9)  # 9 characters, check digit mod 11
    identification = models.CharField("卡识别码", max_length=32, unique=True)  # 32 hex
    reset_info = models.CharField("卡复位信息", max_length=26)  # 26 hex
    account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, related_name="cards", verbose_name="金融账户"
    )
    category = models.CharField("卡类别", max_length=1, choices=Category.choices, default=Category.ADULT)
    spec_version = models.CharField("规范版本", max_length=4, default="3.00")
    division_code = models.CharField("发卡地区", max_length=9)
    status = models.CharField("状态", max_length=1, choices=CardStatus.choices, default=CardStatus.RELEASED)
    issued_on = models.DateField("发卡日期")
    expires_on = models.DateField("有效期至")
    activated_at = models.DateTimeField("社保启用时间", null=True, blank=True)
    lost_at = models.DateTimeField("挂失时间", null=True, blank=True)
    loss_ends_at = models.DateTimeField("临时挂失到期", null=True, blank=True)
    cancelled_at = models.DateTimeField("注销时间", null=True, blank=True)
    cancel_reason = models.CharField("注销原因", max_length=20, blank=True)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="replaced_by")

    class Meta:
        verbose_name = verbose_name_plural = "社会保障卡"
        constraints = [
            # 一人一卡: one live card, and at most one on its way.
            models.UniqueConstraint(
                fields=["holder"], condition=Q(status__in=["1", "2", "B"]), name="card_one_live"
            ),
            models.UniqueConstraint(
                fields=["holder"], condition=Q(status__in=["0", "A"]), name="card_one_coming"
            ),
            models.CheckConstraint(
                condition=~Q(status="B") | Q(loss_ends_at__isnull=False), name="card_temporary_loss_ends"
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="cards_number"),
            models.Index(fields=["loss_ends_at"], condition=Q(status="B"), name="cards_loss_ending"),
        ]

    def __str__(self) -> str:
        return self.number


class CardEvent(models.Model):
    """A step in a card's life, readable for ever. pii: none beyond the card's key; retention: as the card."""

    id = key_field()
    card = models.ForeignKey(Card, models.PROTECT, related_name="events", verbose_name="卡")
    at = models.DateTimeField("时间")
    kind = models.CharField("事件", max_length=30)
    from_status = models.CharField(max_length=1, blank=True)
    to_status = models.CharField(max_length=1, blank=True)
    actor_name = models.CharField("经办", max_length=100)
    channel = models.CharField("渠道", max_length=12)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "卡事件"
        ordering = ["at"]


class ECard(models.Model):
    """电子社保卡, one to one with the card in force; it is usable only while that card is normal (Sichuan art. 2).

    pii: device-bound identity; ground: the holder's request; retention: as the card.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", "已签发"
        REMOVED = "removed", "已解除"

    id = key_field()
    holder = models.OneToOneField(Holder, models.PROTECT, related_name="ecard", verbose_name="持卡人")
    card = models.OneToOneField(Card, models.PROTECT, related_name="ecard", verbose_name="卡")
    number = models.CharField("签发号", max_length=24, unique=True)
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.ISSUED)
    issued_at = models.DateTimeField("签发时间")
    removed_at = models.DateTimeField("解除时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "电子社保卡"


class CaseStatus(models.TextChoices):
    """Steps of a case; each has its owner and its limit in working days (profile)."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审核"
    CORRECTING = "correcting", "待补正"
    CHECKED = "checked", "待银行预开户"
    PREOPENED = "preopened", "待制卡"
    PRODUCING = "producing", "制卡中"
    FAILED = "failed", "制卡失败待处理"
    READY = "ready", "待领取"
    DONE = "done", "已办结"
    REJECTED = "rejected", "未通过"
    WITHDRAWN = "withdrawn", "已撤回"
    ABANDONED = "abandoned", "逾期未补正"


CASE_TRANSITIONS: dict[CaseStatus, frozenset[CaseStatus]] = {
    CaseStatus.DRAFT: frozenset({CaseStatus.SUBMITTED, CaseStatus.WITHDRAWN}),
    CaseStatus.SUBMITTED: frozenset(
        {
            CaseStatus.CHECKED,
            CaseStatus.CORRECTING,
            CaseStatus.REJECTED,
            CaseStatus.WITHDRAWN,
            CaseStatus.DONE,
        }
    ),
    CaseStatus.CORRECTING: frozenset({CaseStatus.SUBMITTED, CaseStatus.WITHDRAWN, CaseStatus.ABANDONED}),
    CaseStatus.CHECKED: frozenset({CaseStatus.PREOPENED, CaseStatus.FAILED, CaseStatus.WITHDRAWN}),
    CaseStatus.PREOPENED: frozenset({CaseStatus.PRODUCING, CaseStatus.WITHDRAWN}),
    CaseStatus.PRODUCING: frozenset({CaseStatus.READY, CaseStatus.FAILED}),
    CaseStatus.FAILED: frozenset(
        {CaseStatus.CHECKED, CaseStatus.PREOPENED, CaseStatus.CORRECTING, CaseStatus.REJECTED}
    ),
    CaseStatus.READY: frozenset({CaseStatus.DONE}),
    CaseStatus.DONE: frozenset(),
    CaseStatus.REJECTED: frozenset(),
    CaseStatus.WITHDRAWN: frozenset(),
    CaseStatus.ABANDONED: frozenset(),
}

#: A matter under way. A draft is not yet one.
OPEN_CASES = (
    CaseStatus.SUBMITTED,
    CaseStatus.CORRECTING,
    CaseStatus.CHECKED,
    CaseStatus.PREOPENED,
    CaseStatus.PRODUCING,
    CaseStatus.FAILED,
    CaseStatus.READY,
)

#: Where an office's time runs; while the holder corrects or has yet to fetch his card, it stands still.
CLOCKED = (
    CaseStatus.SUBMITTED,
    CaseStatus.CHECKED,
    CaseStatus.PREOPENED,
    CaseStatus.PRODUCING,
    CaseStatus.FAILED,
)


class CaseKind(models.TextChoices):
    APPLY = "apply", "申领"
    REPLACE = "replace", "补换"
    ACTIVATE = "activate", "启用"
    LOSS = "loss", "挂失"
    RELEASE = "release", "解挂"
    CANCEL = "cancel", "注销"
    CHANGE = "change", "信息变更"


class Case(models.Model):
    """受理单: one matter of one holder, begun in one channel and perhaps ended in another.

    pii: application data; ground: statutory duty; retention: 30 years (档案).
    """

    id = key_field()
    number = models.CharField("受理号", max_length=20, unique=True)
    kind = models.CharField("业务", max_length=10, choices=CaseKind.choices)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="cases", verbose_name="持卡人")
    card = models.ForeignKey(
        Card, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name="卡"
    )
    old_card = models.ForeignKey(
        Card, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="原卡"
    )
    bank = models.ForeignKey(
        Bank, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="银行"
    )
    account = models.ForeignKey(
        BankAccount, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="预开账户"
    )
    status = models.CharField("状态", max_length=10, choices=CaseStatus.choices, default=CaseStatus.SUBMITTED)
    channel = models.CharField("渠道", max_length=12)
    outlet = models.ForeignKey(
        Outlet, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="领卡网点"
    )
    division_code = models.CharField("受理地区", max_length=9)
    reason = models.CharField("原因", max_length=20, blank=True)
    delivery = models.CharField("领取方式", max_length=1, default="0")  # 0 自取 1 邮寄
    address = EncryptedTextField("收件地址", null=True, blank=True)  # where another than the registered one
    fee_fen = models.BigIntegerField("工本费（分）", default=0)  # to be paid, after a waiver
    fee_ground = models.CharField("免收依据", max_length=12, blank=True, db_default="")
    fee_note = models.CharField("免收说明", max_length=100, blank=True, db_default="")
    fee_receipt = models.CharField("收据号", max_length=30, blank=True, db_default="")
    fee_paid_at = models.DateTimeField("缴费时间", null=True, blank=True)
    note = models.CharField("备注", max_length=200, blank=True)
    guardian = EncryptedTextField("监护人", null=True, blank=True)  # name and certificate number
    applicant = models.CharField(
        "申请人",
        max_length=10,
        choices=ApplicantKind.choices,
        default=ApplicantKind.SELF,
        db_default=ApplicantKind.SELF,
    )
    authorisation = models.ForeignKey(
        Authorisation, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name="代办授权"
    )
    organisation = models.CharField(
        "申请单位", max_length=100, blank=True, default="", db_default=""
    )  # of a roster
    roster_row = models.CharField(max_length=40, null=True, blank=True, unique=True)
    created_at = models.DateTimeField("受理时间")
    created_by = models.CharField("受理人", max_length=100)
    step_due_on = models.DateField("本步骤期限", null=True, blank=True)
    days_left = models.SmallIntegerField("停表时剩余工作日", null=True, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "受理单"
        constraints = [
            # A holder has one open matter about making a card, so that a double click makes no second card.
            models.UniqueConstraint(
                fields=["holder"],
                condition=Q(kind__in=["apply", "replace"])
                & Q(
                    status__in=[
                        "submitted",
                        "correcting",
                        "checked",
                        "preopened",
                        "producing",
                        "failed",
                        "ready",
                    ]
                ),
                name="case_one_open_for_a_card",
            ),
            models.UniqueConstraint(fields=["holder"], condition=Q(status="draft"), name="case_one_draft"),
            models.CheckConstraint(
                condition=Q(fee_paid_at__isnull=True) | ~Q(fee_receipt=""), name="case_fee_paid_by_receipt"
            ),
            # One receipt pays one case.
            models.UniqueConstraint(
                fields=["fee_receipt"], condition=~Q(fee_receipt=""), name="case_fee_receipt_once"
            ),
            models.CheckConstraint(condition=Q(fee_fen__gte=0), name="case_fee_not_negative"),
        ]
        indexes = [
            models.Index(fields=["status", "created_at"], name="cards_case_queue"),
            models.Index(fields=["holder", "-created_at"], name="cards_case_holder"),
            # The lists of a desk, counted on its first page: few cases wait among the millions that are done.
            models.Index(
                fields=["status", "outlet", "division_code"],
                condition=Q(status__in=["submitted", "ready", "failed"]),
                opclasses=["varchar_ops", "uuid_ops", "varchar_pattern_ops"],
                name="cards_case_desk",
            ),
            models.Index(
                fields=["status", "division_code"],
                condition=Q(status__in=["submitted", "ready", "failed"]),
                opclasses=["varchar_ops", "varchar_pattern_ops"],
                name="cards_case_area",
            ),
            # What jobs ask each hour: steps over their limit, corrections and drafts whose time is over.
            models.Index(
                fields=["step_due_on", "id"],
                condition=Q(status__in=["submitted", "checked", "preopened", "producing", "failed"]),
                name="cards_case_clocked",
            ),
            models.Index(
                fields=["step_due_on", "id"],
                condition=Q(status__in=["draft", "correcting"]),
                name="cards_case_with_holder",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def guardian_masked(self) -> str:
        """The guardian as a screen or a receipt may show him."""
        return names.mask(self.guardian.rsplit(" ", 1)[0]) if self.guardian else ""


class CaseStep(models.Model):
    """One step a case has taken. pii: none beyond the case's key; retention: as the case."""

    id = key_field()
    case = models.ForeignKey(Case, models.PROTECT, related_name="steps", verbose_name="受理单")
    at = models.DateTimeField("时间")
    status = models.CharField("状态", max_length=10, choices=CaseStatus.choices)
    actor_name = models.CharField("经办", max_length=100)
    actor_id = models.UUIDField(null=True, editable=False)  # of acts done one by one; names may be shared
    channel = models.CharField("渠道", max_length=12)
    note = models.CharField("说明", max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "办理步骤"
        ordering = ["at"]
        indexes = [
            models.Index(
                fields=["actor_id", "-at"], condition=Q(actor_id__isnull=False), name="cards_step_clerk"
            ),  # 今日已办 of a clerk
        ]


class Batch(models.Model):
    """制卡批次 of one bank: pre-opening file out and back, production file out, return file in. pii: none."""

    class Status(models.TextChoices):
        OPEN = "open", "待银行预开户"
        PREOPENED = "preopened", "待送制卡"
        PRODUCING = "producing", "制卡中"
        RETURNED = "returned", "已回盘"

    id = key_field()
    number = models.CharField("批次号", max_length=20, unique=True)
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="+", verbose_name="银行")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.OPEN)
    rows = models.PositiveIntegerField("件数", default=0)
    created_at = models.DateTimeField("建立时间")
    # SM3 of the files taken, so that the same file again is known, and another one refused.
    opening_digest = IndexField(max_length=32, null=True, blank=True, editable=False)
    return_digest = IndexField(max_length=32, null=True, blank=True, editable=False)
    returned_at = models.DateTimeField("回盘时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "制卡批次"

    def __str__(self) -> str:
        return self.number


class BatchRow(models.Model):
    """A case in a batch, and what became of it, card by card. pii: none beyond the case's key."""

    class Result(models.TextChoices):
        PENDING = "pending", "等待"
        MADE = "made", "成功"
        FAILED = "failed", "失败"

    id = key_field()
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="lines", verbose_name="批次")
    number = models.PositiveIntegerField("序号")
    case = models.ForeignKey(Case, models.PROTECT, related_name="batch_rows", verbose_name="受理单")
    card_number = models.CharField("卡号", max_length=9, blank=True)  # given when production begins
    result = models.CharField("结果", max_length=8, choices=Result.choices, default=Result.PENDING)
    failed_step = models.CharField("失败环节", max_length=10, blank=True)  # 银行 / 制卡
    failure = models.CharField("失败原因", max_length=100, blank=True)
    box = models.CharField("装箱位置", max_length=20, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "制卡明细"
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="batch_row_number"),
            models.UniqueConstraint(fields=["batch", "case"], name="batch_row_case"),
        ]


# The rest of the tables; they name Case as text, so that this file stays short enough to read.
from yikatong.registry.cards.casework import Correction as Correction  # noqa: E402, PLC0414
from yikatong.registry.cards.casework import Escalation as Escalation  # noqa: E402, PLC0414
from yikatong.registry.cards.rostering import Roster as Roster  # noqa: E402, PLC0414
from yikatong.registry.cards.rostering import RosterFault as RosterFault  # noqa: E402, PLC0414
