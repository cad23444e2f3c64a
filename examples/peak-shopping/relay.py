"""A network that can get slow: `relay.py BASE_URL DELAY_FILE` prints the base URL at which it stands in front of the
given one. Each piece that comes back waits for as many milliseconds as the file says at that moment.
"""

from __future__ import annotations

import asyncio
import pathlib
import signal
import sys
import urllib.parse

behind = urllib.parse.urlsplit(sys.argv[1])
delay_file = pathlib.Path(sys.argv[2])


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slow: bool):
    try:
        while data := await reader.read(65536):
            if slow and (delay := float(delay_file.read_text() or 0)):
                await asyncio.sleep(delay / 1000)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
    try:
        to, out = await asyncio.open_connection(behind.hostname, behind.port)
    except OSError:
        return writer.close()
    await asyncio.gather(pump(reader, out, False), pump(to, writer, True))


async def main():
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{behind.path}", flush=True)
    await ending.wait()
    server.close()


asyncio.run(main())
