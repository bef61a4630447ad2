"""Fill in → check answers → confirm: one way through every matter, in plain posts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.forms import MultipleChoiceField
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render

from yikatong.core.errors import DomainError
from yikatong.portals.counter.forms import MatterForm
from yikatong.portals.shared.staff import StaffRequest

FILL, CHECK, CONFIRM, SAVE = "fill", "check", "confirm", "save"
STEPS = ((FILL, "填写"), (CHECK, "核对"), (CONFIRM, "完成"))


@dataclass(frozen=True)
class Walk:
    """`verify` looks at a filled form without doing anything; `act` does it and returns where to go."""

    form: Callable[..., MatterForm]
    act: Callable[[MatterForm], str]
    page: dict[str, object]
    verify: Callable[[MatterForm], object] = lambda _: None
    fields_at_fault: dict[type[DomainError], str] = field(default_factory=dict)
    is_quick: bool = False
    link: Callable[[DomainError], tuple[str, str] | None] = lambda _: None
    keep: Callable[[MatterForm], str] | None = None  # saves what is filled in so far; returns where to go
    initial: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: StaffRequest) -> HttpResponse:
        step = request.POST.get("step", CHECK) if request.method == "POST" else FILL
        given = request.POST if request.method == "POST" else None
        form = self.form(given, by=request.actor, initial=self.initial)
        if step == SAVE and self.keep is not None:
            return self._save(self.keep, form, request)
        if step not in {CHECK, CONFIRM}:
            return self._show(request, FILL, self._unchecked(request.POST, request) if request.POST else form)
        try:
            if form.is_valid() and self.verify(form) is None and (step == CONFIRM or self.is_quick):
                return HttpResponseRedirect(self.act(form), status=303)
        except DomainError as refusal:
            form.refuse(refusal, self._field_of(refusal, form), self.link(refusal))
        return self._show(request, FILL if form.is_refused else CHECK, form)

    def _save(
        self, keep: Callable[[MatterForm], str], form: MatterForm, request: StaffRequest
    ) -> HttpResponse:
        """Only what is there and right is kept; what is missing may come later, from another channel."""
        form.is_valid()
        try:
            return HttpResponseRedirect(keep(form), status=303)
        except DomainError as refusal:
            form.errors.clear()
            form.refuse(refusal, self._field_of(refusal, form), self.link(refusal))
        return self._show(request, FILL, form)

    def _unchecked(self, given: QueryDict, request: StaffRequest) -> MatterForm:
        """Back from the check page: what was typed, without complaints."""
        form = self.form(by=request.actor)
        form.initial = {
            name: given.getlist(name) if isinstance(field, MultipleChoiceField) else given.get(name)
            for name, field in form.fields.items()
        }
        return form

    def _field_of(self, refusal: DomainError, form: MatterForm) -> str | None:
        if (said := refusal.facts.get("field")) in form.fields:  # the act names it itself
            return str(said)
        return next((name for kind, name in self.fields_at_fault.items() if isinstance(refusal, kind)), None)

    def _show(self, request: StaffRequest, step: str, form: MatterForm) -> HttpResponse:
        status = 200
        if form.is_refused:
            status = form.refusal.status if form.refusal else 422
        context = {
            **self.page,
            "form": form,
            "step": step,
            "may_keep": self.keep is not None,
            "steps": STEPS[:1] + STEPS[2:] if self.is_quick else STEPS,
        }
        return render(request, str(self.page["template"]), context, status=status)
