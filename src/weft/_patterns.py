"""Regular expressions that are compiled when they are first used: compiling all of them would double a short run."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, AnyStr, cast


class Deferred:
    """Stands for a pattern; after the first use of a method of it, that method is found here at once."""

    def __init__(self, compile_it: Callable[[], re.Pattern[Any]]) -> None:
        self._compile = compile_it

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a pattern has
        value = getattr(self._compile(), name)
        setattr(self, name, value)
        return value


def deferred(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, for what most runs do not need; a mistake in it shows at its first use."""
    return cast("re.Pattern[AnyStr]", Deferred(partial(re.compile, pattern, flags)))
