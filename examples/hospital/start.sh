# shellcheck shell=bash
# Starts the ward's model (a real engine), what stands in for the cloud, and the real gateway. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_all() {
  find_gateway
  find_python
  find_engine
  CLOUD_KEY=$(random_key) DESK_KEY=$(random_key) OPERATOR_KEY=$(random_key)
  export CLOUD_KEY DESK_KEY OPERATOR_KEY
  start cloud "$work/cloud.out" "$python" "$here/cloud.py" "$work/recording"
  start_engine ward
  CLOUD_URL=$(<"$work/cloud.out") WARD_URL=$(<"$work/ward.url")
  export CLOUD_URL WARD_URL
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
  export OPENAI_BASE_URL=$gateway_url/v1 OPENAI_API_KEY=$DESK_KEY
}
