"""用卡记录 and 谁查过我的信息 (PIPL art. 44, Guangdong art. 17)."""

from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from yikatong.core import looks as log
from yikatong.core.clock import BEIJING
from yikatong.portals.citizen.session import CitizenRequest, holder_required
from yikatong.using.usage import queries as usage

PAGE = 20
FIELDS = {
    "name": "姓名",
    "certificate": "证件号码",
    "number": "社会保障号码",
    "social_security_number": "社会保障号码",
    "phone": "手机号码",
    "address": "通讯地址",
    "cards": "卡",
    "card": "卡",
    "account": "银行账户",
    "cases": "受理单",
    "categories": "优待类别",
    "birth_date": "出生日期",
}


@holder_required
def uses(request: CitizenRequest) -> HttpResponse:
    """Latest first; `before` (ISO 8601) is where the page before ended."""
    before = _moment(request.GET.get("before", ""))
    rows = list(usage.of_holder(request.holder.id, limit=PAGE + 1, before=before))
    more = rows[PAGE - 1].used_at.isoformat() if len(rows) > PAGE else ""
    return render(request, "citizen/uses.html", {"uses": rows[:PAGE], "more": more, "later": before})


@holder_required
def looks(request: CitizenRequest) -> HttpResponse:
    page = Paginator(log.of_holder(request.holder.id), PAGE).get_page(request.GET.get("page"))
    rows = [(look, "、".join(dict.fromkeys(FIELDS.get(name, name) for name in look.fields))) for look in page]
    return render(request, "citizen/looks.html", {"page": page, "looks": rows})


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=BEIJING)
