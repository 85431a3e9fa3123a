"""What can be wrong with asking for a reply, and what X can say to one."""

from __future__ import annotations

from voxlake.errors import TerminalError, TransientError
from voxlake.sources.errors import WaitError


class ReplyRequestError(TerminalError):
    """A message of the outbox that asks for nothing that can be sent."""


class ReplyTextError(TerminalError):
    """The words of a reply do not fit into a post."""


class PostRefusedError(TerminalError):
    """X takes no reply to this post: it is gone, its author blocks us or limits who may answer."""


class DuplicatePostError(TransientError):
    """X has a post of ours with these words: the reply may be out already."""


class AccountRefusedError(WaitError):
    """X takes no posts of our account for now, or no longer: keys, suspension, credits."""


class ReplyUnsureError(WaitError):
    """Whether a reply is out is not known yet; it is looked for after a time."""
