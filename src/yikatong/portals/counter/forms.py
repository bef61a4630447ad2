"""What is filled in at the counter. The acts decide; forms only take words apart."""

from typing import Any, ClassVar

from django import forms

from yikatong.core.actor import Actor
from yikatong.core.clock import day_of, now
from yikatong.portals.counter import representing
from yikatong.portals.shared.forms import DeskForm
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.banks.terms import offered
from yikatong.registry.cards import elsewhere
from yikatong.registry.cards.models import CaseKind
from yikatong.registry.cards.rules import CancelReason, FeeGround, ReplaceReason
from yikatong.registry.holders import countries
from yikatong.registry.holders.certificates import SHOWN
from yikatong.registry.holders.models import Holder
from yikatong.registry.holders.rules import Ground
from yikatong.registry.regions.law import province
from yikatong.registry.regions.models import Division, Outlet

OUTLETS_MAX = 200
DELIVERY = [("0", "到网点领取"), ("1", "邮寄")]
SCAN = {
    "autocomplete": "off",
    "autocapitalize": "characters",
    "spellcheck": "false",
    "class": "num",
    "data-number": "",
}


class Scanned(forms.TextInput):
    """A number that may come from a scanner: shown again in groups, Enter goes on."""

    echo = True


class Suggested(forms.TextInput):
    """A text with suggestions to choose from; any other may be typed."""

    template_name = "shared/desk/suggested.html"

    def __init__(self, suggestions: list[str], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{context['widget']['attrs']['id']}_list"
        return context | {"suggestions": self.suggestions}


class Verified(forms.MultipleChoiceField):
    """The clerk confirms what he has seen with his own eyes."""

    missing = "请确认已核验本人身份证件"

    def __init__(self, words: str = "身份证件在有效期内，与本人一致") -> None:
        super().__init__(
            label="材料核验", choices=[("yes", words)], widget=forms.CheckboxSelectMultiple(), required=True
        )


class FindForm(DeskForm):
    q = forms.CharField(
        label="证件号码、卡号、手机号码或姓名",
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "data-key": "F2", "autofocus": True}
        ),
    )


class CaseNumberForm(DeskForm):
    number = forms.CharField(
        label="受理号",
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "class": "num", "autofocus": True}
        ),
    )


#: Reasons that are no matter of one card: a replacement, or what happens to a person.
OTHERWISE = {CancelReason.REPLACED, CancelReason.DECEASED, CancelReason.EMIGRATED, CancelReason.MOVED}


class MatterForm(DeskForm):
    """A form of a matter; `by` is the clerk, whose region and outlet bound the choices."""

    quiet = ("verified",)

    def __init__(self, *args: Any, by: Actor, holder: Holder | None = None, **kwargs: Any) -> None:
        self.by, self.holder = by, holder
        super().__init__(*args, **kwargs)

    def choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = choices


