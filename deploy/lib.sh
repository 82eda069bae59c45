# Shell functions shared by deploy/quickstart.sh, tests/run.sh and tests/bench/run.sh. To be sourced, by bash with
# `set -u`. ZRS_ROOT is the project's directory.

ZRS_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The distribution's own interpreter: another python3 in PATH may lack venv, or differ by directory.
ZRS_PYTHON=/usr/bin/python3

say() { printf '== %s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# packages_of SECTION...: the packages that deploy/packages.txt lists under these sections.
packages_of() {
  awk -v wanted=" $* " '
    /^[[:space:]]*(#|$)/ { next }
    /^\[/ { section = substr($1, 2, length($1) - 2); next }
    index(wanted, " " section " ") { print $1 }' "$ZRS_ROOT/deploy/packages.txt"
}

# missing_packages SECTION...: those of them that are not installed.
missing_packages() {
  local package
  packages_of "$@" | sort -u | while read -r package; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || die "installing packages needs root: run as root, or install sudo"
    sudo "$@"
  fi
}

# install_packages SECTION...: installs what is missing, and does nothing at all where nothing is.
install_packages() {
  command -v dpkg-query >/dev/null || die "Debian 12 is needed: its packages are listed in deploy/packages.txt"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "Installing from Debian: ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  as_root "${apt[@]}" update </dev/null >&2 || die "apt-get update failed"
  as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >&2 || die "apt-get install failed"
}

# make_venv REQUIREMENTS: prints the directory of a virtual environment that has them. It is kept from run to run under
# a name made of what it holds, and marked when it is complete: a half-made one is made again. What counts too is
# deploy/demo/requirements.txt, which the tests' own file names by `-r`.
make_venv() {
  local requirements=$1 digest directory
  digest=$({ "$ZRS_PYTHON" --version; cat "$requirements" "$ZRS_ROOT/deploy/demo/requirements.txt"; } |
    sha256sum | cut -c 1-16) || return 1
  directory=${XDG_CACHE_HOME:-$HOME/.cache}/zrs/venv-$digest
  if [ ! -e "$directory/complete" ]; then
    say "Making a virtual environment: $directory"
    rm -rf "$directory"
    mkdir -p "$directory"
    "$ZRS_PYTHON" -m venv "$directory" >&2 &&
      "$directory/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements" \
        </dev/null >&2 &&
      touch "$directory/complete" || return 1
  fi
  printf '%s\n' "$directory"
}

# run_bazel COMMAND ARGUMENT...: in the project, showing progress also where there is no terminal.
run_bazel() {
  local command=$1
  shift
  (cd "$ZRS_ROOT" &&
    bazel "$command" --show_progress --show_progress_rate_limit=10 --color=auto "$@" </dev/null)
}

# bazel_bin: prints the directory of what is built, also where the link bazel-bin points into another configuration.
bazel_bin() {
  (cd "$ZRS_ROOT" && bazel info bazel-bin 2>/dev/null </dev/null)
}

# build_zrs: builds the binary and prints its path. Where ZRS_BINARY names one that is built already, that is it.
build_zrs() {
  if [ -n "${ZRS_BINARY:-}" ]; then
    realpath "$ZRS_BINARY"
    return
  fi
  run_bazel build //:zrs >&2 || return 1
  local bin
  bin=$(bazel_bin) || return 1
  [ -x "$bin/zrs" ] || return 1
  printf '%s/zrs\n' "$bin"
}
