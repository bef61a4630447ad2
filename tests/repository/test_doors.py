"""Every address of the site: who gets in, and who does not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests import cast
from yikatong.core.actor import Role
from yikatong.core.models import StaffUser

#: Whoever knows the address may open these. A new page is private until it is written down here.
PUBLIC = {
    "", "healthz", "readyz", "sw.js",
    "m/login", "m/login/code", "m/login/choose", "m/logout", "m/offline", "m/manifest.webmanifest", "m/help",
    "m/places", "m/places/<uuid:key>", "m/settings", "m/settings/display", "m/code/shell",
    "staff/login", "staff/code", "staff/logout", "staff/back", "staff/display", "staff/alive",
