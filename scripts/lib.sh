# shellcheck shell=bash
# What all scripts share: where things lie, how they speak, how they wait for one another.
# Sourced, never run.

# shellcheck disable=SC2034  # used by the scripts that source this file
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${CAUSEWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/causeway}

# On a terminal it takes the place of a line that shows progress.
say() {
  if on_terminal; then printf '\r\033[K' >&2; fi
  printf '%s\n' "$*" >&2
}
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

on_terminal() { [[ -t 2 && ${TERM:-dumb} != dumb ]]; }

# Seconds as a person reads them: 42 s, 3 min 20 s.
duration() {
  local seconds=$1
  if ((seconds < 60)); then
    printf '%d s' "$seconds"
  else
    printf '%d min %02d s' $((seconds / 60)) $((seconds % 60))
  fi
}

# How many compilers may run at once: one a core, and 1.5 GiB of memory for each.
build_jobs() {
  local cores memory_gib
  if [[ -n ${CAUSEWAY_JOBS:-} ]]; then
    printf '%s\n' "$CAUSEWAY_JOBS"
    return
  fi
  cores=$(nproc)
  memory_gib=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  local fit=$((memory_gib * 2 / 3))
  ((fit < 1)) && fit=1
  printf '%s\n' $((cores < fit ? cores : fit))
}

# Runs a command while holding the lock of that name; says so when somebody else holds it.
#   with_lock engine build_engine …
with_lock() {
  local name=$1
  shift
  mkdir -p "$cache/locks"
  (
    if ! flock --nonblock 9; then
      say "waiting for another run that holds $cache/locks/$name"
      flock 9
    fi
    "$@" 9>&-
  ) 9>"$cache/locks/$name"
}

# ", about 3 min 20 s left", once enough is done to tell; nothing at the end.
time_left() {
  local done_steps=$1 all_steps=$2 passed=$3
  if ((passed < 5 || done_steps == 0 || done_steps == all_steps)); then return; fi
  printf ', about %s left' "$(duration $((passed * (all_steps - done_steps) / done_steps)))"
}

# Reads a build's output ("[12/206] …" lines, as ninja writes them) and shows how far it is:
# one moving line on a terminal, a line every 20 seconds elsewhere. Errors are passed through.
show_build_progress() {
  local label=$1 start=$SECONDS spoken=-20 line left shown=0
  while IFS= read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      local done_steps=${BASH_REMATCH[1]} all_steps=${BASH_REMATCH[2]} passed=$((SECONDS - start))
      left=$(time_left "$done_steps" "$all_steps" "$passed")
      if ((done_steps == 0)); then
        continue
      elif on_terminal; then
        printf '\r\033[K%s [%d/%d]%s' "$label" "$done_steps" "$all_steps" "$left" >&2
        shown=1
      elif ((passed - spoken >= 20 || done_steps == all_steps)); then
        say "$label [$done_steps/$all_steps]$left"
        spoken=$passed
      fi
    elif [[ $line == FAILED:* || $line == *error:* || $line == *'Error '* ]]; then
      ((shown)) && printf '\n' >&2
      shown=0
      say "$line"
    fi
  done
  ((shown)) && printf '\n' >&2
  return 0
}

# The value of a key in a section of third_party/manifest; empty when it is not there.
manifest_value() {
  awk -v section="[$1]" -v key="$2" '
    $0 == section { inside = 1; next }
    /^\[/ { inside = 0 }
    inside && $1 == key && $2 == "=" { sub(/^[^=]*= */, ""); print; exit }
  ' "$root/third_party/manifest"
}

fetch() { "$(system_python)" "$root/scripts/tools/fetch.py" "$@"; }

# Debian's own interpreter, since its pip is the one that scripts/deps installs.
system_python() {
  if [[ -x /usr/bin/python3 ]]; then echo /usr/bin/python3; else command -v python3; fi
}
