"""The administration as a superuser meets it: in Chinese throughout, and on the way to the other faces."""

import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django import app as queue
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.repository.tree import SRC
from yikatong.core.models import AuditEntry
from yikatong.site.jobs import TASKS

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
#: What is written in Latin letters in Chinese too: names of standards, formats and units.
SPOKEN = {"TOTP", "ID", "URL", "PIN", "SM", "GB", "T", "JSON", "UTC", "esc"}
_SILENT = {"script", "style", "template", "code", "pre"}
_VOID = {"input", "br", "img", "meta", "link", "hr", "path", "circle", "wbr", "source", "col"}
_SPEAKING = {"title", "placeholder", "aria-label", "alt"}


class Words(HTMLParser):
    """The Latin words that a page shows or speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name in _SPEAKING & given.keys():
            self._take(given[name] or "")
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self._take(given.get("value") or "")
        if tag in _VOID:
            return
        is_icon = "material-symbols" in (given.get("class") or "")
        if self._silent or tag in _SILENT or is_icon:
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag not in _VOID:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._take(data)

    def _take(self, text: str) -> None:
        text = re.sub(r"^: .*", "", text.strip())  # of a password's hash: its method and its salt
        words = [word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in SPOKEN]
        if words:
            self.found.append(" ".join(text.split()))


def words(page: bytes) -> list[str]:
    reader = Words()
    reader.feed(page.decode())
    return reader.found


def pages(administration: Client, model: type[Model]) -> Iterator[str]:
    """List, new, one, its history and its deletion, as far as the model has them."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    key = quote(str(model._default_manager.order_by("pk").first().pk))
    at_all = [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
    yield from at_all + [reverse(f"{name}_{what}", args=[key]) for what in ("change", "history", "delete")]


def test_the_beginning_is_chinese_and_leads_to_the_other_faces(administration: Client) -> None:
    answer = administration.get("/admin/")
    page = answer.content.decode()

    assert words(answer.content) == []
    assert "后台任务" in page
    for face in ("/console/", "/board/", "/staff/account"):
        assert f'href="{face}"' in page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_page_of_the_administration_is_chinese(model: type[Model], administration: Client) -> None:
    said, seen = dict[str, list[str]](), 0
    for address in pages(administration, model):
        answer = administration.get(address)
        if answer.status_code == 200:
            seen += 1
            said |= {address: found} if (found := words(answer.content)) else {}
    assert seen >= 2
    assert said == {}


def test_every_job_has_a_name() -> None:
    assert set(queue.tasks) == TASKS.keys()


def test_a_failed_job_is_run_again_and_the_log_says_who_did_so(administration: Client) -> None:
    key = ProcrastinateJob.objects.get(task_name="usage.keep_partitions").pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [key])

    form = {"action": "run_again", "_selected_action": str(key)}
    administration.post("/admin/procrastinate/procrastinatejob/", form)

    assert ProcrastinateJob.objects.get(pk=key).status == "todo"
    noted = AuditEntry.objects.get(event="admin:job:run_again")
    assert (noted.actor_name, noted.facts) == ("王管理", {"task": "usage.keep_partitions"})


def test_the_compiled_words_are_those_of_their_source() -> None:
    """A check-out needs no compiler; whoever changes the source runs msgfmt."""
    folder = SRC / "site" / "locale" / "zh_Hans" / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    source = (folder / "django.po").read_text("utf-8")
    said = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.MULTILINE)

    assert len(said) > 40
    assert [(one, compiled.gettext(one), word) for one, word in said if compiled.gettext(one) != word] == []
