"""Downloads a file over HTTP: resumed when the connection breaks, checked before it counts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from voxlake import __version__
from voxlake.errors import TerminalError, TransientError

ATTEMPTS = 4
CHUNK_BYTES = 1 << 16
LARGEST_BYTES = 1 << 28
TIMEOUT_SECONDS = (10, 30)
PAUSE_SECONDS = 0.5
_AGAIN = (429, 500, 502, 503, 504)


class DownloadError(TransientError):
    """A file could not be fetched from any of its addresses."""


class UnreachableError(DownloadError):
    """A host cannot be reached at all: trying another address there is in vain."""


class ChecksumError(TerminalError):
    """A file came whole, and it is not the file expected."""

    def __init__(self, address: str, expected: str, found: str, source: str) -> None:
        self.address, self.expected, self.found = address, expected, found
        super().__init__(
            f"{address}: expected sha256 {expected} ({source}), found {found}; nothing was kept"
        )


class BrokenOffError(requests.ConnectionError):
    """Fewer bytes came than were announced. Attribute: tag, the version they are of."""


class Downloaded(NamedTuple):
    """A whole file: its content, its sum in hex, the address that gave it."""

    content: bytes
    sha256: str
    address: str


def download(
    addresses: Iterable[str],
    part: Path,
    *,
    sha256: str | None = None,
    source: str = "published",
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Downloaded:
    """The file from the first address that gives it whole, with the sum where one is known.

    `part` holds what has come so far and is gone afterwards, whatever happens. progress is called
    with the bytes so far and their total, None where the server does not say. TLS certificates are
    verified, and an https address never leads to an http one. Proxies come from HTTPS_PROXY and its
    like.

    Raises ChecksumError, or DownloadError saying what became of each address.
    """
    problems: list[DownloadError | ChecksumError] = []
    unreachable: set[str] = set()
    for address in addresses:
        host = urlsplit(address).netloc
        if host in unreachable:
            continue
        try:
            content = _attempts(address, part, progress, whole=sha256 is not None)
            found = hashlib.sha256(content).hexdigest()
            if sha256 and found != sha256:
                raise ChecksumError(address, sha256, found, source)
            return Downloaded(content, found, address)
        except (DownloadError, ChecksumError) as error:
            problems.append(error)
            if isinstance(error, UnreachableError):
                unreachable.add(host)
        finally:
            part.unlink(missing_ok=True)
    for problem in problems:
        if isinstance(problem, ChecksumError) or len(problems) == 1:
            raise problem
    raise DownloadError("; ".join(map(str, problems)))


def _attempts(address: str, part: Path, progress, *, whole: bool) -> bytes:
    tag = ""
    with requests.Session() as session:
        session.headers.update(
            {"User-Agent": f"voxlake/{__version__}", "Accept-Encoding": "identity"}
        )
        for attempt in range(1, ATTEMPTS + 1):
            try:
                tag = _receive(session, address, part, tag, progress, whole=whole)
                return part.read_bytes()
            except requests.RequestException as error:
                tag = getattr(error, "tag", tag)
                if attempt == ATTEMPTS or not _passing(error):
                    raise _explained(address, error) from None
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _receive(
    session: requests.Session, address: str, part: Path, tag: str, progress, *, whole: bool
) -> str:
    """Appends what is missing to `part`; returns the version's tag, as BrokenOffError has it."""
    done = part.stat().st_size if part.exists() and tag else 0
    headers = {"Range": f"bytes={done}-", "If-Range": tag} if done else {}
    with session.get(address, stream=True, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
        _refuse(address, answer)
        if answer.status_code != 206:
            # The server starts over, or the file changed meanwhile.
            done = 0
        encoded = "Content-Encoding" in answer.headers
        length = answer.headers.get("Content-Length")
        # The length of a packed answer is not that of the file.
        total = done + int(length) if length and not encoded else None
        chunked = "chunked" in answer.headers.get("Transfer-Encoding", "")
        if not whole and not length and not chunked:
            raise DownloadError(
                f"{address}: the server does not say how long the file is, so that nobody can "
                "tell whether it came whole"
            )
        tag = "" if encoded else answer.headers.get("ETag", "")
        tag = "" if tag.startswith("W/") else tag
        try:
            with part.open("ab" if done else "wb") as file:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    if done > LARGEST_BYTES:
                        raise DownloadError(
                            f"{address}: expected at most {LARGEST_BYTES:,} bytes, found more"
                        )
                    progress(done, total)
        except requests.RequestException as error:
            broken = BrokenOffError(str(error))
            broken.tag = tag
            raise broken from error
    if total is not None and done != total:
        raise BrokenOffError(f"expected {total:,} bytes, found {done:,}")
    return tag


def _refuse(address: str, answer: requests.Response) -> None:
    passed = [*(one.url for one in answer.history), answer.url]
    if address.startswith("https:") and any(not one.startswith("https:") for one in passed):
        raise DownloadError(f"{address}: leads to {passed[-1]}, which is not https")
    answer.raise_for_status()
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        raise DownloadError(
            f"{address}: expected a file, found a web page; a proxy or a log-in page is in between"
        )


def _passing(error: requests.RequestException) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(error, requests.HTTPError):
        return error.response.status_code in _AGAIN
    refused = (requests.exceptions.SSLError, requests.exceptions.ProxyError)
    kinds = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, kinds) and not isinstance(error, refused)


def _explained(address: str, error: requests.RequestException) -> DownloadError:
    host = urlsplit(address).netloc
    if isinstance(error, requests.HTTPError):
        status = f"{error.response.status_code} {error.response.reason}"
        return DownloadError(f"{address}: expected the file, found the answer {status}")
    if isinstance(error, requests.exceptions.SSLError):
        return UnreachableError(
            f"{address}: the certificate of {host} could not be verified; where a company's proxy "
            "puts in its own, name its file by REQUESTS_CA_BUNDLE"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return UnreachableError(
            f"{address}: the proxy that HTTPS_PROXY or HTTP_PROXY names refuses or does not answer"
        )
    if isinstance(error, BrokenOffError | requests.exceptions.ChunkedEncodingError):
        return DownloadError(
            f"{address}: the connection broke off {ATTEMPTS} times before the file was whole"
        )
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return UnreachableError(
            f"{address}: cannot reach {host}; without a way to the internet set HTTPS_PROXY, or "
            "fetch the files elsewhere and name their folder by --originals"
        )
    return DownloadError(f"{address}: {error}")


class Progress:
    """A bar for each file that is being fetched, on a terminal only."""

    def __init__(self, console, *, shown: bool) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
            disable=not shown or not console.is_terminal,
        )

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *exception) -> None:
        self._bars.stop()

    def of(self, name: str) -> Callable[[int, int | None], None]:
        """What to call with the bytes so far and their total."""
        task = self._bars.add_task(name, total=None)
        return lambda done, total: self._bars.update(task, completed=done, total=total)
