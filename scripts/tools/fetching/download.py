"""Downloads one file so that an interruption costs nothing: what has arrived stays in a .part file
and the next try asks for the rest. Nothing gets its final name before its checksum is right."""

import hashlib
import http.client
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request

CHUNK = 1 << 18
TRIES = 5  # without a byte gained in between


class WrongChecksum(Exception):
    pass


class DownloadFailed(Exception):
    pass


def sha256_of(path, progress=None):
    digest = hashlib.sha256()
    count = 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            count += len(block)
            if progress:
                progress.update(count)
    return digest.hexdigest()


def download(opener, address, target, size, sha256, progress):
    """Fetches `address()` to `target`, a Path. `opener(url, headers)` opens it; `size` in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    if have > size:
        part.unlink()
        have = 0
    if have < size:
        progress.start("downloading", size, have)
        _fetch_rest(opener, address, part, size, progress)
        progress.finish(size)
    actual = sha256_of(part)
    if actual != sha256:
        part.unlink()
        raise WrongChecksum(
            f"{target.name} has the wrong checksum and was removed.\n"
            f"  expected sha256 {sha256}\n  received sha256 {actual}\n"
            "Either the transfer was damaged (run it again), or the file at its source is another "
            "one than the manifest pins (then do not use it).")
    os.replace(part, target)


def copy_local(source, target, sha256):
    """The same from a file on this machine."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".copy")
    shutil.copyfile(source, part)
    if sha256_of(part) != sha256:
        part.unlink()
        raise WrongChecksum(f"{source} is not the file that the manifest pins (sha256 {sha256})")
    os.replace(part, target)


def _fetch_rest(opener, address, part, size, progress):
    failures = 0
    while True:
        have = part.stat().st_size if part.exists() else 0
        if have >= size:
            return
        try:
            _fetch_once(opener, address(), part, have, size, progress)
            gained_error = None
        except urllib.error.HTTPError as error:
            if error.code not in (408, 416, 429) and error.code < 500:
                raise DownloadFailed(f"{part.name[:-5]}: the server answers {error.code} "
                                     f"{error.reason}") from error
            gained_error = error
        except (OSError, http.client.HTTPException) as error:
            _refuse_untrusted(error)
            gained_error = error
        now = part.stat().st_size if part.exists() else 0
        failures = 0 if now > have else failures + 1
        if failures >= TRIES:
            raise DownloadFailed(f"{part.name[:-5]}: {_told(gained_error) or 'nothing more arrives'} "
                                 f"(tried {TRIES} times; run it again to go on)")
        if now < size:
            progress.note(f"interrupted ({_told(gained_error) or 'closed early'}), going on")
            time.sleep(min(2 ** failures, 15))


def _told(error):
    """With the host that was asked, where it is known."""
    host = getattr(error, "host", None)
    return f"{host}: {error}" if host else str(error or "")


def _refuse_untrusted(error):
    """Trying again does not help against a certificate that is not trusted."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        host = getattr(error, "host", "the server")
        raise DownloadFailed(f"the certificate of {host} is not trusted: {reason.verify_message}. "
                             "Where a company's proxy opens TLS, name its certificates in PIP_CERT "
                             "or in pip's configuration.") from error


def _fetch_once(opener, url, part, have, size, progress):
    headers = {"Range": f"bytes={have}-"} if have else {}
    with opener(url, headers) as answer:
        resumed = have and getattr(answer, "status", 200) == 206
        with open(part, "ab" if resumed else "wb") as file:
            count = have if resumed else 0
            while block := answer.read(min(CHUNK, size + 1 - count)):
                file.write(block)
                count += len(block)
                progress.update(count)
                if count > size:
                    file.truncate(0)
                    raise DownloadFailed(f"{part.name[:-5]} is larger than the {size} bytes that "
                                         "the manifest says; not used")
