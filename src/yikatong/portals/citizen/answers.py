"""How a form page answers: 303 after the act, else the page again with what is wrong."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from yikatong.core.errors import DomainError


class SeeOther(HttpResponseRedirect):
    """After a write: the browser fetches the next page, and a reload repeats nothing."""

    status_code = 303


def answer(
    request: HttpRequest,
    form: forms.Form,
    template: str,
    act: Callable[[dict[str, Any]], str],
    **context: Any,
) -> HttpResponse:
    """`act` gets the cleaned data of a posted, valid form and returns where to go on.

    A form that is wrong answers 422, a refused act its own status; both with the error summary in focus.
    """
    status, wait = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return SeeOther(act(form.cleaned_data))
            except DomainError as refusal:
                at_fault = refusal.facts.get("field")
                form.add_error(at_fault if at_fault in form.fields else None, sentence(refusal))
                status, wait = refusal.status, refusal.facts.get("retry_after")
    page = render(request, template, context | {"form": form}, status=status)
    if wait is not None:
        page.headers["Retry-After"] = str(wait)
    return page


def sentence(refusal: DomainError) -> str:
    """What a person reads: the reason, how many tries are left, the article."""
    left = refusal.facts.get("left")
    more = f"还可以试 {left} 次。" if isinstance(left, int) else ""
    return refusal.message + more + (f"（依据：{refusal.article}）" if refusal.article else "")
