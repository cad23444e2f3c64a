"""Takes one member or one folder out of a wheel (zip) or an sdist (tar), and nothing else."""

import os
import shutil
import tarfile
import zipfile


class NotInArchive(Exception):
    pass


def take(archive, wanted, target):
    """Writes the member `wanted` to the file `target`, or what lies under the folder `wanted`
    (ends in "/") into the folder `target`, which must not exist yet."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            members = [(m.filename, 0o644, m) for m in opened.infolist() if not m.is_dir()]
            count = _take(members, opened.open, wanted, target)
    else:
        with tarfile.open(archive) as opened:
            # Links and special files are left out: no source that we build needs one.
            members = ((m.name, m.mode, m) for m in opened if m.isfile())
            count = _take(members, opened.extractfile, wanted, target)
    if count == 0:
        raise NotInArchive(f"{archive.name} holds no {wanted}")


def _take(members, open_member, wanted, target):
    count = 0
    for name, mode, member in members:
        if wanted.endswith("/"):
            if not name.startswith(wanted):
                continue
            inside = name[len(wanted):]
            if os.path.isabs(inside) or ".." in inside.split("/"):
                raise NotInArchive(f"the archive holds an unsafe path: {name}")
            destination = target / inside
        elif name == wanted:
            destination = target
        else:
            continue
        destination.parent.mkdir(parents=True, exist_ok=True)
        with open_member(member) as source, open(destination, "wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.chmod(destination, 0o755 if mode & 0o100 else 0o644)
        count += 1
    return count
