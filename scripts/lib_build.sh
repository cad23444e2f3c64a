# shellcheck shell=bash
# Builds Causeway itself in build/<preset>. Sourced, never run.
# shellcheck disable=SC2154  # root and cache come from lib.sh

# The same source in another folder finds the same compiled files.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

# "6 to 14 min" for about so many minutes of processor time, shared by the compilers. An idle machine takes
# the less, one with other work (or the engine's build beside the program's) the more.
build_minutes() {
  local jobs
  jobs=$(build_jobs)
  printf '%d to %d min\n' $((($1 + jobs - 1) / jobs)) $((($1 * 7 / 3 + jobs - 1) / jobs))
}

# build_program <preset> <target>: configures where that has not been done, builds, shows how far
# it is. A build that is up to date takes a second.
build_program() { with_lock "build-$(pwd | sha256sum | cut -c1-12)" compile_program "$@"; }

compile_program() {
  local preset=$1 target=$2 started=$SECONDS
  local folder=$root/build/$preset
  local log=$folder/causeway-build.log
  mkdir -p "$folder"
  # Configured before there was GoogleTest, a folder has no unit tests.
  if [[ ! -f $folder/build.ninja ]] ||
    { [[ $target == all ]] && grep -q '^GTest_DIR:PATH=GTest_DIR-NOTFOUND' "$folder/CMakeCache.txt"; }; then
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
