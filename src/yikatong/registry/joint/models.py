"""联办: a joint matter, each department's part in it, and what the departments are told."""

from django.db import models
from django.db.models import Q

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.cards.models import Case
from yikatong.registry.holders.models import Guardianship, Holder


class JointKind(models.TextChoices):
    NEWBORN = "newborn", "新生儿出生一件事"
    VETERAN = "veteran", "退役军人服务一件事"


class JointMatter(models.Model):
    """联办件: opened by one form, begun in one channel and perhaps continued in another.

    pii: what the form says of the person, encrypted; ground: the holder's or guardian's application; retention: 30 years.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "办理中"
        DONE = "done", "全部办结"
        ENDED = "ended", "已办结，部分未办成"
        WITHDRAWN = "withdrawn", "已撤回"

    id = key_field()
    number = models.CharField("联办号", max_length=20, unique=True)
    kind = models.CharField("联办事项", max_length=8, choices=JointKind.choices)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="joint_matters", verbose_name="持卡人")
    guardianship = models.ForeignKey(
        Guardianship, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="监护关系"
    )
    case = models.ForeignKey(
        Case, models.PROTECT, null=True, blank=True, related_name="joint_matters", verbose_name="受理单"
    )
    status = models.CharField("状态", max_length=9, choices=Status.choices, default=Status.RUNNING)
    form = EncryptedTextField("申请内容")  # JSON, as last corrected
    subject_index = IndexField()  # of the birth or discharge certificate
    division_code = models.CharField("受理地区", max_length=9)
    channel = models.CharField("渠道", max_length=12)
    created_at = models.DateTimeField("受理时间")
    created_by = models.CharField("受理人", max_length=100)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "联办件"
        constraints = [
            # The same newborn, the same discharge: once, until it is withdrawn.
            models.UniqueConstraint(
                fields=["kind", "subject_index"], condition=~Q(status="withdrawn"), name="joint_once"
            ),
            models.UniqueConstraint(
                fields=["kind", "holder"], condition=~Q(status="withdrawn"), name="joint_once_a_holder"
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-created_at"], name="joint_of_holder"),
            models.Index(fields=["status", "division_code", "created_at"], name="joint_desk"),
        ]

    def __str__(self) -> str:
        return self.number


class JointItem(models.Model):
    """联办事项: one department's part, with its limit and its answer.

    pii: a department's number of the person, encrypted; ground: statutory duty; retention: as the joint matter.
    """

    class Status(models.TextChoices):
        HELD = "held", "待前项办结"
        SENDING = "sending", "正在送达"
        ACCEPTED = "accepted", "部门办理中"
        CORRECTING = "correcting", "待补正"
        DONE = "done", "已办结"
        REFUSED = "refused", "不予办理"
        WITHDRAWN = "withdrawn", "已撤回"

    id = key_field()
    joint = models.ForeignKey(JointMatter, models.PROTECT, related_name="items", verbose_name="联办件")
    key = models.CharField("事项", max_length=12)
    department = models.CharField("部门", max_length=10)
    position = models.PositiveSmallIntegerField("顺序")
    status = models.CharField("状态", max_length=10, choices=Status.choices, default=Status.HELD)
    due_on = models.DateField("期限", null=True, blank=True)
    days_left = models.SmallIntegerField("停表时剩余工作日", null=True, blank=True)
    their_number = models.CharField("部门受理号", max_length=30, blank=True)
    reason = models.CharField("部门说明", max_length=200, blank=True)
    result = EncryptedTextField("办理结果", null=True, blank=True)  # words for people
    last_request = models.CharField("最近的请求号", max_length=24, blank=True)
    asked_times = models.PositiveIntegerField("已询问次数", default=0)
    next_ask_at = models.DateTimeField("下次询问", null=True, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "联办事项"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["joint", "key"], name="joint_item_once")]
        indexes = [
            models.Index(
                fields=["department", "next_ask_at"], condition=Q(status="accepted"), name="joint_item_asking"
            ),
            models.Index(
                fields=["due_on", "id"],
                condition=Q(status__in=["sending", "accepted"]),
                name="joint_item_clocked",
            ),
            models.Index(
                fields=["due_on", "id"], condition=Q(status="correcting"), name="joint_item_with_holder"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.joint_id} {self.key}"


class JointAct(models.TextChoices):
    """What a department is told; the value is the word on the line."""

    SUBMIT = "submit", "送办"
    CORRECT = "correct", "补正送办"
    WITHDRAW = "withdraw", "撤回"


class JointRequest(models.Model):
    """联办请求: written with the act that needs it and sent after it; never lost, never done twice.

    pii: what the department needs of the form, encrypted; ground: the application; retention: as the joint matter.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "待发送"
        UNKNOWN = "unknown", "结果待查"
        DONE = "done", "已送达"

    id = key_field()
    number = models.CharField("请求号", max_length=24, unique=True)
    serial = models.BigIntegerField("顺序", unique=True, editable=False)
    item = models.ForeignKey(JointItem, models.PROTECT, related_name="requests", verbose_name="联办事项")
    department = models.CharField("部门", max_length=10)
    act = models.CharField("业务", max_length=8, choices=JointAct.choices)
    content = EncryptedTextField("内容")  # JSON, the same bytes in every sending
    status = models.CharField("状态", max_length=7, choices=Status.choices, default=Status.WAITING)
    tries = models.PositiveIntegerField("次数", default=0)
    next_try_at = models.DateTimeField("下次发送")
    trouble = models.CharField("最近的问题", max_length=100, blank=True)
    created_at = models.DateTimeField("发起时间")
    created_by = models.CharField("发起人", max_length=100)
    settled_at = models.DateTimeField("送达时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "联办请求"
        indexes = [
            models.Index(
                fields=["department", "next_try_at", "serial"],
                condition=Q(status__in=["waiting", "unknown"]),
                name="joint_request_open",
            ),
            models.Index(fields=["item", "-serial"], name="joint_request_item"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="done", settled_at__isnull=False)
                | Q(status__in=["waiting", "unknown"], settled_at=None),
                name="joint_request_settled_once",
            )
        ]

    def __str__(self) -> str:
        return self.number


