#!/usr/bin/env bash
# Shows the main job on one machine: a database that is being written, a primary sidecar beside it, a secondary sidecar
# that keeps a byte-identical copy, and a live view of both until Ctrl-C. For a bare Debian 12, as root or with sudo.
set -euo pipefail
# shellcheck source=deploy/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
usage: deploy/quickstart.sh [--once] [--seconds N] [--data /path/to/Data.fs]

  --once         run for N seconds without a terminal, then compare the files: exit code 0 when they are identical
  --seconds N    how long --once runs (15)
  --data PATH    follow this file instead of starting a database; it is only read

Installs what is missing from Debian's packages, and ZODB and ZEO into a virtual environment in ~/.cache/zrs; builds an
optimised zrs; keeps everything else in a temporary directory that it removes at the end.
END
}

once=false
seconds=15
data=
while [ $# -gt 0 ]; do
  case $1 in
    --once) once=true ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift ;;
    --data) data=${2:?--data needs a path}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
if [ -n "$data" ]; then
  [ -f "$data" ] && [ -r "$data" ] || die "cannot read $data"
  data=$(realpath "$data")
fi

work=
pids=() # of what runs, in the order in which it is stopped last to first

# start LOG COMMAND...: in the background, in a session of its own, so that Ctrl-C reaches this script alone; and it
# ends when this script does, even if that was killed.
start() {
  local log=$1
  shift
  setsid setpriv --pdeathsig TERM -- "$@" >>"$log" 2>&1 </dev/null &
  pids+=("$!")
}

# stop PID: asks it to end, and kills it when it does not within 20 seconds. Returns its exit code.
stop() {
  local pid=$1 tries=200 code=0
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null && say "process $pid did not stop in 20 seconds and was killed"
  wait "$pid" 2>/dev/null || code=$?
  return "$code"
}

cleanup() {
  local code=$? i
  trap - EXIT
  trap '' INT TERM HUP
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    stop "${pids[i]}" || true
  done
  if [ -n "$work" ]; then
    rm -rf "$work"
  fi
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# fail MESSAGE: with the end of every log, since they are removed.
fail() {
  local log
  for log in "$work"/*.log; do
    [ -s "$log" ] && { echo "--- $(basename "$log")"; tail -n 15 "$log"; } >&2
  done
  die "$*"
}

# until_true SECONDS WHAT COMMAND...: tries until it succeeds.
until_true() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || fail "waited in vain for $what"
    sleep 0.2
  done
}

free_ports() {
  "$ZRS_PYTHON" - "$1" <<'END'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
END
}

install_packages runtime build demo
venv=$(make_venv "$ZRS_ROOT/deploy/demo/requirements.txt") || die "could not make the virtual environment"
[ -n "${ZRS_BINARY:-}" ] || say "Building zrs (the first time takes some minutes)"
zrs=$(build_zrs) || die "the build failed"

work=$(mktemp -d "${TMPDIR:-/tmp}/zrs-quickstart.XXXXXX")
[ "${#work}" -le 80 ] || die "TMPDIR is too long a path for Unix sockets: $work"
mkdir "$work/primary" "$work/secondary"
read -r zeo_port replication_port < <(free_ports 2)

if [ -z "$data" ]; then
  data=$work/primary/Data.fs
  growing=()
  patience=60
  cat >"$work/zeo.conf" <<END
<zeo>
  address 127.0.0.1:$zeo_port
</zeo>
<filestorage 1>
  path $data
</filestorage>
END
  say "Starting a ZEO server and an application that writes through it"
  start "$work/zeo.log" "$venv/bin/runzeo" -C "$work/zeo.conf"
  until_true 30 "the ZEO server" test -s "$data"
  start "$work/writer.log" "$venv/bin/python" "$ZRS_ROOT/deploy/demo/writer.py" "127.0.0.1:$zeo_port" \
    --progress "$work/commits"
  writer=$!
else
  writer=
  growing=(--growing)
  patience=3600
  free=$(df --output=avail -B1 "$work" | tail -n 1)
  [ "$(stat -L -c %s "$data")" -lt "$free" ] || die "$data does not fit into $work: set TMPDIR to where there is room"
fi

cat >"$work/primary.conf" <<END
<sidecar>
  admin-socket $work/primary.sock
  state-dir $work/primary
</sidecar>
<primary main>
  address 127.0.0.1:$replication_port
  <filestorage>
    path $data
  </filestorage>
</primary>
END
cat >"$work/secondary.conf" <<END
<sidecar>
  admin-socket $work/secondary.sock
  state-dir $work/secondary
</sidecar>
<secondary main>
  address 127.0.0.1:$replication_port
  <filestorage>
    path $work/secondary/Data.fs
  </filestorage>
</secondary>
END

say "Starting a primary sidecar on $data, and a secondary sidecar"
start "$work/primary.log" "$zrs" run --config "$work/primary.conf"
primary=$!
start "$work/secondary.log" "$zrs" run --config "$work/secondary.conf"
secondary=$!
until_true 30 "the primary sidecar" "$zrs" status --config "$work/primary.conf"
until_true 30 "the secondary sidecar" "$zrs" status --config "$work/secondary.conf"

view=("$venv/bin/python" "$ZRS_ROOT/deploy/demo/live.py" --zrs "$zrs" --primary "$work/primary.conf"
  --secondary "$work/secondary.conf" --progress "$work/commits")
if [ "$once" = true ]; then
  view+=(--seconds "$seconds")
else
  say "Ask it yourself meanwhile: $zrs status --config $work/secondary.conf"
fi
[ "$once" = true ] || trap 'exit 0' INT # the ordinary end of the live view
# In the background, since bash runs no trap while it waits for a command in the foreground.
setpriv --pdeathsig TERM -- "${view[@]}" &
view_pid=$!
pids+=("$view_pid")
wait "$view_pid" || fail "the live view ended by itself"
[ "$once" = true ] || exit 0

if [ -n "$writer" ]; then
  say "Stopping the writer"
  stop "$writer" || fail "the writer failed"
fi
say "Waiting for the secondary"
until_true "$patience" "the secondary to have everything" "$zrs" wait --config "$work/primary.conf" --timeout 60
stop "$primary" || fail "the primary sidecar did not stop cleanly"
stop "$secondary" || fail "the secondary sidecar did not stop cleanly"
"$venv/bin/python" "$ZRS_ROOT/deploy/demo/compare_files.py" ${growing[@]+"${growing[@]}"} \
  "$data" "$work/secondary/Data.fs"
