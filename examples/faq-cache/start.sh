# shellcheck shell=bash
# Starts a provider, the real gateway with an embedded model for vectors, and imports staff's answers. Sourced,
# never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  local file
  find_gateway
  find_python
  CLOUD_KEY=$(random_key) SHOP_KEY=$(random_key) OTHER_KEY=$(random_key) OPERATOR_KEY=$(random_key)
  export CLOUD_KEY SHOP_KEY OTHER_KEY OPERATOR_KEY
  start cloud "$work/cloud.out" "$python" "$here/provider.py" "$work/cloud.log"
  CLOUD_URL=$(<"$work/cloud.out")
  export CLOUD_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  for file in faq.csv faq.md; do
    "$gateway" faq import "$here/$file" --data "$work/data"
  done
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$SHOP_KEY
}
