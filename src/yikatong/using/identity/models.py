"""How a holder proves who he is to us: a phone with a code, and the e-card password."""

from django.db import models

from yikatong.core.fields import EncryptedTextField, IndexField, key_field
from yikatong.registry.holders.models import Holder


class SmsCode(models.Model):
    """A log-in code sent to a phone: six digits, five minutes, five tries, once.

    pii: phone number; ground: the holder's request; retention: one day.
    """

    id = key_field()
    phone_index = IndexField(db_index=True)
    ip_index = IndexField(null=True)  # who asked, to slow down one who tries many phones
    code_hash = models.BinaryField(max_length=32)
    purpose = models.CharField(max_length=20, default="login")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    is_familiar = models.BooleanField(default=False)  # asked from where this phone has logged in before
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "短信验证码"
        indexes = [models.Index(fields=["ip_index", "sent_at"], name="identity_sms_ip")]


class SentMessage(models.Model):
    """A text message handed to the sms adapter, for the demo's screen and for proof of notice.

    pii: phone number and text, encrypted; ground: service notice; retention: 90 days.
    """

    id = key_field()
    at = models.DateTimeField(db_index=True)
    phone = EncryptedTextField()
    phone_index = IndexField(db_index=True)
    text = EncryptedTextField()
    template = models.CharField(max_length=30)
    status = models.CharField(max_length=10, default="waiting")  # waiting, sent, failed

    class Meta:
        verbose_name = verbose_name_plural = "短信"


class ECardPassword(models.Model):
    """电子社保卡密码: six digits, apart from the card's PIN; five wrong ones lock it for a while.

    pii: credential (hash); ground: the holder's request; retention: until removed.
    """

    holder = models.OneToOneField(Holder, models.PROTECT, primary_key=True, related_name="ecard_password")
    password_hash = models.CharField(max_length=128)
    set_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "电子社保卡密码"
