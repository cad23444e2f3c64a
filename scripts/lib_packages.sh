# shellcheck shell=bash
# The Debian packages that Causeway needs, by what they are needed for, and how they are installed.
# third_party/README.md says why each is there. Sourced, never run.
# shellcheck disable=SC2154  # root and cache come from lib.sh

# shellcheck disable=SC2034  # all of these are named through package_sets
packages_fetch=(ca-certificates python3 python3-pip)
packages_build=(
  build-essential cmake ninja-build ccache mold pkg-config file
  libboost1.81-dev libboost-json1.81-dev libssl-dev libc-ares-dev libsimdjson-dev libyaml-cpp-dev
  libtomlplusplus-dev
  libcli11-dev libspdlog-dev libfmt-dev libsqlite3-dev prometheus-cpp-dev libre2-dev zlib1g-dev liblz4-dev
  libhyperscan-dev libhnswlib-dev libcurl4-openssl-dev libicu-dev libcld2-dev libphonenumber8 libprotobuf-dev libabsl-dev
  libhiredis-dev
)
packages_use=(curl)
packages_test=(
  libgtest-dev python3-venv clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev shellcheck
  nodejs npm golang-go jq strace procps chromium fonts-noto-core redis-server
)
packages_bench=(libbenchmark-dev nginx-light wrk)
packages_package=(
  dpkg-dev patchelf
  debootstrap systemd systemd-container lintian mandoc bash-completion zsh fish iproute2
)
packages_cuda=(nvidia-cuda-toolkit)
packages_vulkan=(libvulkan-dev glslc)

# Node often comes from elsewhere, with an npm of its own that Debian's package conflicts with.
provided_otherwise() {
  case $1 in
    nodejs) command -v node ;;
    npm) command -v npm ;;
    golang-go) command -v go ;;
    *) false ;;
  esac >/dev/null
}

# missing_packages fetch build …: those of these sets that are not installed, one a line.
missing_packages() {
  local set name names=()
  for set in "$@"; do
    declare -n packages="packages_$set"
    for name in "${packages[@]}"; do
      provided_otherwise "$name" || names+=("$name")
    done
    unset -n packages
  done
  # dpkg-query fails for names that it has never heard of: exactly those are missing too.
  comm -13 \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u) \
    <(printf '%s\n' "${names[@]}" | sort -u)
}

# How much apt would download for these packages, in MB; a guess where its lists are empty.
packages_megabytes() {
  local bytes
  bytes=$(apt-get --print-uris -qq --no-install-recommends install "$@" 2>/dev/null |
    awk '{ sum += $3 } END { print int(sum) }') || bytes=0
  if ((bytes > 0)); then
    echo $(((bytes + 999999) / 1000000))
  else
    echo $((12 * $#)) # on a bare system the sets above come to about this much a package
  fi
}

# The line that an administrator can paste.
install_line() { echo "apt-get update && apt-get install --no-install-recommends -y $*"; }

# Runs a command as root: as it is, or through sudo. The second form asks for a password if it must.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "This needs root, and there is no sudo here. An administrator can run:"
    say "  $(install_line "${to_install[@]}")"
    exit 3
  fi
}

# Installs packages, showing how many are done. Nothing that is installed is ever removed for it.
install_packages() {
  local to_install=("$@") log started=$SECONDS
  local options=(-q -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=600
    -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
  mkdir -p "$cache/log"
  log=$cache/log/apt.log
  : >"$log"
  if [[ -n $(dpkg --audit) || -n $(ls /var/lib/dpkg/updates) ]]; then
    say "packages: finishing an installation that was interrupted"
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold >>"$log" 2>&1 ||
      say "packages: not all of it could be finished (see $log)"
  fi
  say "packages: updating the lists"
  as_root apt-get update -q -o Acquire::Retries=3 >>"$log" 2>&1 ||
    say "packages: the lists could not all be updated (see $log); trying with what is there"
  say "packages: installing ${#to_install[@]} and what they need, log in $log"
  if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "$@" 2>&1 |
    tee -a "$log" | show_install_progress; then
    grep -E '^(E:|W:|dpkg: error)|Depends:|Conflicts:' "$log" | tail -n 20 >&2
    fail "the packages could not be installed; all of it is in $log"
  fi
  say "packages: installed in $(duration $((SECONDS - started)))"
}

show_install_progress() {
  local line all=0 unpacked=0 set_up=0 spoken=$SECONDS
  while IFS= read -r line; do
    if [[ $line =~ ^([0-9]+)\ upgraded,\ ([0-9]+)\ newly\ installed ]]; then
      all=$((BASH_REMATCH[1] + BASH_REMATCH[2]))
    fi
    case $line in
      'Need to get '*) say "packages: ${line%%.}" ;;
      'Unpacking '*) unpacked=$((unpacked + 1)) ;;
      'Setting up '*) set_up=$((set_up + 1)) ;;
      *) continue ;;
    esac
    if on_terminal && ((all > 0)); then
      printf '\r\033[Kpackages: %d of %d unpacked, %d set up' "$unpacked" "$all" "$set_up" >&2
    elif ((SECONDS - spoken >= 20 && all > 0)); then
      say "packages: $unpacked of $all unpacked, $set_up set up"
      spoken=$SECONDS
    fi
  done
  if on_terminal && ((all > 0)); then printf '\n' >&2; fi
}

