# shellcheck shell=bash
# Starts a provider, a Redis and three replicas of the real gateway. Sourced, never run.

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
  command -v redis-server >/dev/null || fail "redis-server is not there: scripts/deps --tests installs it"
  start redis "$work/redis.pid" redis-server --port 0 --unixsocket "$work/redis.sock" --pidfile "$work/redis.pid" \
    --save '' --appendonly no --dir "$work"
  export REDIS_URL=unix://$work/redis.sock
  start_replica 1
  start_replica 2
  start_replica 3
  OPENAI_BASE_URL=$(head -n 1 "$work/replicas")/v1
  export OPENAI_BASE_URL OPENAI_API_KEY=$PAGE_KEY
}

# start_replica NUMBER: its address becomes a line of $work/replicas; the admin port is that of the first.
start_replica() {
  start "gateway$1" "$work/ready$1.json" "$gateway" serve --config "$here/causeway.yaml" \
    --ready-file "$work/ready$1.json" --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data "$work/data$1"
  cp "$work/ready$1.json" "$work/ready.json"
  echo "http://$(ready_address listen)" >>"$work/replicas"
  # shellcheck disable=SC2034  # for the script that sources this
  [[ $1 != 1 ]] || admin_url=http://$(ready_address admin)
  cp "$work/ready1.json" "$work/ready.json"
}
