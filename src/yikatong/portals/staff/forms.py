"""Forms of logging in and of a member of staff's own account."""

from typing import Any

from django import forms

from yikatong.portals.shared.forms import DeskForm


class LogInForm(DeskForm):
    username = forms.CharField(
        label="用户名",
        max_length=150,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    password = forms.CharField(
        label="密码",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(DeskForm):
    code = forms.CharField(
        label="动态口令",
        max_length=12,
        help_text="打开手机上的验证器，填写“一卡通”下的 6 位数字。每个口令只能用一次。",
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "class": "num", "autofocus": True}
        ),
    )

    @property
    def kept_words(self) -> str:
        """A wrong code is counted: something has changed."""
        return ""


class PasswordForm(DeskForm):
    old = forms.CharField(
        label="现在的密码",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label="新密码",
        max_length=128,
        strip=False,
        help_text="至少 10 位，不要使用常见密码，不要与用户名相近。",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="再输入一次",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("again") and given.get("new") != given["again"]:
            self.add_error("again", "两次输入的新密码不一致")
        return given


class DisplayForm(forms.Form):
    """Text size and shortcuts of this browser, kept in cookies."""

    fs = forms.ChoiceField(
        label="字号",
        choices=[("1", "标准"), ("2", "大"), ("3", "较大"), ("4", "特大")],
        widget=forms.RadioSelect,
    )
    keys = forms.ChoiceField(
        label="快捷键", choices=[("on", "开启"), ("off", "关闭")], widget=forms.RadioSelect
    )