class JointStep(models.Model):
    """One step of a joint matter or of a department's part, readable for ever.

    pii: none beyond the matter's key.
    """

    id = key_field()
    joint = models.ForeignKey(JointMatter, models.PROTECT, related_name="steps", verbose_name="联办件")
    item = models.ForeignKey(
        JointItem, models.PROTECT, null=True, blank=True, related_name="steps", verbose_name="联办事项"
    )
    at = models.DateTimeField("时间")
    status = models.CharField("状态", max_length=10)
    actor_name = models.CharField("经办", max_length=100)
    actor_id = models.UUIDField(null=True, editable=False)
    channel = models.CharField("渠道", max_length=12)
    note = models.CharField("说明", max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "联办经过"
        ordering = ["at", "id"]


class JointEscalation(models.Model):
    """超期督办 of a department's part: reported once to the supervisors of its region (Sichuan art. 14, 22).

    pii: none beyond the item's key.
    """

    id = key_field()
    item = models.ForeignKey(JointItem, models.PROTECT, related_name="escalations", verbose_name="联办事项")
    due_on = models.DateField("期限")
    division_code = models.CharField("受理地区", max_length=9)
    at = models.DateTimeField("上报时间")
    closed_at = models.DateTimeField("离开本步骤", null=True, blank=True)
    order = models.CharField("督办意见", max_length=200, blank=True)
    ordered_at = models.DateTimeField("督办时间", null=True, blank=True)
    ordered_by = models.CharField("督办人", max_length=100, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "联办超期督办"
        ordering = ["due_on", "at", "id"]
        constraints = [models.UniqueConstraint(fields=["item", "due_on"], name="joint_escalation_once")]
        indexes = [
            models.Index(
                fields=["division_code", "due_on"],
                condition=Q(closed_at__isnull=True),
                opclasses=["varchar_pattern_ops", "date_ops"],
                name="joint_escalation_open",
            )
        ]
