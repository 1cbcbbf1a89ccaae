#!/usr/bin/env bash
# etcd and etcdctl 3.4.23: a waiter whose lease ran out while it stood in line still gets the lock, at the same time as the one behind it.
#
# The guess: a waiter's place in line is a key under its lease. When it is paused for longer than its ttl the key goes, and with it the place: once
# it is awake it learns that its session is over, and the next in line is next. The key does go, and the one behind it does move up. But
# the waiter does not look for its own key when its turn comes: it waits for the keys before its own to be deleted, and then goes on as the holder.
# So when the holder gives the lock back, *two* commands run under it, each believing to be alone, with nobody paused and no fault anywhere
# at that time; both end with status 0.
source "$(dirname "$0")/support/packages.sh"
unpack etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
export ETCDCTL_API=3
"$work/root/usr/bin/etcd" --data-dir "$work/data" --listen-client-urls http://127.0.0.1:23821 --advertise-client-urls http://127.0.0.1:23821 \
  --listen-peer-urls http://127.0.0.1:23822 --initial-advertise-peer-urls http://127.0.0.1:23822 --initial-cluster default=http://127.0.0.1:23822 \
  >"$work/etcd.log" 2>&1 &
running+=($!)
etcdctl=$work/root/usr/bin/etcdctl
ctl() { "$etcdctl" --endpoints=http://127.0.0.1:23821 "$@"; }
for _ in $(seq 50); do ctl put ready yes >/dev/null 2>&1 && break; sleep 0.5; done
ctl version | sed -n 1p
keys() { ctl get seat --prefix --keys-only | grep -c seat || true; }
# lock NAME SECONDS: holds the lock for so long, once it has it, with a lease of 4 s that is kept alive.
lock() {
  "$etcdctl" --endpoints=http://127.0.0.1:23821 lock --ttl=4 seat -- \
    bash -c "echo $1 in >>'$work/log'; sleep $2; echo $1 out >>'$work/log'" &
  holder=$!
  running+=("$holder")
}
lock first 16
sleep 2
lock second 6
second=$holder
sleep 1
lock third 6
sleep 1
echo "keys in line: $(keys) (one holds, two wait)"
kill -STOP "$second"
sleep 9
left=$(keys)
kill -CONT "$second"
echo "the second was paused for 9 s with a lease of 4 s; keys in line: $left"
sleep 14
cat "$work/log"
inside=0 most=0
while read -r _ what; do
  [ "$what" = in ] && inside=$((inside + 1)) || inside=$((inside - 1))
  [ "$inside" -gt "$most" ] && most=$inside
done <"$work/log"
echo "at most $most held the lock at once"
[ "$left" = 2 ] || fail "$left keys are left"
[ "$most" = 2 ] || fail "at most $most held it at once"
echo "as stated"