class RegisterForm(ValidityFields, MatterForm):
    kind = forms.ChoiceField(label="证件类型", choices=[(kind.value, kind.label) for kind in SHOWN])
    number = forms.CharField(
        label="证件号码", max_length=40, widget=Scanned(attrs=SCAN | {"data-enter": "next"})
    )
    name = forms.CharField(
        label="姓名",
        max_length=80,
        strip=False,
        help_text="与证件一致；少数民族姓名用间隔号“·”。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    phone = forms.CharField(
        label="手机号码",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    ground = forms.ChoiceField(label="申领依据", choices=Ground.choices, widget=forms.RadioSelect)
    division_code = forms.ChoiceField(label="所在县（市、区）")
    address = forms.CharField(
        label="通讯地址",
        max_length=120,
        required=False,
        help_text="选择邮寄领卡时需要。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    birth_date = forms.DateField(
        label="出生日期",
        required=False,
        help_text="18 位号码的证件可以不填。",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "出生日期应为年、月、日，例如 1990-03-07"},
    )
    sex = forms.ChoiceField(
        label="性别",
        required=False,
        choices=[("", "按证件号码"), *Holder.Sex.choices],
        help_text="18 位号码的证件可以不选。",
    )
    nationality = forms.CharField(
        label="国籍",
        max_length=20,
        initial="中国",
        help_text="国家名称或三位字母代码，如“法国”或“FRA”。",
        widget=Suggested(list(countries.NAMES.values()), attrs={"autocomplete": "off"}),
    )
    verified = Verified()
    field_order = (
        "kind", "number", "name", *VALIDITY, "phone", "ground", "division_code", "address", "birth_date", "sex",
        "nationality", "verified",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("division_code", [("", "请选择"), *counties(self.by)])

    def clean_nationality(self) -> str:
        """A code becomes its name, so that what is checked with the holder can be read; the act takes either."""
        text = str(self.cleaned_data["nationality"])
        return countries.name_of(countries.code_of(text)) or text


class RepresentedForm(MatterForm):
    """Who stands before the clerk; asked only where another than the holder may."""

    matter: ClassVar[CaseKind]
    stands = forms.ChoiceField(label="到场办理人", required=False, widget=forms.RadioSelect, initial="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = representing.choices(self.holder, self.matter, day_of(now())) if self.holder else []
        self.choose("stands", choices)
        if len(choices) < 2:
            del self.fields["stands"]


class DeliveryForm(RepresentedForm):
    """Which outlet, or by post."""

    bank_code = forms.ChoiceField(label="合作银行", help_text="由持卡人自愿选择。")
    delivery = forms.ChoiceField(label="领取方式", choices=DELIVERY, initial="0", widget=forms.RadioSelect)
    outlet_id = forms.ChoiceField(label="领卡网点", required=False)
    address = forms.CharField(
        label="收件地址",
        max_length=200,
        required=False,
        help_text="邮寄时填写；不填则寄到登记的通讯地址。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    verified = Verified()

    first_bank: ClassVar = ("", "请选择")

    def _of_the_place_of_issue(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """全省通办: of whom another city issues, the card may be fetched here or there; the form says so."""
        if self.holder is None or elsewhere.is_same_city(
            here(self.by) or self.by.scope, self.holder.division_code
        ):
            return []
        where = elsewhere.place_name(self.holder.division_code)
        self.fields[
            "outlet_id"
        ].help_text = f"全省通办：签发地为{where}，本件转签发地审核，制成后在所选网点领取。"
        return [(f"签发地（{where}）", outlets_of(self.holder.division_code))]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        banks = offered(day_of(now())).values_list("code", "name")
        banks = banks.filter(code=self.by.bank) if self.by.bank else banks
        self.choose("bank_code", [*([] if self.by.bank else [self.first_bank]), *banks])
        self.choose("outlet_id", [("", "不指定"), *outlets(self.by), *self._of_the_place_of_issue()])
        self.fields["outlet_id"].initial = str(self.by.outlet_id or "")


class ApplyForm(DeliveryForm):
    matter = CaseKind.APPLY


class ReplaceForm(DeliveryForm):
    matter = CaseKind.REPLACE
    reason = forms.ChoiceField(label="补换原因", choices=ReplaceReason.choices, widget=forms.RadioSelect)
    fee_ground = forms.ChoiceField(label="免收工本费依据", required=False)
    fee_note = forms.CharField(
        label="免收说明",
        max_length=100,
        required=False,
        help_text="依据不是优待类别的，写明文件名称或情况。",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    first_bank = ("", "沿用原银行（支持的账号不变）")
    field_order = (
        "reason", "stands", "bank_code", "delivery", "outlet_id", "address", "fee_ground", "fee_note", "verified",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["bank_code"].required = False
        self.choose("fee_ground", [("", "按规定收取；已登记的优待类别自动免收"), *waivers()])


class LossForm(RepresentedForm):
    matter = CaseKind.LOSS
    loss = forms.ChoiceField(label="挂失种类", widget=forms.RadioSelect, initial="temporary")
    verified = Verified()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("loss", [("temporary", "临时挂失"), ("formal", "正式挂失")])


class ReleaseForm(RepresentedForm):
    matter = CaseKind.RELEASE
    verified = Verified("身份证件与本人一致，卡片已找到并出示")


class CancelForm(RepresentedForm):
    matter = CaseKind.CANCEL
    reason = forms.ChoiceField(
        label="注销原因",
        choices=[choice for choice in CancelReason.choices if choice[0] not in OTHERWISE],
        widget=forms.RadioSelect,
    )
    verified = Verified("身份证件或证明材料已核验，已告知注销后不能恢复")


class ChangeForm(MatterForm):
    phone = forms.CharField(
        label="新手机号码",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "class": "num"}),
    )
    verified = Verified()


class CollectForm(MatterForm):
    verified = Verified()


class WithdrawForm(MatterForm):
    verified = Verified("申请人（或其监护人、代办人）要求撤回，身份证件在有效期内，与本人一致")


class ReasonForm(DeskForm):
    reason = forms.CharField(
        label="不通过原因",
        max_length=200,
        help_text="申请人可以看到，请写明需要补正的内容。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RevealForm(DeskForm):
    REASONS: ClassVar = ["核对联系方式", "通知领卡或补正材料", "核对身份信息"]
    field = forms.ChoiceField(choices=[("phone", "手机号码"), ("number", "证件号码")])
    reason = forms.ChoiceField(label="查看原因", choices=[(one, one) for one in REASONS])


def waivers() -> list[tuple[str, str]]:
    """Grounds on which this province does not take the fee."""
    return [(ground, FeeGround(ground).label) for ground in province().card.fee_waivers]


def counties(by: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
    """Counties of the clerk's province, by city; his own region first."""
    rows = Division.objects.filter(code__startswith=by.scope[:2], is_current=True)
    names = dict(rows.filter(level__lte=Division.Level.CITY).values_list("code", "name"))
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, name in rows.filter(level=Division.Level.COUNTY).order_by("code").values_list("code", "name"):
        groups.setdefault(code[:4] + "00", []).append((code, name))
    own = sorted(groups, key=lambda city: (not city.startswith(by.scope[:4]), city))
    return [(names.get(city, names.get(city[:2] + "0000", city)), groups[city]) for city in own]


def outlets(by: Actor) -> list[tuple[str, str]]:
    """Open outlets of the clerk's city."""
    return outlets_of(here(by) or by.scope)


def outlets_of(division_code: str) -> list[tuple[str, str]]:
    """Open outlets of the city of a division."""
    rows = Outlet.objects.filter(is_open=True, division_code__startswith=division_code[:4]).order_by("name")
    return [(str(key), name) for key, name in rows.values_list("pk", "name")[:OUTLETS_MAX]]


def here(by: Actor) -> str:
    """Division of the outlet the clerk sits in, "" where he has none."""
    rows = Outlet.objects.filter(pk__in=[by.outlet_id] if by.outlet_id else [])
    return rows.values_list("division_code", flat=True).first() or ""
