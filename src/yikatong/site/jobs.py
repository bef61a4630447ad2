"""The job queue under the names our administrators know."""

from typing import Final

from procrastinate.contrib.django.apps import ProcrastinateConfig

STATUSES: Final = {
    "todo": "等待", "doing": "进行中", "succeeded": "完成", "failed": "失败", "cancelled": "已取消", "aborted": "已中止",
}  # fmt: skip
EVENTS: Final = {
    "deferred": "登记", "started": "开始", "deferred_for_retry": "等待重试", "failed": "失败", "succeeded": "完成",
    "cancelled": "取消", "abort_requested": "请求中止", "aborted": "中止", "scheduled": "排定",
}  # fmt: skip
#: What each of our jobs does; a test holds this against the queue's own list.
TASKS: Final = {
    "builtin:procrastinate.builtin_tasks.remove_old_jobs": "清理旧任务",
    "procrastinate.builtin_tasks.remove_old_jobs": "清理旧任务",
    "banks.chase": "催办银行回复",
    "banks.collect": "收取银行约定的数据",
    "banks.compare": "核对书面答复与银行电子应答",
    "banks.send": "向银行发送请求",
    "cards.account_answered": "按银行回复更新受理单",
    "cards.erase_roster_rows": "清除到期的名册原行",
    "cards.release_ended_losses": "到期解除临时挂失",
    "cards.renew_limits": "按放假安排重算办理时限",
    "cards.run_roster": "处理批量名册",
    "cards.watch_limits": "检查办理时限",
    "codes.card_changed": "更新黑名单",
    "codes.catch_up": "补齐黑名单",
    "codes.forget_old": "清理过期凭证和名单",
    "codes.publish_lists": "发布名单",
    "codes.tell_partner": "告知伙伴平台名单",
    "codes.watch_spreading": "核对挂失传播",
    "codes.seal_audit": "审计记录编号签名",
    "dashboards.forget": "清理运行监测数据",
    "dashboards.refresh": "更新运行监测",
    "dashboards.settle": "核定运行监测",
    "dashboards.stock": "统计持卡情况",
    "holders.end_grown_wards": "结束已成年的监护",
    "holders.switch_categories": "按日期启停优待类别",
    "holders.tell_expiring": "提醒证件即将到期",
    "identity.deliver": "发送短信验证码",
    "identity.forget": "清理登录验证记录",
    "identity.tell_holder": "短信告知持卡人",
    "joint.chase": "催办联办部门回复",
    "joint.renew_limits": "按放假安排重算联办时限",
    "joint.send": "向联办部门送办、询问",
    "joint.watch_limits": "检查联办时限",
    "matching.chase": "再次核验",
    "matching.inquire": "向人口库核验",
    "matching.compare": "与权威数据源比对",
    "matching.follow": "收取权威数据源的变更",
    "stock.print_next": "打印下一张即办卡",
    "staff.tidy": "清理工作人员会话",
    "usage.check_evidence": "核对离线用卡证据",
    "usage.keep_partitions": "建立和清理按日分区",
}
_FIELDS: Final = {
    "id": "编号", "task_name": "任务代码", "queue_name": "队列", "status": "状态代码", "attempts": "已试次数",
    "scheduled_at": "计划时间", "priority": "优先级", "args": "参数", "lock": "锁", "queueing_lock": "排队锁",
    "worker": "执行进程", "abort_requested": "已请求中止",
}  # fmt: skip


class JobsConfig(ProcrastinateConfig):
    """Only what the administration shows changes; tables and migrations stay the library's own."""

    verbose_name = "后台任务"

    def ready(self) -> None:
        super().ready()
        job = self.get_model("ProcrastinateJob")
        job._meta.verbose_name = job._meta.verbose_name_plural = "后台任务"
        for name, label in _FIELDS.items():
            setattr(job._meta.get_field(name), "verbose_name", label)  # noqa: B010 - relations have none, by type
        setattr(job, "__str__", lambda row: f"{TASKS.get(row.task_name, row.task_name)}（{row.pk}）")  # noqa: B010
        event = self.get_model("ProcrastinateEvent")
        event._meta.verbose_name = event._meta.verbose_name_plural = "经过"
        setattr(event, "__str__", lambda row: EVENTS.get(row.type, row.type))  # noqa: B010
