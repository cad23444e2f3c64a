# shellcheck shell=bash
# Starts two providers and the real gateway. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  CLOUD_KEY=$(random_key) HELPPAGE_KEY=$(random_key) OPERATOR_KEY=$(random_key) AUDITOR_KEY=$(random_key)
  export CLOUD_KEY HELPPAGE_KEY OPERATOR_KEY AUDITOR_KEY GATEWAY=$gateway DATA=$work/data
  start small "$work/small.out" "$python" "$here/provider.py" small-2026-03
  start large "$work/large.out" "$python" "$here/provider.py" large-2026-05
  SMALL_URL=$(<"$work/small.out") LARGE_URL=$(<"$work/large.out")
  export SMALL_URL LARGE_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$DATA"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$HELPPAGE_KEY
}
