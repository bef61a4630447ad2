"""Tables of rosters 批量名册: the file, its counts and its faulty rows."""

from django.db import models

from yikatong.core.fields import IndexField, key_field
from yikatong.registry.cards.models.kinds import ApplicantKind
from yikatong.registry.regions.models import Outlet


class Roster(models.Model):
    """批量申领名册: one file, taken once; the same file again gives the same answer.

    pii: identity and contact of every row, encrypted; ground: the employer's application; retention: the file
    until its rows are taken, its faulty rows for the days of the profile, the counts five years.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "排队中"
        RUNNING = "running", "处理中"
        DONE = "done", "已完成"
        REFUSED = "refused", "文件被拒绝"

    id = key_field()
    digest = IndexField("文件摘要", max_length=32, unique=True)
    filename = models.CharField("文件名", max_length=200)
    content = models.BinaryField("文件（加密）", null=True)
    header = models.BinaryField("表头（加密）", null=True)  # as it came, while its faulty rows are kept
    status = models.CharField("状态", max_length=8, choices=Status.choices, default=Status.WAITING)
    refusal = models.CharField("拒绝原因", max_length=300, blank=True)
    rows = models.PositiveIntegerField("总行数", default=0)
    rows_done = models.PositiveIntegerField("已处理", default=0)
    cases = models.PositiveIntegerField("受理", default=0)
    faults = models.PositiveIntegerField("有误", default=0)
    created_at = models.DateTimeField("上传时间")
    created_by = models.CharField("上传人", max_length=100)
    uploader_id = models.UUIDField(null=True, editable=False)  # who answers for its rows; names may be shared
    organisation = models.CharField("单位", max_length=100, blank=True)
    kind = models.CharField(
        "名册种类", max_length=10, choices=ApplicantKind.choices, default=ApplicantKind.EMPLOYER
    )
    applicant = models.CharField("申请单位", max_length=100, blank=True)
    scope = models.CharField("行政区划范围", max_length=12, blank=True)
    # Where it was taken: rows of another city are 通办件 of their places of issue. "" is the whole province.
    taken_code = models.CharField("受理地区", max_length=9, blank=True, default="", db_default="")
    outlet = models.ForeignKey(
        Outlet, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="受理网点"
    )
    routed = models.PositiveIntegerField("转签发地审核", default=0, db_default=0)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "批量名册"

    def __str__(self) -> str:
        return self.filename


class RosterFault(models.Model):
    """A faulty row: its number in the file, the column, and what is wrong.

    pii: the row's certificate number, masked, and the row as it came, encrypted; ground: the employer's application;
    retention: five years, the row as it came for the days of the profile.
    """

    id = key_field()
    roster = models.ForeignKey(Roster, models.CASCADE, related_name="faulty", verbose_name="名册")
    row = models.PositiveIntegerField("行号")
    column = models.CharField("列", max_length=20)
    code = models.CharField("错误码", max_length=40)
    message = models.CharField("说明", max_length=200)
    shown = models.CharField("内容（脱敏）", max_length=60, blank=True)
    given = models.BinaryField("原行（加密）", null=True)  # for who sent it, until it is erased

    class Meta:
        verbose_name = verbose_name_plural = "名册错误"
        indexes = [models.Index(fields=["roster", "row"], name="cards_roster_fault")]
