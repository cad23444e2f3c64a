# shellcheck shell=bash
# The engine and its models. Builds llama-server from the pinned source, once for each set of flags, into the cache:
#   engine/<key>/llama-server     and     engine/current -> <key>
# Sourced, never run.
# shellcheck disable=SC2154  # root and cache come from lib.sh

# The instruction sets that the engine may use on this processor: avx2 where all of them are there,
# less where one is missing. On other architectures the name of the architecture.
cpu_level() {
  local flags
  flags=" $(sed -n 's/^flags[^:]*://p;T;q' "${cpuinfo:-/proc/cpuinfo}") "
  if [[ $flags == '  ' ]]; then
    uname -m
  elif [[ $flags == *' avx2 '* && $flags == *' fma '* && $flags == *' f16c '* &&
    $flags == *' bmi2 '* ]]; then
    echo avx2
  elif [[ $flags == *' avx '* ]]; then
    echo avx
  elif [[ $flags == *' sse4_2 '* ]]; then
    echo sse42
  else
    echo x86-64
  fi
}

# CMake flags for a backend (cpu, cuda, vulkan), one a line. GGML_NATIVE is off so that the result
# depends on nothing but what is written here; then ggml takes AVX2 for granted on x86.
engine_flags() {
  local backend=$1 level=$2
  printf '%s\n' -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=OFF \
    -DGGML_OPENMP=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF \
    -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF
  case $level in
    avx) printf -- '-DGGML_%s=OFF\n' AVX2 FMA F16C BMI2 ;;
    sse42) printf -- '-DGGML_%s=OFF\n' AVX2 FMA F16C BMI2 AVX ;;
    x86-64) printf -- '-DGGML_%s=OFF\n' AVX2 FMA F16C BMI2 AVX SSE42 ;;
  esac
  case $backend in
    cuda) echo -DGGML_CUDA=ON ;;
    vulkan) echo -DGGML_VULKAN=ON ;;
  esac
}

# Names the build: another source or another flag gives another folder.
engine_key() {
  local backend=$1 level=$2 hash
  hash=$({ manifest_value llama.cpp sha256; engine_flags "$backend" "$level"; } | sha256sum)
  printf '%s-%s-%s\n' "$backend" "$level" "${hash:0:12}"
}

engine_is_built() { [[ -x $cache/engine/$(engine_key "$1" "$2")/llama-server ]]; }

# The backend that engine/current was built for, or cpu where there is none from today's source.
engine_in_use() {
  local key backend
  key=$(readlink "$cache/engine/current" || true)
  backend=${key%%-*}
  if [[ $backend =~ ^(cuda|vulkan)$ && $key == "$(engine_key "$backend" "$(cpu_level)")" ]]; then
    echo "$backend"
  else
    echo cpu
  fi
}


# build_engine cpu|cuda|vulkan: fetches the source, builds, and points engine/current at the result.
build_engine() {
  local backend=$1 level
  level=$(cpu_level)
  engine_is_built "$backend" "$level" || with_lock engine compile_engine "$backend" "$level"
  point_engine_at "$(engine_key "$backend" "$level")"
}

compile_engine() {
  local backend=$1 level=$2 key folder source log flags started=$SECONDS
  engine_is_built "$backend" "$level" && return # another run was faster
  key=$(engine_key "$backend" "$level")
  folder=$cache/engine/$key
  log=$folder/build.log
  mkdir -p "$folder"
  source=$(fetch llama.cpp)
  mapfile -t flags < <(engine_flags "$backend" "$level")
  say "engine: configuring llama-server ($key), log in $log"
  nice -n 10 cmake -S "$source" -B "$folder/build" -G Ninja "${flags[@]}" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "the engine could not be configured; all of it is in $log"; }
  NINJA_STATUS='[%f/%t] ' nice -n 10 cmake --build "$folder/build" --target llama-server \
    --parallel "$(build_jobs)" 2>&1 | tee -a "$log" | show_build_progress 'engine: building' ||
    fail "the engine could not be built; all of it is in $log"
  strip -o "$folder/llama-server.new" "$folder/build/bin/llama-server"
  cp "$source/LICENSE" "$folder/LICENSE"
  { echo "source sha256 $(manifest_value llama.cpp sha256)"; printf '%s\n' "${flags[@]}"; } \
    >"$folder/flags"
  mv "$folder/llama-server.new" "$folder/llama-server"
  rm -rf "$folder/build"
  say "engine: built in $(duration $((SECONDS - started)))"
}

point_engine_at() {
  local key=$1
  [[ $(readlink "$cache/engine/current" || true) == "$key" ]] && return
  ln -sfn "$key" "$cache/engine/current.$$"
  mv -T "$cache/engine/current.$$" "$cache/engine/current"
}

# The model that the first start needs: the one that the manifest marks with "fetch = setup".
model_to_set_up() {
  awk '/^\[/ { name = substr($0, 2, length($0) - 2) }
    $1 == "fetch" && $3 == "setup" { print name; exit }' "$root/third_party/manifest"
}

model_path() {
  printf '%s/files/%s/%s\n' "$cache" "$(manifest_value "$1" result.sha256)" \
    "$(manifest_value "$1" result)"
}

# ", 77 MB to fetch": what is still to be downloaded for an entry of the manifest; nothing when all is there.
to_fetch() {
  local megabytes
  megabytes=$(megabytes_to_fetch "$1")
  if ((megabytes > 0)); then echo ", $megabytes MB to fetch"; fi
}

# What is still to be downloaded for an entry of the manifest, in MB.
megabytes_to_fetch() {
  local size archive part=0
  size=$(manifest_value "$1" size)
  archive=$cache/archives/$(manifest_value "$1" sha256)/$(manifest_value "$1" file)
  if [[ -e $archive || -e $cache/source/$1-$(manifest_value "$1" sha256 | cut -c1-12) ]]; then
    part=$size
  elif [[ -e $archive.part ]]; then
    part=$(stat -c %s "$archive.part")
  fi
  echo $(((size - part + 999999) / 1000000))
}
