"""A `PartnerLine` of using.codes over signed HTTP."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from yikatong.adapters import signed_channels
from yikatong.adapters.signed_channels import Channel
from yikatong.adapters.signed_http import Wire
from yikatong.core import env
from yikatong.using.codes.partner_line import PartnerAway, PartnerSilent, PartnerUnfit

#: Whom a demonstration has beside it.
SANDBOX: Final = {"neighbour": "邻省平台（沙箱）", "transit": "城际公交运营方（沙箱）"}


class _Said(msgspec.Struct, frozen=True):
    scene: int
    version: int


class PartnerApi:
    def partners(self) -> Mapping[str, str]:
        return {code: channel.name or code for code, channel in _channels().items()}

    def take(self, partner: str, envelope: bytes) -> int:
        channel = _channels().get(partner)
        if channel is None:
            raise PartnerAway("没有设置这家伙伴平台的接口")
        failures: dict[str, Any] = {"away": PartnerAway, "silent": PartnerSilent, "unfit": PartnerUnfit}
        wire = Wire(channel.url, channel.key, whom="对方", answer_s=channel.answer_s, **failures)
        body = wire.fetch("/partner/v1/lists", {"partner": partner, "list": msgspec.Raw(envelope)})
        try:
            said = msgspec.json.decode(body, type=_Said)
        except msgspec.DecodeError as error:
            raise PartnerUnfit("对方应答不能识别") from error
        if said.scene != msgspec.json.decode(envelope)["scene"]:
            raise PartnerUnfit("对方应答的不是所发的名单")
        return said.version


def _channels() -> Mapping[str, Channel]:
    settings = env.load()
    if settings.partners_file != Path():
        return signed_channels.read(settings.partners_file, "partners", "PARTNERS_FILE")
    if not settings.demo:
        return {}
    key = settings.sandbox_key_path("partner")
    return {
        code: Channel(url=settings.bank_sandbox_url, key_file=key, name=name)
        for code, name in SANDBOX.items()
    }
