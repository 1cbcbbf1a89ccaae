#!/usr/bin/env bash
# Redis 7.0.15: the timeout of a blocking command is an instant of the wall clock.
#
# The guess: BLPOP's timeout is a length, timed by a monotonic clock, as the client that sent it times its own; only expiry (PX, EX) is kept as
# a time of day. What happens: when the server's clock is set an hour forward, a BLPOP of 60 s ends at once with nothing, together with all
# keys that had less than an hour to live; when it is set an hour back, a BLPOP of 2 s still waits long after its time.
# So a step of the clock ends the waits of every worker at one instant, or lets them sleep through.
source "$(dirname "$0")/support/packages.sh"
unpack redis-tools=5:7.0.15-1~deb12u10 libjemalloc2=5.3.0-1 liblua5.1-0=5.1.5-9 liblzf1=3.6-3 libatomic1=12.2.0-14+deb12u1 \
  lua-bitop=1.0.2-7 lua-cjson=2.1.0+dfsg-2.2
cp "$work/root/usr/bin/redis-check-rdb" "$work/redis-server"
(stepped "$work/redis-server" --bind 127.0.0.1 --port 6391 --save '' --appendonly no) >"$work/server.log" 2>&1 &
running+=($!)
redis() { timeout 30 "$work/root/usr/bin/redis-cli" -p 6391 "$@"; }
for _ in $(seq 50); do redis ping >/dev/null 2>&1 && break; sleep 0.1; done
redis info server | grep redis_version

redis set lease mine px 600000 >/dev/null
begun=$(now)
redis blpop nothing 60 >/dev/null & waiter=$!
sleep 1
step 3600
wait "$waiter"
forward=$(seconds_since "$begun")
echo "BLPOP 60, clock set an hour forward after 1 s: ended after $forward s; a key with 600 s to live: exists = $(redis exists lease)"
[ "$forward" -le 3 ] || fail "the wait of 60 s lasted $forward s"
[ "$(redis exists lease)" = 0 ] || fail "the key is still there"

begun=$(now)
timeout 8 "$work/root/usr/bin/redis-cli" -p 6391 blpop nothing 2 >/dev/null & waiter=$!
sleep 1
step 0
wait "$waiter" || true
back=$(seconds_since "$begun")
echo "BLPOP 2, clock set an hour back after 1 s: still waiting after $back s"
[ "$back" -ge 7 ] || fail "the wait of 2 s ended after $back s"
echo "as stated"
