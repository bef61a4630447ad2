"""Refusals as pages or as problem details, in one place for all faces."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from yikatong.core.errors import DomainError

log = structlog.get_logger()

WORDS = {
    400: ("请求有误", "请返回上一页重试。"),
    403: ("不能访问", "您没有权限，或登录已过期。请重新登录后再试。"),
    404: ("没有这个页面", "请检查地址，或返回首页。"),
    413: ("内容太大", "文件超过允许的大小，没有接收。请拆分后再上传。"),
    500: ("系统出错了", "不是您的问题，请稍后再试。您填写的内容没有提交。"),
}


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/") or request.headers.get("Accept", "").startswith(
        "application/json"
    )


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refusal by rule, as the asker can read it."""
    log.info("refused", code=error.code, path=request.path)
    if wants_json(request):
        return JsonResponse(error.problem(), status=error.status, content_type="application/problem+json")
    return render(request, "shared/refusal.html", {"refusal": error}, status=error.status)


class RefusalPages:
    """Middleware: a DomainError no view has answered becomes a page or problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal(request, error) if isinstance(error, DomainError) else None


def _page(request: HttpRequest, status: int) -> HttpResponse:
    title, advice = WORDS[status]
    if wants_json(request):
        body = {"title": title, "detail": advice, "status": status, "code": HTTPStatus(status).name.lower()}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return render(request, "shared/error.html", {"title": title, "advice": advice}, status=status)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    return _page(request, 404)


def too_large(request: HttpRequest) -> HttpResponse:
    log.info("body_too_large", path=request.path)
    return _page(request, 413)


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    return _page(request, 403)
