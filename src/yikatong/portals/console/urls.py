"""Addresses of the console."""

from django.urls import path

from yikatong.portals.console.views import (
    agreements,
    audit,
    banks,
    batches,
    home,
    keys,
    looks,
    losses,
    outlets,
    papers,
    quality,
    rosters,
    terminals,
)

urlpatterns = [
    path("", home.page, name="console"),
    path("rosters", rosters.index, name="console-rosters"),
    path("rosters/template.xlsx", rosters.template, name="console-roster-template"),
    path("rosters/<uuid:roster_id>", rosters.roster, name="console-roster"),
    path("rosters/<uuid:roster_id>/rows.xlsx", rosters.rows, name="console-roster-rows"),
    path("rosters/<uuid:roster_id>/faults.xlsx", rosters.faults, name="console-roster-faults"),
    path("batches", batches.index, name="console-batches"),
    path("batches/<str:number>", batches.batch, name="console-batch"),
    path("batches/<str:number>/fates.csv", batches.fates, name="console-batch-fates"),
    path("batches/<str:number>/<str:which>.txt", batches.download, name="console-batch-file"),
    path("banks", banks.index, name="console-banks"),
    path("banks/requests/<uuid:request_id>/retry", banks.retry, name="console-bank-retry"),
    path("banks/requests/<uuid:request_id>/paper", papers.record, name="console-paper"),
    path("banks/papers", papers.index, name="console-papers"),
    path("banks/papers/<uuid:written_id>/<slug:act>", papers.decide, name="console-paper-decide"),
    path("banks/contradictions/<uuid:contradiction_id>", papers.contradiction, name="console-contradiction"),
    path("banks/agreements/<uuid:agreement_id>/ending", agreements.end, name="console-agreement-ending"),
    path(
        "banks/agreements/<uuid:agreement_id>/<slug:act>", agreements.decide, name="console-agreement-decide"
    ),
    path("banks/<str:code>", agreements.bank, name="console-bank"),
    path("banks/<str:code>/agreements/new", agreements.new, name="console-agreement-new"),
    path("losses", losses.page, name="console-losses"),
    path("quality", quality.index, name="console-quality"),
    path("quality/<uuid:issue_id>", quality.issue, name="console-issue"),
    path("outlets", outlets.index, name="console-outlets"),
    path("outlets/<uuid:outlet_id>", outlets.outlet, name="console-outlet"),
    path("terminals", terminals.index, name="console-terminals"),
    path("terminals/new", terminals.register, name="console-terminal-new"),
    path("terminals/<int:number>", terminals.terminal, name="console-terminal"),
    path("keys", keys.page, name="console-keys"),
    path("audit", audit.page, name="console-audit"),
    path("audit.csv", audit.file, name="console-audit-file"),
    path("looks", looks.page, name="console-looks"),
    path("looks.csv", looks.file, name="console-looks-file"),
]
