# shellcheck shell=bash
# Builds Causeway itself in build/<preset>. Sourced, never run.
# shellcheck disable=SC2154  # root and cache come from lib.sh

# The same source in another folder finds the same compiled files.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# build_program <preset> <target>: configures where that has not been done, builds, shows how far
# it is. A build that is up to date takes a second.
build_program() { with_lock "build-$(pwd | sha256sum | cut -c1-12)" compile_program "$@"; }

compile_program() {
  local preset=$1 target=$2 started=$SECONDS
  local folder=$root/build/$preset
  local log=$folder/causeway-build.log
  mkdir -p "$folder"
  if [[ ! -f $folder/build.ninja ]]; then
    say "$preset: configuring"
    (cd "$root" && cmake --preset "$preset") >"$log" 2>&1 ||
      { tail -n 40 "$log" >&2; fail "the build could not be configured; all of it is in $log"; }
  fi
  if ! NINJA_STATUS='[%f/%t] ' cmake --build "$folder" --target "$target" \
    --parallel "$(build_jobs)" 2>&1 | tee "$log" | show_build_progress "$preset: building"; then
    grep -A 12 -m 20 -E '^FAILED:|error:' "$log" | head -n 120 >&2
    fail "the build failed; all of it is in $log"
  fi
  if ((SECONDS - started > 5)); then
    say "$preset: built $target in $(duration $((SECONDS - started)))"
  fi
}
