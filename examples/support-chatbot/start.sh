# shellcheck shell=bash
# Starts the real gateway and the backend for `run` and `check`. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

# start_both PORT: gateway and backend; sets backend_url.
start_both() {
  find_gateway
  find_python
  SUPPORT_BACKEND_KEY=$(random_key)
  export SUPPORT_BACKEND_KEY
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SUPPORT_BACKEND_KEY
  start backend "$work/backend.out" "$python" "$here/backend.py" --port "$1"
  # shellcheck disable=SC2034  # for the script that sources this
  backend_url=$(<"$work/backend.out")
}
