#!/usr/bin/env bash
# scripts/setup against package managers that are busy, interrupted or without a network; they are played by scripts in PATH.
# usage: setup_test.sh SOURCE
set -euo pipefail
source=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/tree" "$work/torch/include/ATen/core" "$work/torch/lib"
touch "$work/torch/include/ATen/core/Tensor.h" "$work/torch/lib/libtorch_cpu.so"
cp -r "$source/scripts" "$work/tree/"
printf '#!/bin/sh\nexit 0\n' >"$work/bin/dpkg-query" # nothing is installed
printf '#!/bin/sh\nwhile [ "$1" = -n ]; do shift; done\nexec "$@"\n' >"$work/bin/sudo"
# Simulations succeed. Otherwise: as often as $TIMES says, the fault; then success, which is written down.
cat >"$work/bin/apt-get" <<'END'
#!/bin/sh
case " $* " in *" -s "*) exit "${SIMULATION:-0}" ;; esac
count=$(cat "$WORK/count" 2>/dev/null || echo 0)
if [ "$count" -lt "$TIMES" ]; then
  echo $((count + 1)) >"$WORK/count"
  echo "$FAULT" >&2
  exit 100
fi
echo "$@" >>"$WORK/done"
END
printf '#!/bin/sh\necho "dpkg $*" >>"$WORK/done"\n' >"$work/bin/dpkg"
chmod +x "$work"/bin/*

# run TIMES FAULT: sets status and said
run() {
  rm -f "$work/count" "$work/done"
  touch "$work/done"
  status=0
  said=$(WORK=$work TIMES=$1 FAULT=$2 PATH=$work/bin:$PATH LIBTORCH_ROOT=$work/torch "$work/tree/scripts/setup" build 2>&1) || status=$?
}
expect() { # expect STATUS TEXT WHAT-WAS-DONE
  if [ "$status" != "$1" ] || ! grep -q -- "$2" <<<"$said" || { [ -n "$3" ] && ! grep -q -- "$3" "$work/done"; }; then
    printf 'expected status %s, "%s" and "%s"; found status %s and\n%s\n' "$1" "$2" "$3" "$status" "$said"
    exit 1
  fi
}

held='E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 917 (unattended-upgr)
E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?'
run 0 ''
expect 0 'installing Debian packages: ' 'install -y --no-install-recommends'
run 2 "$held"
expect 0 'waiting for another package manager, up to 600 seconds: lock /var/lib/dpkg/lock-frontend. It is held by process 917 (unattended-upgr)' 'install -y'
[ "$(grep -c waiting <<<"$said")" = 1 ]
SIMULATION=1 run 1 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 5 (apt-get)'
expect 0 'waiting for another package manager' update
PERENNIAL_SETUP_PATIENCE=3 run 1000 "$held"
expect 1 'another package manager still works after' ''
run 1 "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."
expect 0 'dpkg was interrupted earlier' 'dpkg --configure -a'
run 1000 "E: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'"
expect 1 'cannot be reached' ''
run 1000 'E: Unable to locate package nonsense'
expect 1 'apt-get could not install' ''
echo 'setup waits, mends and says why'
