# shellcheck shell=bash
# Starts two providers, of which the first is strict, and the real gateway. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  FIRST_KEY_1=$(random_key) FIRST_KEY_2=$(random_key) SECOND_KEY=$(random_key)
  SHOP_KEY=$(random_key) OPERATOR_KEY=$(random_key)
  export FIRST_KEY_1 FIRST_KEY_2 SECOND_KEY SHOP_KEY OPERATOR_KEY
  start first "$work/first.out" "$python" "$here/provider.py" "$work/first.log" --limit 20 --window 3
  start second "$work/second.out" "$python" "$here/provider.py" "$work/second.log"
  FIRST_URL=$(<"$work/first.out") SECOND_URL=$(<"$work/second.out")
  export FIRST_URL SECOND_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SHOP_KEY
}
