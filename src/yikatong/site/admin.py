"""The job queue in the administration, and the administration's side menu."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from procrastinate.contrib.django import app as queue
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from unfold.admin import TabularInline

from yikatong.core import audit
from yikatong.core.actor import Channel
from yikatong.core.admin import ReadOnlyAdmin, SomePaginator
from yikatong.core.clock import now
from yikatong.core.models import StaffUser
from yikatong.core.permissions import Permission, may
from yikatong.portals.shared.context import province
from yikatong.site.jobs import EVENTS, STATUSES, TASKS

admin.site.unregister(ProcrastinateJob)
admin.site.index_title = "管理首页"


class StatusFilter(admin.SimpleListFilter):
    title = "状态"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return list(STATUSES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        return queryset.filter(status=self.value()) if self.value() in STATUSES else queryset


class EventInline(TabularInline):
    model = ProcrastinateEvent
    fields: ClassVar = ["what", "when"]
    readonly_fields: ClassVar = ["what", "when"]
    extra = max_num = 0
    can_delete = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="事件")
    def what(self, event: ProcrastinateEvent) -> str:
        return EVENTS.get(event.type, event.type)

    @admin.display(description="时间")
    def when(self, event: ProcrastinateEvent) -> Any:
        return event.at


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """Jobs and what became of them; one that failed can be run again, and the audit log says who did so."""

    list_display: ClassVar = ["id", "task", "state", "attempts", "scheduled_at"]
    fields: ClassVar = ["id", "task", "state", "attempts", "scheduled_at", "args"]
    readonly_fields: ClassVar = ["task", "state"]
    list_filter: ClassVar = [StatusFilter]
    ordering: ClassVar = ["-id"]
    inlines: ClassVar = [EventInline]
    actions: ClassVar = ["run_again"]
    paginator = SomePaginator
    show_full_result_count = False

    @admin.display(description="任务")
    def task(self, job: ProcrastinateJob) -> str:
        return TASKS.get(job.task_name, job.task_name)

    @admin.display(description="状态")
    def state(self, job: ProcrastinateJob) -> str:
        return STATUSES.get(job.status, job.status)

    @admin.action(description="重新执行失败的任务")
    def run_again(self, request: HttpRequest, jobs: QuerySet[ProcrastinateJob]) -> None:
        assert isinstance(request.user, StaffUser)  # noqa: S101 - nobody else comes here
        failed, at = list(jobs.filter(status="failed")), now()
        for job in failed:
            queue.job_manager.retry_job_by_id(job.id, at, job.priority, job.queue_name, job.lock)
            by = request.user.actor(Channel.WEB)
            audit.record("admin:job:run_again", subject=f"job:{job.id}", by=by, at=at, task=job.task_name)
        self.message_user(request, f"已重新排队 {len(failed)} 个失败的任务。")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The side menu: the faces this superuser may enter, then every register."""
    faces = [
        {"title": title, "link": link, "icon": icon}
        for title, link, icon, need in _FACES
        if _may(request, need)
    ]
    registers = [
        {
            "title": part["name"],
            "separator": True,
            "items": [{"title": one["name"], "link": one["admin_url"]} for one in part["models"]],
        }
        for part in admin.site.get_app_list(request)
    ]
    return [{"title": "工作入口", "items": faces}, *registers]


def style(request: HttpRequest) -> str:  # noqa: ARG001
    """Address of our own rules."""
    return static("site/admin.css")


def text_size(request: HttpRequest) -> str:
    """Address of the rule for the text size chosen under 账号与显示; the library knows no such choice."""
    size = province(request)["text_size"]
    return static("site/admin.css" if size == "1" else f"site/admin-size-{size}.css")


_FACES: tuple[tuple[str, str, str, Permission | None], ...] = (
    ("管理首页", "/admin/", "home", None),
    ("控制台", "/console/", "tune", Permission.TERMINAL_MANAGE),
    ("密钥与名单", "/console/keys", "key", Permission.TERMINAL_MANAGE),
    ("柜面", "/counter/", "storefront", Permission.HOLDER_FIND),
    ("运行监测", "/board/", "monitoring", Permission.BOARD_SEE),
    ("账号与显示", "/staff/account", "person", None),
)


def _may(request: HttpRequest, need: Permission | None) -> bool:
    return need is None or (isinstance(request.user, StaffUser) and may(request.user.actor(), need))
