#!/usr/bin/env python3
"""Puts every file of a folder into the program: pack_files.py FOLDER OUT.cpp

Writes C++ that the assembler fills with the files, each as it is and, where that is smaller, gzipped
beside it. The same files give the same bytes: the program's own build can be compared.
"""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}

HEAD = """// Made by cmake/pack_files.py. Do not edit.
#include "app/console_files.h"

#include <cstddef>

"""

DATA = """__asm__(
    ".section .rodata\\n"
    "{symbol}:\\n"
    ".incbin \\"{path}\\"\\n"
    "{symbol}_end:\\n"
    ".byte 0\\n"
    ".text\\n");
extern "C" {{
extern const char {symbol}[] __attribute__((visibility("hidden")));
extern const char {symbol}_end[] __attribute__((visibility("hidden")));
}}
"""


def view(symbol):
    return f"{{{symbol}, static_cast<std::size_t>({symbol}_end - {symbol})}}"


def main():
    folder, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    data, rows = [], []
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        content = path.read_bytes()
        if path.suffix not in TYPES:
            sys.exit(f"{path}: no content type is known for this ending")
        symbol = f"causeway_console_{number}"
        data.append(DATA.format(symbol=symbol, path=path))
        packed = gzip.compress(content, 9, mtime=0)
        zipped = "{}"
        if len(packed) < len(content):
            file = out.parent / f"{symbol}.gz"
            file.write_bytes(packed)
            data.append(DATA.format(symbol=symbol + "_gz", path=file))
            zipped = view(symbol + "_gz")
        etag = hashlib.sha256(content).hexdigest()[:20]
        rows.append(f'    {{"{path.relative_to(folder).as_posix()}", "{TYPES[path.suffix]}", "{etag}",\n'
                    f"     {view(symbol)}, {zipped}}},\n")
    text = HEAD + "".join(data)
    text += "\nnamespace causeway::app {\nnamespace {\n"
    text += f"const ConsoleFile kFiles[] = {{\n{''.join(rows)}}};\n" if rows else ""
    text += "}  // namespace\n\nstd::span<const ConsoleFile> console_files() { return "
    text += ("kFiles" if rows else "{}") + "; }\n}  // namespace causeway::app\n"
    out.write_text(text)


if __name__ == "__main__":
    main()
