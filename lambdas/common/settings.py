"""How the functions read their environment; packaged with each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from voxlake.errors import TerminalError


class SettingsError(TerminalError):
    """An environment variable is missing or has a value of the wrong kind."""


class FunctionSettings(BaseModel):
    """Base of a function's typed settings; each field's alias is its environment variable."""

    model_config = ConfigDict(frozen=True)


Settings = TypeVar("Settings", bound=FunctionSettings)


def read_settings(model: type[Settings], environment: Mapping[str, str]) -> Settings:
    """Reads a function's settings from its environment.

    Raises:
        SettingsError: naming each variable that is missing or wrong.
    """
    try:
        return model.model_validate(dict(environment))
    except ValidationError as error:
        wrong = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"expected the function's environment variables to be set, found {wrong}; "
            "set them in the function's configuration"
        ) from None
