"""Forms about the applicant: his certificates, guardians, agents, proofs and categories."""

from typing import Any

from django import forms

from yikatong.core.clock import day_of, now
from yikatong.portals.counter import representing
from yikatong.portals.counter.forms import SCAN, MatterForm, Scanned, Verified
from yikatong.portals.shared.forms import LastDayField
from yikatong.portals.shared.validity import NAMES as VALIDITY
from yikatong.portals.shared.validity import ValidityFields
from yikatong.registry.cards.models import Authorisation
from yikatong.registry.cards.rules import AGENT_MATTERS
from yikatong.registry.holders.certificates import SHOWN
from yikatong.registry.holders.models import Category, Guardianship, Proof


class CertificateForm(ValidityFields, MatterForm):
    """The same person under a new certificate."""

    kind = forms.ChoiceField(label="证件类型", choices=[(kind.value, kind.label) for kind in SHOWN])
    number = forms.CharField(
        label="证件号码", max_length=40, widget=Scanned(attrs=SCAN | {"data-enter": "next"})
    )
    verified = Verified("新旧证件都已核验，确属同一人")
    field_order = ("kind", "number", *VALIDITY, "verified")


class ValidityForm(ValidityFields, MatterForm):
    """The period of a certificate that is registered, or was renewed under its number."""

    which = forms.ChoiceField(label="证件", widget=forms.RadioSelect)
    verified = Verified("证件原件已核验，有效期与证件一致")
    field_order = ("which", *VALIDITY, "verified")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["certificate_from"].required = True
        present = representing.certificates(self.holder) if self.holder else []
        self.choose("which", present)
        if present:
            self.fields["which"].initial = present[0][0]


class PersonForm(MatterForm):
    """One who acts for the holder: his name and document."""

    name = forms.CharField(
        label="姓名",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label="证件类型", choices=[(kind.value, kind.label) for kind in SHOWN])
    number = forms.CharField(
        label="证件号码", max_length=40, widget=Scanned(attrs=SCAN | {"data-enter": "next"})
    )


class GuardianForm(PersonForm):
    ground = forms.ChoiceField(
        label="监护依据", choices=Guardianship.Ground.choices, widget=forms.RadioSelect
    )
    evidence = forms.ChoiceField(
        label="证明材料",
        choices=[one for one in Guardianship.Evidence.choices if one[0] != Guardianship.Evidence.ROSTER],
        widget=forms.RadioSelect,
    )
    evidence_number = forms.CharField(
        label="证明编号",
        max_length=60,
        required=False,
        help_text="出生医学证明编号、判决书文号等，没有编号的不填。",
    )
    verified = Verified("监护人身份证件和监护关系证明原件已核验")


class AgentForm(PersonForm):
    matters = forms.MultipleChoiceField(
        label="代办业务",
        choices=[(one.value, one.label) for one in AGENT_MATTERS],
        widget=forms.CheckboxSelectMultiple,
    )
    evidence = forms.ChoiceField(
        label="授权依据", choices=Authorisation.Evidence.choices, widget=forms.RadioSelect
    )
    evidence_number = forms.CharField(label="依据编号", max_length=60, required=False)
    valid_until = LastDayField(
        label="授权至",
        help_text="最后一天。最长一年，过后自动失效；持卡人可随时收回。",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "截止日期应为年、月、日，例如 2027-01-31"},
    )
    verified = Verified("双方身份证件和授权依据已核验")


class ProofForm(MatterForm):
    """The document that proves the ground for a card."""

    kind = forms.ChoiceField(label="证明种类", choices=Proof.Kind.choices, widget=forms.RadioSelect)
    number = forms.CharField(
        label="证明编号", max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off", "class": "num"})
    )
    issuer = forms.CharField(label="出具单位", max_length=100, help_text="如用人单位、学校、公安机关。")
    valid_until = LastDayField(
        label="有效期至",
        required=False,
        help_text="证明上写的最后一天。长期有效的不填；外国人工作许可必填。",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "有效期应为年、月、日，例如 2027-01-31"},
    )
    verified = Verified("证明材料原件已核验")


class CategoryForm(MatterForm):
    """A concession, who proves it, and its period."""

    kind = forms.ChoiceField(label="优待类别", choices=Category.Kind.choices, widget=forms.RadioSelect)
    source = forms.ChoiceField(
        label="证明来源",
        choices=[(one.label, one.label) for one in Category.Source],
        widget=forms.RadioSelect,
    )
    evidence = forms.CharField(
        label="证件或名单编号", max_length=100, widget=forms.TextInput(attrs={"class": "num"})
    )
    valid_from = forms.DateField(
        label="起始日期",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "起始日期应为年、月、日，例如 2026-09-01"},
    )
    valid_until = LastDayField(
        label="截止日期",
        required=False,
        help_text="享受的最后一天，次日自动停止。长期有效的不填。",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "截止日期应为年、月、日，例如 2027-07-01"},
    )
    verified = Verified("证件原件或部门名单已核验")


class EndCategoryForm(MatterForm):
    which = forms.ChoiceField(label="终止哪一项", widget=forms.RadioSelect)
    on = forms.DateField(
        label="自哪天起终止",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "终止日期应为年、月、日，例如 2026-12-01"},
    )
    reason = forms.CharField(label="终止原因", max_length=100, help_text="持卡人可以看到。")
    verified = Verified("终止依据已核验")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = day_of(now())
        self.fields["on"].initial = today.isoformat()
        self.choose("which", representing.concessions(self.holder, today) if self.holder else [])


class EndAgentForm(MatterForm):
    which = forms.ChoiceField(label="终止哪一项", widget=forms.RadioSelect)
    verified = Verified("身份证件已核验，已告知终止后不能恢复")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("which", representing.agents(self.holder, day_of(now())) if self.holder else [])


class EndGuardianForm(MatterForm):
    which = forms.ChoiceField(label="终止哪一项", widget=forms.RadioSelect)
    reason = forms.CharField(label="终止原因", max_length=100, help_text="持卡人可以看到。")
    verified = Verified("终止监护关系的证明材料已核验")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("which", representing.guardians(self.holder, day_of(now())) if self.holder else [])
