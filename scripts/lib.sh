# shellcheck shell=bash
# What the scripts of this directory share. Sourced by each of them, not run.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$top/build/log # what installations and builds print

# The distribution's tools before those that a user has put in front: the packages below belong to them (python3-jsonschema).
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  say "$@"
  exit 2
}
wrong_usage() { die "no argument '$1' is known; see ${0##*/} -h"; }

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi
}

# quietly NAME WHAT COMMAND...: says WHAT, runs COMMAND with its output in build/log/NAME.log, tells now and then how far it
# is, and shows the log's end when it fails.
quietly() {
  local log=$logs/$1.log what=$2 started=$SECONDS status=0 ticker
  shift 2
  [[ ! -e $top/build || -w $top/build ]] || die "$top/build belongs to $(stat -c %U "$top/build"): be that user, or remove it"
  mkdir -p "$logs"
  say "$what"
  # The sleep must not hold our standard error open: its reader would wait for the sleep's end.
  while sleep 20 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
    say "  ... $((SECONDS - started)) s: $(tail -n 1 "$log" | cut -c1-100)"
  done &
  ticker=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if ((status != 0)); then
    tail -n 40 "$log" >&2
    die "failed: $what; all of its output is in $log"
  fi
  ((SECONDS - started < 3)) || say "  done in $((SECONDS - started)) s"
}

# The lines of package lists without comments: a package and its probe.
package_lines() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "${@/#/"$top/scripts/packages-"}"; }

probe() { # command:NAME, header:FILE, python:MODULE or file:PATTERN; alternatives behind |
  local one
  for one in ${1//|/ }; do
    case $one in
      command:*) command -v "${one#*:}" ;;
      header:*) g++ -std=c++20 -x c++ -fsyntax-only -include "${one#*:}" /dev/null ;;
      python:*) python3 -c "import ${one#*:}" ;;
      file:*) compgen -G "${one#*:}" ;;
    esac >/dev/null 2>&1 && return
  done
  return 1
}

# On a system whose packages we can't install: goes on when everything is there, else names what is missing.
check_by_hand() { # LIST...
  local package what missing=()
  while read -r package what; do
    [[ $package == *'?' ]] || probe "$what" || missing+=("$package ($what)")
  done < <(package_lines "$@")
  ((${#missing[@]} == 0)) && return
  say "this system has no apt-get, so nothing was installed. Missing, by the name of Debian's package (and of what was looked for):"
  printf '  %s\n' "${missing[@]}" >&2
  exit 2
}

# Prints what is not installed of the lists. A package marked "?" counts only where the distribution has it.
missing_packages() { # LIST...
  local package
  while read -r package _; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "${package%'?'}" 2>/dev/null) != installed ]] || continue
    [[ $package != *'?' ]] || apt-cache show "${package%'?'}" >/dev/null 2>&1 || continue
    printf '%s\n' "${package%'?'}"
  done < <(package_lines "$@")
}

# auditd and rsyslog would start with their installation, and an auditd that starts takes the machine's audit trail.
# policy-rc.d is Debian's way to say no (invoke-rc.d(8)); a policy that the machine has already is left alone.
install_without_services() ( # PACKAGE...
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy"
    as_root chmod 755 "$policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    install -y -q --no-install-recommends "$@" || exit
  [[ -d /run/systemd/system ]] || exit 0
  for service in auditd rsyslog; do
    [[ " $* " != *" $service "* ]] || as_root systemctl disable "$service" || true
  done
)

# Installs what is missing of the package lists LIST...; returns at once when nothing is.
install_packages() {
  local missing package unknown=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    check_by_hand "$@"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} > 0)) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "not root, and no sudo: have root run: apt-get install --no-install-recommends ${missing[*]}"
    say "sudo is used to install packages"
    sudo true
  fi
  quietly apt-update "updating the package lists" as_root apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -q update
  mapfile -t missing < <(missing_packages "$@")
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 || unknown+=("$package")
  done
  ((${#unknown[@]} == 0)) ||
    die "this distribution has no ${unknown[*]}: Debian 12 or later, or Ubuntu 24.04 or later, is needed"
  quietly apt-install "installing ${missing[*]}" install_without_services "${missing[@]}"
}

# build PRESET TARGET [CMAKE-OPTION...]
build() {
  local preset=$1 target=$2
  shift 2
  cd "$top"
  # NOHASHDIR lets a clone in another directory use what this one compiled.
  if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=true CCACHE_SLOPPINESS=pch_defines,time_macros
  fi
  quietly "configure-$preset" "configuring build/$preset" cmake --preset "$preset" "$@"
  quietly "build-$preset" "building $target in build/$preset" cmake --build --preset "$preset" --target "$target"
}

# The release program alone, for scripts that only run it; a build directory with tests stays one.
build_program() {
  install_packages build
  if [[ -e $top/build/release/CMakeCache.txt ]]; then
    build release luatrail
  else
    build release luatrail -DLUATRAIL_TESTS=OFF -DLUATRAIL_BENCH=OFF
  fi
  # shellcheck disable=SC2034 # for the script that called
  luatrail=$top/build/release/luatrail
}
