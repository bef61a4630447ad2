"""Closed lists that several tables share: what a case is about, and who asks."""

from django.db import models


class CaseKind(models.TextChoices):
    APPLY = "apply", "申领"
    REPLACE = "replace", "补换"
    ACTIVATE = "activate", "启用"
    LOSS = "loss", "挂失"
    RELEASE = "release", "解挂"
    CANCEL = "cancel", "注销"
    CHANGE = "change", "信息变更"


class ApplicantKind(models.TextChoices):
    """Who asks for the card: himself, one who acts for him, or an organisation by its roster."""

    SELF = "self", "本人"
    GUARDIAN = "guardian", "监护人"
    AGENT = "agent", "代办人"
    EMPLOYER = "employer", "用人单位"
    SCHOOL = "school", "学校"
    COMMUNITY = "community", "社区（村）"
