# shellcheck shell=bash
# Starts two providers, somebody to be told, the real gateway and a shop that asks. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  CLOUD_KEY=$(random_key) SHOP_KEY=$(random_key) OPERATOR_KEY=$(random_key) OPS_SECRET=$(random_key)
  export CLOUD_KEY SHOP_KEY OPERATOR_KEY OPS_SECRET
  well='{"first_ms": 100, "token_ms": 15}'
  tee "$work/north.json" >"$work/south.json" <<<"$well"
  start north "$work/north.out" "$python" "$here/provider.py" "$work/north.json"
  start south "$work/south.out" "$python" "$here/provider.py" "$work/south.json"
  start ops "$work/ops.url" "$python" "$here/ops.py" "$work/ops.url"
  NORTH_URL=$(<"$work/north.out") SOUTH_URL=$(<"$work/south.out") OPS_URL=$(<"$work/ops.url")
  export NORTH_URL SOUTH_URL OPS_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SHOP_KEY
  start shop "$work/shop.out" "$python" "$here/shop.py" 25
}
