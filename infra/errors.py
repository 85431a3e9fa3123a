"""Errors of synthesis: raised before anything is written, naming what to change."""

from voxlake.errors import VoxlakeError


class ConfigError(VoxlakeError):
    """A stage's configuration holds a value that AWS or the design refuses."""


class UnknownStageError(ConfigError):
    """The stage asked for is not one of the configured stages."""


class MissingSourceError(VoxlakeError):
    """A folder or file that an asset is made of does not exist."""


class BundlingError(VoxlakeError):
    """pip could not fetch the wheels that an asset is made of."""


class RetainedDataError(VoxlakeError):
    """Data was asked to be deleted that the stage keeps, or that S3 would not delete."""
