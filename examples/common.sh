# shellcheck shell=bash
# What every example's `run` and `check` need: the program, a Python with the official clients, and
# processes that end with the script. Sourced by an example's start.sh, which sets `here`.

root=$(cd "${here:?}/../.." && pwd)
work=$(mktemp -d)
started=()

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Ends what was started here, the last first, by its process id, and waits for it. 143 is what the
# shell says of one that ended by this.
stop_all() {
  local i pid status
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do
    pid=${started[i]}
    kill -TERM "$pid" 2>/dev/null || continue
    status=0
    wait "$pid" || status=$?
    ((status == 0 || status == 143)) || printf 'process %s ended with %s\n' "$pid" "$status" >&2
  done
  started=()
}
trap 'stop_all; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

find_gateway() {
  local preset
  gateway=${CAUSEWAY_BIN:-}
  for preset in release dev; do
    [[ -z $gateway && -x $root/build/$preset/causeway ]] && gateway=$root/build/$preset/causeway
  done
  [[ -n $gateway ]] || fail "build the gateway first: scripts/run does it"
}

# A Python that has the official client; made beside the sources where there is none.
find_python() {
  local candidate
  for candidate in python3 "$root/.venv/bin/python"; do
    python=$(command -v "$candidate" || true)
    [[ -n $python ]] && "$python" -c 'import openai' 2>/dev/null && return
  done
  printf 'installing the official client into %s\n' "$root/.venv" >&2
  python3 -m venv "$root/.venv"
  python=$root/.venv/bin/python
  "$python" -m pip install --quiet -r "$root/tests/requirements.txt" ||
    fail "the openai package could not be installed"
}

# start NAME FILE COMMAND…: runs it in the background until FILE has something in it.
start() {
  local name=$1 file=$2 pid tries=0
  shift 2
  "$@" >"$work/$name.out" 2>"$work/$name.err" &
  pid=$!
  started+=("$pid")
  until [[ -s $file ]]; do
    kill -0 "$pid" 2>/dev/null || { cat "$work/$name.err" >&2; fail "$name did not start"; }
    ((++tries < 600)) || fail "$name was not ready within a minute"
    sleep 0.1
  done
}

# The engine and the small model that `scripts/deps` fetches: sets engine and engine_model.
find_engine() {
  local cache=${CAUSEWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/causeway}
  engine=$cache/engine/current/llama-server
  engine_model=$(compgen -G "$cache/files/*/SmolLM2-135M-Instruct*.gguf" | head -n 1 || true)
  [[ -x $engine && -n $engine_model ]] || fail "the engine or its model is not there: scripts/deps fetches both"
}

# start_engine NAME: a server of the small model, on one thread; NAME.url and NAME.pid in $work say where.
start_engine() {
  local name=$1 tries=0
  "$engine" --model "$engine_model" --host 127.0.0.1 --port 0 --threads 1 --ctx-size 4096 --parallel 4 --jinja \
    >"$work/$name.out" 2>"$work/$name.err" &
  started+=("$!")
  echo "$!" >"$work/$name.pid"
  until grep -qs 'listening on http' "$work/$name.err"; do
    kill -0 "$(<"$work/$name.pid")" 2>/dev/null || { cat "$work/$name.err" >&2; fail "$name did not start"; }
    ((++tries < 600)) || fail "$name was not ready within a minute"
    sleep 0.1
  done
  sed -n 's|.*listening on \(http[^ ]*\).*|\1/v1|p' "$work/$name.err" >"$work/$name.url"
}

# start_gateway [flags of serve]: sets gateway_url and admin_url.
start_gateway() {
  start gateway "$work/ready.json" "$gateway" serve --config "$here/causeway.yaml" \
    --ready-file "$work/ready.json" "$@"
  # shellcheck disable=SC2034  # for the script that sources this
  gateway_url=http://$(ready_address listen) admin_url=http://$(ready_address admin)
}

ready_address() {
  "$python" -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/ready.json" "$1"
}

# random_key: a secret for a key of the configuration.
random_key() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# check_with SCRIPT ARGUMENTS…: holds what runs to what is promised, then ends it in good order.
check_with() {
  local name
  name=$(basename "$here")
  "$python" "$@" || {
    tail -n 20 "$work"/*.out "$work"/*.err >&2
    fail "$name: FAILED"
  }
  stop_all
  echo "$name: ok"
}
