#!/usr/bin/env bash
# etcd 3.4.23: a lease's time begins anew whenever a leader does, and no lease is shorter than 2 s.
#
# The guess: a lease that was granted for 20 s and is not kept alive is gone 20 s later, whoever leads; a lock held by a dead client is free by then.
# What happens: how much of a lease is left is known to the leader alone. A new one, after a crash, a restart or a mere transfer of leadership,
# gives every lease its whole time again. With a transfer every 10 s, a lease of 20 s that nobody keeps alive outlives 40 s;
# "TTL after the client's death" is no bound while leaders change. And a lease of 1 s is granted as 2 s with default timing
# (the least is one and a half election timeouts, rounded up).
source "$(dirname "$0")/support/packages.sh"
unpack etcd-server=3.4.23-4+b4 etcd-client=3.4.23-4+b4
export ETCDCTL_API=3
cluster=one=http://127.0.0.1:23811,two=http://127.0.0.1:23812,three=http://127.0.0.1:23813
start() { # NAME N
  "$work/root/usr/bin/etcd" --name "$1" --data-dir "$work/$1" --listen-client-urls "http://127.0.0.1:2380$2" --advertise-client-urls "http://127.0.0.1:2380$2" \
    --listen-peer-urls "http://127.0.0.1:2381$2" --initial-advertise-peer-urls "http://127.0.0.1:2381$2" --initial-cluster "$cluster" >"$work/$1.log" 2>&1 &
  running+=($!)
}
start one 1; start two 2; start three 3
all=http://127.0.0.1:23801,http://127.0.0.1:23802,http://127.0.0.1:23803
ctl() { "$work/root/usr/bin/etcdctl" --endpoints="$all" "$@"; }
for _ in $(seq 50); do ctl put ready yes >/dev/null 2>&1 && break; sleep 0.5; done
ctl version | sed -n 1p
leader_and_other() { # the leader's endpoint and another member's id
  ctl endpoint status -w json | python3 -c "
import json, sys
members = json.load(sys.stdin)
leader = members[0]['Status']['leader']
print(next(m['Endpoint'] for m in members if m['Status']['header']['member_id'] == leader),
      next('%x' % m['Status']['header']['member_id'] for m in members if m['Status']['header']['member_id'] != leader))"
}
short=$(ctl lease grant 1 | grep -o 'TTL([0-9]*s)')
echo "a lease of 1 s is granted with $short"
lease=$(ctl lease grant 20 | awk '{print $2}')
ctl put --lease="$lease" lock mine >/dev/null
begun=$(now)
for _ in 1 2 3; do
  sleep 10
  before=$(ctl lease timetolive "$lease" | grep -o 'remaining([-0-9]*s)')
  read -r leader other < <(leader_and_other)
  "$work/root/usr/bin/etcdctl" --endpoints="$leader" move-leader "$other" >/dev/null
  sleep 1
  after=$(ctl lease timetolive "$lease" | grep -o 'remaining([-0-9]*s)')
  echo "after $(seconds_since "$begun") s without a keep-alive: $before, leadership moved: $after"
done
age=$(seconds_since "$begun")
held=$(ctl get lock --print-value-only)
echo "the key of a lease of 20 s after $age s: '${held}'"
[ "$short" = "TTL(2s)" ] || fail "a lease of 1 s has $short"
[ "$held" = mine ] && [ "$age" -gt 25 ] || fail "the key is gone after $age s"
sleep 25
[ -z "$(ctl get lock --print-value-only)" ] || fail "with one leader it does not expire either"
echo "with one leader it is gone 25 s later: as stated"
