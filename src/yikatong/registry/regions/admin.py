"""Admin of divisions, organisations, outlets and public holidays."""

from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from procrastinate.contrib.django import app as jobs
from procrastinate.exceptions import AlreadyEnqueued
from unfold.admin import TabularInline

from yikatong.core.admin import AuditedAdmin, KeptAdmin, ReadOnlyAdmin
from yikatong.registry.regions.models import CalendarDay, CalendarYear, Division, Organisation, Outlet


@admin.register(Division)
class DivisionAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "level", "parent_code", "is_current"]
    list_filter = ["level", "is_current"]
    search_fields = ["code", "name"]


@admin.register(Organisation)
class OrganisationAdmin(KeptAdmin):
    list_display = ["code", "name", "kind", "division_code"]
    list_filter = ["kind"]
    search_fields = ["code", "name"]


@admin.register(Outlet)
class OutletAdmin(KeptAdmin):
    list_display = ["number", "name", "division_code", "hours", "issues_at_once", "is_accessible", "is_open"]
    list_filter = ["issues_at_once", "is_accessible", "is_open"]
    list_select_related = ["organisation"]
    search_fields = ["number", "name", "address"]
    autocomplete_fields = ["organisation"]


class CalendarDayForm(forms.ModelForm[CalendarDay]):
    """A day belongs to its year: in another year's list no limit would ever meet it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # the table's heads are no labels to a screen reader
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        day, year = data.get("day"), data.get("year")
        if day and year and day.year != year.year:
            self.add_error("day", f"日期不在 {year.year} 年内，请核对。")
        return data


class CalendarDayInline(TabularInline):
    model, form, extra = CalendarDay, CalendarDayForm, 3
    fields = ("day", "works", "name")


@admin.register(CalendarYear)
class CalendarYearAdmin(AuditedAdmin):
    """Limits in working days count by these days (Sichuan art. 14); the audit log keeps each change."""

    audited = ("notice", "is_published")
    list_display = ("year", "notice", "is_published")
    inlines = (CalendarDayInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        _renew_limits()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        _renew_limits()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        _renew_limits()


def _renew_limits() -> None:
    """Cases and joint matters stand above regions, so the jobs are named and not imported; one that waits is enough."""
    for name in ("cards.renew_limits", "joint.renew_limits"):
        with suppress(AlreadyEnqueued), transaction.atomic():
            jobs.configure_task(name, queueing_lock=name, allow_unknown=True).defer()
