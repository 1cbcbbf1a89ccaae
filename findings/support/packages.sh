# For scripts in findings/: a temporary folder that goes away with what runs in it, Debian packages unpacked there, a wall clock that steps.
# Sourced by them; needs apt, dpkg, a C compiler and Python 3.
set -euo pipefail
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
running=()
cleanup() {
  for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
fail() { echo "CHANGED: $*"; exit 1; }

# unpack PACKAGE=VERSION...: into $work/root, with the libraries that are found there first.
unpack() {
  (cd "$work" && apt-get download -qq "$@" 2>"$work/apt.log") || { (apt-get update -qq && cd "$work" && apt-get download -qq "$@") >"$work/apt.log" 2>&1; } ||
    { cat "$work/apt.log"; echo "cannot fetch $*"; exit 2; }
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  export LD_LIBRARY_PATH="$work/root/usr/lib/x86_64-linux-gnu"
}

# step SECONDS: the wall clock of whatever `stepped` runs is so far from the machine's.
step() {
  python3 -c "import os,struct; f=os.open('$work/step',os.O_RDWR|os.O_CREAT,0o644); os.pwrite(f,struct.pack('l',$1),0)"
}

# stepped COMMAND...: runs it with a wall clock that `step` moves.
stepped() {
  [ -e "$work/step.so" ] || cc -O1 -shared -fPIC -o "$work/step.so" "$support/step.c"
  [ -e "$work/step" ] || step 0
  LD_PRELOAD="$work/step.so" STEP_FILE="$work/step" exec "$@"
}

now() { date +%s.%N; }
# seconds_since INSTANT: whole seconds, rounded.
seconds_since() { python3 -c "import time; print(round(time.time() - $1))"; }
