#!/usr/bin/env bash
# Puts Causeway into a folder: program, libraries, engine, model. Needs no root and no network.
#   ./install.sh PREFIX        an older Causeway there is replaced; what it keeps lies elsewhere
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
oldest_glibc=2.36

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

if (($# != 1)) || [[ $1 == -* ]]; then
  echo 'usage: ./install.sh PREFIX     for example: ./install.sh ~/causeway' >&2
  exit 2
fi
prefix=$1

machine=${here##*-}
[[ $machine == "$(uname -m)" ]] || fail "this bundle is for $machine, this machine is $(uname -m)"
glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ print $2 }') || glibc=
[[ -n $glibc && $(printf '%s\n' "$oldest_glibc" "$glibc" | sort -V | head -n 1) == "$oldest_glibc" ]] ||
  fail "glibc $oldest_glibc or newer is needed; here is ${glibc:-another C library}"
if [[ -e $prefix && ! -x $prefix/bin/causeway && -n $(ls -A "$prefix") ]]; then
  fail "$prefix is not empty, and there is no Causeway in it"
fi

(cd "$here/files" && sha256sum --quiet --check "$here/SHA256SUMS") ||
  fail 'the bundle is damaged: copy it anew'
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
rm -rf "$prefix/bin/causeway" "$prefix/lib/causeway" "$prefix/share/causeway"
cp -a --no-preserve=ownership "$here/files/." "$prefix/"
"$prefix/bin/causeway" --version >/dev/null || fail "the program does not run on this machine"

cat <<END
Causeway is in $prefix. To start it:
  $prefix/bin/causeway serve
What it keeps goes into ./causeway-data of the folder where it is started (--data says another).
To remove it, delete $prefix.
END
