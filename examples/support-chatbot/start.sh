# shellcheck shell=bash
# Starts the real gateway and the backend for `run` and `check`. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
gateway_pid='' backend_pid=''

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Ends what was started here, by its process id, and waits for it.
stop_all() {
  local pid
  for pid in $backend_pid $gateway_pid; do
    kill -TERM "$pid" 2>/dev/null || continue
    wait "$pid" || printf 'process %s ended with %s\n' "$pid" "$?" >&2
  done
  rm -rf "$work"
}
trap stop_all EXIT
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

# start_gateway [flags of serve]: sets gateway_url.
start_gateway() {
  SUPPORT_BACKEND_KEY=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  export SUPPORT_BACKEND_KEY
  "$gateway" serve --config "$here/causeway.yaml" --ready-file "$work/ready.json" "$@" \
    >"$work/gateway.out" 2>"$work/gateway.err" &
  gateway_pid=$!
  local tries=0
  until [[ -e $work/ready.json ]]; do
    kill -0 "$gateway_pid" 2>/dev/null || { cat "$work/gateway.err" >&2; fail "the gateway did not start"; }
    ((++tries < 600)) || fail "the gateway was not ready within a minute"
    sleep 0.1
  done
  gateway_url="http://$("$python" -c 'import json,sys; print(json.load(open(sys.argv[1]))["listen"])' "$work/ready.json")"
}

# start_backend [flags]: sets backend_url.
start_backend() {
  OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SUPPORT_BACKEND_KEY \
    "$python" "$here/backend.py" "$@" >"$work/backend.out" 2>"$work/backend.err" &
  backend_pid=$!
  local tries=0
  until [[ -s $work/backend.out ]]; do
    kill -0 "$backend_pid" 2>/dev/null || { cat "$work/backend.err" >&2; fail "the backend did not start"; }
    ((++tries < 200)) || fail "the backend was not ready within 20 s"
    sleep 0.1
  done
  # shellcheck disable=SC2034  # for the script that sources this
  backend_url=$(<"$work/backend.out")
}
