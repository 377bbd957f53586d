"""The homes and servers of these tests are those of ``tests.server``."""

from __future__ import annotations

import pytest

pytest.importorskip("grpc_health")

from tests.server.conftest import far, home, ingested, near, served, shared  # noqa: F401
