"""Files that the measured programs are given: request bodies, certificates, nginx's and ours."""

import json
import os

from .process import run

KEY = "sk-bench-0123456789abcdef0123456789abcdef"
MODEL = "gpt-4o-mini"

SENTENCE = ("The parcel has been standing at the regional hub since Tuesday, and the customer would rather "
            "have the money back than a replacement if it does not turn up by the weekend. ")


# Five findings, which the mock names in its answer where it is asked to (--stand-ins).
PERSONAL = ("I am Maria Gonzalez, maria.gonzalez@example.com, +1 415 555 0132, card 4111 1111 1111 1111, "
            "IBAN DE89 3704 0044 0532 0130 00. ")


NUMBER = "000000000000000"  # what chat.lua counts up


def chat_body(size, stream=False, personal=False, numbered=False):
    """A chat request of about `size` bytes: system prompt, question, answer, question, as chats are."""
    def text(length):
        return (SENTENCE * (length // len(SENTENCE) + 1))[:length]

    overhead = 330
    rest = max(size - overhead, 4)
    body = {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": text(rest // 2)},
            {"role": "user", "content": text(rest // 6)},
            {"role": "assistant", "content": text(rest // 6)},
            {"role": "user", "content": (NUMBER if numbered else "") + (PERSONAL if personal else "")
             + text(rest // 6 - len(PERSONAL) * personal)},
        ],
        "temperature": 0.2,
        "max_tokens": 400,
    }
    if stream:
        body["stream"] = True
    return json.dumps(body)


def certificates(folder):
    """A certificate authority and a P-256 certificate of it for 127.0.0.1 and localhost."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    run(["openssl", "req", "-x509", *key, "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
         "-subj", "/CN=bench authority"])
    run(["openssl", "req", "-x509", *key, "-keyout", folder / "server.key", "-out", folder / "server.pem",
         "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE"])


NGINX = """
{user}
worker_processes {workers};
worker_rlimit_nofile 16384;
daemon off;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
{blocks}
}}
"""

UPSTREAM = """
  upstream {name} {{
    server 127.0.0.1:{port};
    keepalive 512;
    keepalive_requests 100000000;
  }}
"""

SERVER = """
  server {{
    listen 127.0.0.1:{port}{tls} backlog=4096;
    {settings}
    location / {{ proxy_pass {scheme}://{upstream}; }}
  }}
"""


def nginx(folder, name, workers, upstreams, servers):
    """Writes a configuration; upstreams: {name: port}, servers: dicts for SERVER."""
    blocks = [UPSTREAM.format(name=key, port=port) for key, port in upstreams.items()]
    for server in servers:
        blocks.append(SERVER.format(**{"tls": "", "settings": "", "scheme": "http", **server}))
    path = folder / f"{name}.conf"
    path.write_text(NGINX.format(user="user root;" if os.geteuid() == 0 else "", workers=workers,
                                 folder=folder, name=name, blocks="".join(blocks)))
    return path


def tls_terminator(folder):
    """Settings of a server block that speaks TLS with the certificate of certificates()."""
    return {"tls": " ssl",
            "settings": f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;"}


def tls_client(folder):
    """Settings of a server block that speaks TLS to its upstream and checks the certificate, as we do."""
    return {"scheme": "https",
            "settings": f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {folder}/ca.pem; "
                        "proxy_ssl_name localhost; proxy_ssl_server_name on; "
                        "proxy_ssl_session_reuse on; proxy_ssl_protocols TLSv1.2 TLSv1.3;"}


def causeway(folder, base_url, threads, ca=None, kind="openai", policies="", targets=0):
    """Everything that is on by default stays on; the access log goes to a file. `targets`: instead of the
    one, so many providers at the same address, chosen by who is least busy, each probed and with a quota."""
    name = f"causeway-{len(list(folder.glob('causeway-*')))}"
    home = folder / name
    home.mkdir()
    trust = f", ca_file: {ca}" if ca else ""
    address = f'kind: {kind}, base_url: "{base_url}/v1", api_key: sk-upstream{trust}'
    providers, models = f"  mock: {{ {address} }}\n", f"{{ targets: [ mock/{MODEL} ] }}"
    if targets:
        more = "quota: { requests_per_minute: 100000000, tokens_per_minute: 1000000000000 }, probe: { every: 1s }"
        providers = "".join(f"  mock-{n}: {{ {address}, {more} }}\n" for n in range(targets))
        names = ", ".join(f"mock-{n}/{MODEL}" for n in range(targets))
        models = f"{{ strategy: least_busy, targets: [ {names} ] }}"
    path = home / "causeway.yaml"
    path.write_text(f"""\
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  data: {home}/data
  threads: {threads}
log:
  access: {home}/access.log
providers:
{providers}models:
  {MODEL}: {models}
keys:
  - {{ name: bench, secret: "${{BENCH_KEY}}" }}
{policies}
""")
    return path
