#!/usr/bin/env python3
"""Fetches what third_party/manifest names into the cache, and prints where it lies.

  fetch.py NAME...      fetch what is not there yet; prints one path a line on stdout
  fetch.py --list       what the manifest names, and what of it is here
  fetch.py --missing NAME...   the bytes that are still to be downloaded, as one number

Progress goes to stderr: --progress bar, plain, json (a line each half second with name, step, bytes,
total, bytes_per_second, seconds_left) or none; without it, what fits where stderr goes.
Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong usage.
"""

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fetching import download, manifest, unpack  # noqa: E402
from fetching.pip_index import NotFound, PipIndex  # noqa: E402
from fetching.progress import Progress  # noqa: E402

ERRORS = (manifest.ManifestError, download.WrongChecksum, download.DownloadFailed,
          unpack.NotInArchive, NotFound, OSError, subprocess.CalledProcessError)


def fetch(entry, cache, progress):
    """Returns the path of the result; does nothing when it is there. Safe in several processes."""
    result = entry.path(cache)
    if result.exists():
        return result
    locks = cache / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with open(locks / entry["sha256"], "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.note("another process is fetching it, waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            archive = entry.archive(cache)
            if not archive.exists():
                get_archive(entry, archive, progress)
            make_result(entry, archive, result, progress)
            shutil.rmtree(archive.parent)
    return result


def get_archive(entry, archive, progress):
    place = override(entry)
    if place and "://" not in place:
        progress.note(f"taking it from {place}")
        download.copy_local(place, archive, entry["sha256"])
        return
    if place:
        def opener(url, headers):
            return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)
        progress.note("taking it from the place that the environment names")
        download.download(opener, lambda: place, archive, entry.size, entry["sha256"], progress)
        return
    if entry["registry"] != "pypi":
        raise NotFound(f"[{entry.name}] registry {entry['registry']} is not known here")
    index = PipIndex()
    download.download(index.open, lambda: index.find(entry["package"], entry["file"]), archive,
                      entry.size, entry["sha256"], progress)


def override(entry):
    """A user's own place for this archive: see the head of the manifest."""
    name = re.sub(r"[^A-Z0-9]", "_", entry.name.upper())
    place = os.environ.get(f"CAUSEWAY_FETCH_{name}")
    mirror = os.environ.get("CAUSEWAY_FETCH_MIRROR")
    if not place and mirror:
        place = f"{mirror.rstrip('/')}/{entry['file']}"
    return place.removeprefix("file://") if place else None


def make_result(entry, archive, result, progress):
    """Unpacks (and converts) beside the final place, checks, and only then gives it its name."""
    result.parent.mkdir(parents=True, exist_ok=True)
    work = result.parent / f".work-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        taken = work / "taken"
        progress.note("unpacking")
        unpack.take(archive, entry["take"], taken)
        if "convert" in entry.values:
            converted = work / "converted"
            tool = manifest.ROOT / "scripts" / "tools" / entry["convert"]
            progress.note(f"converting to {entry['result']}")
            subprocess.run([sys.executable, tool, taken, converted], check=True,
                           stdin=subprocess.DEVNULL, stdout=sys.stderr)
            taken = converted
        if "result" in entry.values and download.sha256_of(taken) != entry["result.sha256"]:
            raise download.WrongChecksum(f"[{entry.name}] {entry['result']} came out with another "
                                         "checksum than the manifest says; not used")
        os.replace(taken, result)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def missing_bytes(entry, cache):
    if entry.path(cache).exists() or entry.archive(cache).exists():
        return 0
    part = entry.archive(cache).with_name(entry["file"] + ".part")
    return max(0, entry.size - (part.stat().st_size if part.exists() else 0))


def list_entries(entries, cache):
    for entry in entries.values():
        here = "here" if entry.path(cache).exists() else "not here"
        print(f"{entry.name:24} {entry['kind']:7} {entry.size / 1e6:6.1f} MB  {here:9} "
              f"{entry['license']:12} {entry.get('about', '')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--progress", default="auto", choices=("auto", "bar", "plain", "json", "none"))
    parser.add_argument("--manifest", type=Path, default=manifest.ROOT / "third_party" / "manifest")
    options = parser.parse_args()
    if not options.list and not options.names:
        parser.error("name what to fetch, or --list")
    try:
        entries = manifest.read_manifest(options.manifest)
        unknown = [name for name in options.names if name not in entries]
        if unknown:
            parser.error(f"the manifest has no {', '.join(unknown)}; it has {', '.join(entries)}")
        cache = manifest.cache_folder()
        if options.list:
            list_entries(entries, cache)
        elif options.missing:
            print(sum(missing_bytes(entries[name], cache) for name in options.names))
        else:
            for name in options.names:
                print(fetch(entries[name], cache, Progress(name, options.progress)), flush=True)
    except ERRORS as error:
        sys.exit(f"fetch: {error}")
    except KeyboardInterrupt:
        sys.exit("fetch: interrupted; run it again to go on from here")


if __name__ == "__main__":
    main()
