# shellcheck shell=bash
# Starts what stands in for the cloud, and the real gateway, for `run` and `check`. Sourced, never run.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=examples/common.sh
source "$here/../common.sh"

start_both() {
  find_gateway
  find_python
  start provider "$work/provider.out" "$python" "$here/provider.py" "$work/recording"
  CLOUD_URL=$(<"$work/provider.out") CLOUD_KEY=$(random_key) WARD_KEY=$(random_key) BILLING_KEY=$(random_key)
  export CLOUD_URL CLOUD_KEY WARD_KEY BILLING_KEY
  start_gateway --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data"
}
