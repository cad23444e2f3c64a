"""Finds a release's file on the package index that this machine's pip is set to use.

The index, its certificate and its credentials are pip's own settings (PIP_INDEX_URL, pip.conf, or
pip's default), so that a company's mirror works without a word here.
"""

import base64
import html.parser
import json
import re
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request

JSON_INDEX = "application/vnd.pypi.simple.v1+json"
TIMEOUT_SECONDS = 60


class NotFound(Exception):
    """The index has no such file; the text says which and where it was looked for."""


class PipIndex:
    def __init__(self):
        settings = pip_settings()
        self.url = (settings.get("index-url") or pip_default_index()).rstrip("/")
        self.tls = ssl.create_default_context(cafile=settings.get("cert") or None)

    def find(self, package, file_name):
        """Returns the address of a release's file."""
        page = f"{self.url}/{re.sub(r'[-_.]+', '-', package).lower()}/"
        with self.open(page, {"Accept": f"{JSON_INDEX}, text/html;q=0.5"}) as answer:
            text = answer.read().decode("utf-8")
            kind = answer.headers.get("Content-Type", "")
        links = json_links(text) if kind.startswith(JSON_INDEX) else html_links(text)
        if file_name not in links:
            raise NotFound(f"the package index has no {file_name} for {package}")
        return urllib.parse.urldefrag(urllib.parse.urljoin(page, links[file_name]))[0]

    def open(self, url, headers):
        """Opens an address; a name and password in it go into the header where they belong."""
        parts = urllib.parse.urlsplit(url)
        headers = {"User-Agent": "causeway-fetch", **headers}
        if parts.username:
            login = f"{urllib.parse.unquote(parts.username)}:" + \
                urllib.parse.unquote(parts.password or "")
            headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
            url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        request = urllib.request.Request(url, headers=headers)
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=self.tls)
        except OSError as error:
            error.host = parts.hostname  # for who tells of it
            raise


def pip_settings():
    """index-url and cert as pip sees them: files for all commands, then for `install`, then the
    environment, the later one winning."""
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=False,
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if listing.returncode != 0:
        raise NotFound("pip is missing: install python3-pip (scripts/deps does)")
    lines = re.findall(r"^([\w:]+)\.(index-url|cert)='(.*)'$", listing.stdout, re.MULTILINE)
    found = {(place, key): value for place, key, value in lines}
    settings = {}
    for place in ("global", "install", ":env:"):
        for key in ("index-url", "cert"):
            settings[key] = found.get((place, key), settings.get(key))
    return settings


def pip_default_index():
    from pip._internal.models.index import PyPI  # pip has no public way to ask for it
    return PyPI.simple_url


def json_links(text):
    return {file["filename"]: file["url"] for file in json.loads(text)["files"]}


def html_links(text):
    links = {}

    class Anchors(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            href = dict(attributes).get("href") if tag == "a" else None
            if href:
                path = urllib.parse.urlsplit(href).path
                links[urllib.parse.unquote(path.rpartition("/")[2])] = href

    Anchors().feed(text)
    return links
