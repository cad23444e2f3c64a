#!/usr/bin/env bash
# fuzz_one.sh TARGET SECONDS RESULTS: runs one fuzz target on a copy of its corpus, and writes
# "pass NAME" or "fail NAME" to RESULTS/list. What made it fail is kept in RESULTS.
set -euo pipefail
target=$1 seconds=$2 results=$3
name=$(basename "$target")
name=${name#fuzz_}
corpus=$results/$name.corpus
mkdir -p "$corpus"
seeds=$(dirname "${BASH_SOURCE[0]}")/../../fuzz/corpus/$name
if [[ -d $seeds ]]; then cp -r "$seeds/." "$corpus/"; fi
dictionary=$(dirname "${BASH_SOURCE[0]}")/../../fuzz/$name.dict
options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0
  -print_final_stats=1 -artifact_prefix="$results/$name-")
if [[ -f $dictionary ]]; then options+=(-dict="$dictionary"); fi

# Function names in reports, also where the program is not found under its plain name.
for symbolizer in llvm-symbolizer-19 llvm-symbolizer; do
  if path=$(command -v "$symbolizer"); then
    export ASAN_SYMBOLIZER_PATH=$path
    break
  fi
done

if "$target" "${options[@]}" "$corpus" >"$results/$name.log" 2>&1 </dev/null; then
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$results/$name.log")
  echo "fuzz $name: ok, ${runs:-?} inputs in $seconds s"
  echo "pass $name" >>"$results/list"
else
  echo "fuzz $name: failed; the input and the log are in $results"
  tail -n 60 "$results/$name.log"
  echo "fail $name" >>"$results/list"
  exit 1
fi
