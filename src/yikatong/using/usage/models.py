"""用卡记录: each presentation at a terminal and what the gate answered. Written by the gate."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models


class Use(models.Model):
    """One presentation at one terminal, accepted or refused. Partitioned by day.

    Identity is (terminal, sequence). A sequence is YYYYMMDD × 10⁸ + n, the day being the terminal's business day
    given at sign-in; so the day follows from the sequence, and the key is unique over all partitions.
    pii: movement and service use; ground: service requested by the holder; retention: three years.
    """

    class Method(models.IntegerChoices):
        CODE = 1, "电子码"
        SHORT = 2, "短码"
        CARD = 3, "实体卡"

    class Flag(models.IntegerChoices):
        """What a reader should know of an accepted use (docs/spec/gate-v1.md, rules of offline uses)."""

        NONE = 0, ""
        GOOD_FAITH = 1, "停用后、名单到达终端前离线放行"
        EVIDENCE_BROKEN = 2, "离线凭据签名不符"

    pk = models.CompositePrimaryKey("day", "terminal", "sequence")
    day = models.DateField("业务日")
    terminal = models.BigIntegerField("终端编号")
    sequence = models.BigIntegerField("流水号")
    used_at = models.DateTimeField("用卡时间")
    received_at = models.DateTimeField("到达时间")
    is_offline = models.BooleanField("离线", default=False)
    method = models.PositiveSmallIntegerField("方式", choices=Method.choices)
    scene = models.PositiveSmallIntegerField("场景")
    outcome = models.PositiveSmallIntegerField("结果", default=0)  # 0 accepted, else reasons.Reason
    holder_id = models.UUIDField("持卡人", null=True)
    card_id = models.UUIDField("卡", null=True)
    device_number = models.BigIntegerField("设备", null=True)
    place_id = models.UUIDField("场所", null=True)
    city_code = models.CharField("市（州）", max_length=6, blank=True)
    domain_code = models.CharField("领域", max_length=12, blank=True)
    amount_fen = models.BigIntegerField("金额（分）", default=0)
    concession = models.PositiveSmallIntegerField("优待", default=0)
    flag = models.PositiveSmallIntegerField(
        "标记", choices=Flag.choices, default=Flag.NONE, db_default=Flag.NONE
    )
    first_terminal = models.BigIntegerField("首次终端", null=True)  # of a replay or double use
    first_sequence = models.BigIntegerField("首次流水", null=True)
    request_digest = models.BinaryField("请求摘要", max_length=16)
    evidence = models.BinaryField("出示凭据", null=True)  # the presentation's bytes of an offline use

    class Meta:
        verbose_name = verbose_name_plural = "用卡记录"
        indexes = [
            models.Index(fields=["holder_id", "-used_at"], name="usage_use_holder"),
            BrinIndex(
                fields=["received_at"], name="usage_use_received", pages_per_range=16, autosummarize=True
            ),
        ]


class Shown(models.Model):
    """A presentation that has been used. Its key holds its own day, so one insert is the replay check everywhere.

    Partitioned by day of `made_at`. pii: none beyond an opaque reference; retention: 40 days.
    """

    pk = models.CompositePrimaryKey("day", "reference", "made_at", "counter")
    day = models.DateField()
    reference = models.BinaryField(max_length=24)  # a pass's reference, or a short code's block
    made_at = models.BigIntegerField()  # Unix seconds, as in the presentation
    counter = models.PositiveIntegerField()
    terminal = models.BigIntegerField()
    sequence = models.BigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "已出示凭证"


class EvidenceMark(models.Model):
    """How far the signatures of offline uses have been verified: one row, by time of arrival. pii: none."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checked_until = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = "凭据核验进度"
