# shellcheck shell=bash
# Starts three real engines, the real gateway, and a relay that can make one engine slow. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  local name
  find_gateway
  find_python
  find_engine
  SHOP_KEY=$(random_key) OPERATOR_KEY=$(random_key) REPLICAS=$work/replicas.txt
  export SHOP_KEY OPERATOR_KEY REPLICAS
  for name in one two three four; do start_engine "$name"; done
  echo 0 >"$work/delay"
  start relay "$work/relay.out" "$python" "$here/relay.py" "$(<"$work/two.url")" "$work/delay"
  cp "$work/relay.out" "$work/two.url"
  cat "$work"/{one,two,three}.url >"$REPLICAS"   # the fourth comes later
  FIRST_URL=$(<"$work/one.url")
  export FIRST_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SHOP_KEY
}