# unpack_packages FOLDER PACKAGE…: what these Debian packages hold goes to FOLDER, whole or not at all.
# For what must not be installed. Fails where they cannot be had.
unpack_packages() {
  local folder=$1 work=$1.work package
  shift
  rm -rf "$work"
  mkdir -p "$work" "$cache/log"
  (
    cd "$work"
    apt-get -q download "$@" || { as_root apt-get -q update && apt-get -q download "$@"; }
    for package in *.deb; do dpkg-deb -x "$package" unpacked; done
  ) </dev/null >>"$cache/log/apt.log" 2>&1 || return 1
  rm -rf "$folder"
  mkdir -p "$(dirname "$folder")"
  mv "$work/unpacked" "$folder"
  rm -rf "$work"
}

# The headers of libphonenumber: its -dev package conflicts with Boost 1.81's. CMake looks for them
# here, beside the run-time package that is installed.
fetch_phone_headers() {
  local folder=$cache/phonenumber
  [[ ! -f $folder/include/phonenumbers/phonenumberutil.h ]] || return 0
  unpack_packages "$folder/package" libphonenumber-dev ||
    fail "the headers of libphonenumber could not be fetched; see $cache/log/apt.log"
  rm -rf "$folder/include"
  mv "$folder/package/usr/include" "$folder/include"
  rm -rf "$folder/package"
}

# The OpenTelemetry Collector that the tests of otlp send to, from tests/otelcol.
build_otelcol() {
  local folder
  folder=$cache/otelcol/$(cat "$root"/tests/otelcol/{main.go,go.mod,go.sum} | sha256sum | cut -c1-12)
  [[ ! -x $folder/otelcol ]] || return 0
  say "packages: building the OpenTelemetry Collector for the tests, 1 to 4 min"
  mkdir -p "$folder" "$cache/log"
  if (cd "$root/tests/otelcol" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly \
    go build -trimpath -ldflags "-s -w" -o "$folder/otelcol.part" .) >"$cache/log/otelcol.log" 2>&1; then
    mv "$folder/otelcol.part" "$folder/otelcol"
  else
    say "packages: it could not be built ($cache/log/otelcol.log); its tests are skipped"
  fi
}

# What the tests of deploy/monitoring drive. Installed, Debian would start both as services.
fetch_monitoring() {
  [[ ! -x $cache/monitoring/usr/bin/prometheus-alertmanager ]] || return 0
  say "packages: unpacking prometheus and prometheus-alertmanager into $cache/monitoring"
  unpack_packages "$cache/monitoring" prometheus prometheus-alertmanager ||
    say "packages: they could not be fetched; the tests of deploy/monitoring are skipped"
}
