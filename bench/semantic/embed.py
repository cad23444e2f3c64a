"""Has the running program embed texts, with the embedded engine's all-minilm-l6-v2."""

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

CONFIG = """\
server: {{ listen: 127.0.0.1:0, admin: 127.0.0.1:0, data: {home}/data }}
providers:
  local: {{ kind: embedded }}
models:
  near: {{ targets: [ local/all-minilm-l6-v2 ] }}
keys:
  - {{ name: semantic, secret: "${{SEMANTIC_KEY}}", models: [ near ] }}
"""
KEY = "for-the-measure-0123456789abcdef"
AT_ONCE = 32


def _ask(address, texts):
    request = urllib.request.Request(
        f"http://{address}/v1/embeddings", json.dumps({"model": "near", "input": texts}).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return [item["embedding"] for item in sorted(json.load(reply)["data"], key=lambda item: item["index"])]


def embed(program, texts):
    """A vector for every text, in order. The first use fetches the model (84 MB)."""
    with tempfile.TemporaryDirectory() as home:
        config, ready = Path(home, "causeway.yaml"), Path(home, "ready.json")
        config.write_text(CONFIG.format(home=home))
        gateway = subprocess.Popen([program, "serve", "--config", config, "--ready-file", ready],
                                   env={**os.environ, "SEMANTIC_KEY": KEY}, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists() or not ready.stat().st_size:
                if gateway.poll() is not None:
                    raise SystemExit("the gateway did not start")
                time.sleep(0.1)
            address = json.loads(ready.read_text())["listen"]
            return [vector for i in range(0, len(texts), AT_ONCE) for vector in _ask(address, texts[i:i + AT_ONCE])]
        finally:
            gateway.terminate()
            gateway.wait(30)


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
