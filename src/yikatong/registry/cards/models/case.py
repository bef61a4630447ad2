"""受理单: the matters of holders, their steps, and which step may follow which."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, key_field
from yikatong.registry.banks.models import Bank, BankAccount
from yikatong.registry.cards.models.authorisation import Authorisation
from yikatong.registry.cards.models.card import Card
from yikatong.registry.cards.models.kinds import ApplicantKind, CaseKind
from yikatong.registry.holders import names
from yikatong.registry.holders.models import Holder
from yikatong.registry.regions.models import Outlet


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

#: Back from 已撤回, only where the end of the holder's record that ended the case is undone: by what it was before.
CASE_REVIVALS: dict[CaseStatus, CaseStatus] = {
    CaseStatus.DRAFT: CaseStatus.DRAFT,
    CaseStatus.SUBMITTED: CaseStatus.SUBMITTED,
    CaseStatus.CORRECTING: CaseStatus.CORRECTING,
    CaseStatus.CHECKED: CaseStatus.CHECKED,
    CaseStatus.PREOPENED: CaseStatus.CHECKED,
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
    # 通办受理地: where an outlet of another city has taken it; division_code is then the place of issue.
    taken_code = models.CharField("通办受理地", max_length=9, blank=True, default="", db_default="")
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
            # 通办件 under way, as the place of issue and as the taking city ask for them: few of all cases.
            models.Index(
                fields=["division_code", "status"],
                condition=~Q(taken_code="") & Q(closed_at__isnull=True),
                opclasses=["varchar_pattern_ops", "varchar_ops"],
                name="cards_case_to_issue",
            ),
            models.Index(
                fields=["taken_code", "status"],
                condition=~Q(taken_code="") & Q(closed_at__isnull=True),
                opclasses=["varchar_pattern_ops", "varchar_ops"],
                name="cards_case_taken",
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
