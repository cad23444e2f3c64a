# shellcheck shell=bash
# Starts the cloud's stand-in and the real gateway with the embedded model. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  CLOUD_KEY=$(random_key) DESK_KEY=$(random_key) OPERATOR_KEY=$(random_key)
  export CLOUD_KEY DESK_KEY OPERATOR_KEY
  start cloud "$work/cloud.out" "$python" "$here/provider.py"
  CLOUD_URL=$(<"$work/cloud.out")
  export CLOUD_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$DESK_KEY
}
