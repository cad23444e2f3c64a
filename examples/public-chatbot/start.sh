# shellcheck shell=bash
# Starts a provider and the real gateway. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  CLOUD_KEY=$(random_key) PAGE_KEY=$(random_key) OPERATOR_KEY=$(random_key)
  export CLOUD_KEY PAGE_KEY OPERATOR_KEY
  start cloud "$work/cloud.out" "$python" "$here/provider.py" "$work/cloud.log"
  CLOUD_URL=$(<"$work/cloud.out")
  export CLOUD_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$PAGE_KEY
}
