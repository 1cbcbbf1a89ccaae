#!/usr/bin/env bash
# PostgreSQL 15.20: lock_timeout, deadlock_timeout and pg_sleep end when the time of day says so, and never early.
#
# The guess: they are lengths, timed by the kernel (setitimer, epoll), so a step of the wall clock does not matter; or, if they are
# times of day, a step forward ends them at once as it does in Redis. What happens is neither: the kernel's timer goes off after the right length, and the
# handler then asks the *wall clock* whether the time has come. Set back by 6 s meanwhile, it says no, and the timer is set again for the rest: a
# lock_timeout of 2 s takes 8, and a deadlock that is to be found after 1 s lasts for 7. Set forward, nothing ends early.
source "$(dirname "$0")/support/packages.sh"
unpack postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 libpq5=15.20-0+deb12u1 libllvm14=1:14.0.6-12
bin=$work/root/usr/lib/postgresql/15/bin
mkdir "$work/data" && chown nobody "$work/data"
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
as_nobody "$bin/initdb" -D "$work/data/db" -A trust -U postgres >/dev/null
step 0
(stepped setpriv --reuid=nobody --regid=nogroup --clear-groups "$bin/postgres" -D "$work/data/db" -k "$work/data" -p 54391 -c listen_addresses='' -c fsync=off) \
  >"$work/server.log" 2>&1 &
running+=($!)
sql() { timeout 60 "$bin/psql" -h "$work/data" -p 54391 -U postgres -qAt "$@" 2>&1; }
for _ in $(seq 50); do sql -c 'select 1' >/dev/null && break; sleep 0.2; done
sql -c 'show server_version'
sql -c 'create table row(k int primary key, n int); insert into row values (1, 0), (2, 0)'

# during STEP COMMAND...: how long a command takes when the clock is stepped one second after its beginning.
during() {
  local by=$1 begun
  shift
  begun=$(now)
  "$@" >"$work/said" & local command=$!
  sleep 1
  step "$by"
  wait "$command" || true
  seconds_since "$begun"
}
hold() { # a transaction that holds row 1 for so long
  (sql -c 'begin' -c 'update row set n = 1 where k = 1' -c "\\! sleep $1" -c 'rollback' >/dev/null) & holder=$!
  sleep 0.5
}
crossed() { # two transactions that lock rows 1 and 2 in different order
  (sql -c 'begin' -c 'update row set n = 1 where k = 1' -c '\! sleep 0.5' -c 'update row set n = 1 where k = 2' -c 'rollback' >"$work/first") &
  local first=$!
  sql -c 'begin' -c 'update row set n = 1 where k = 2' -c '\! sleep 0.5' -c 'update row set n = 1 where k = 1' -c 'rollback' >"$work/second"
  wait "$first" || true
}

step 0; slept=$(during -6 sql -c 'select pg_sleep(2)')
step 0; hold 12; locked=$(during -6 sql -c "set lock_timeout = '2s'" -c 'update row set n = 2 where k = 1'); grep -q 'lock timeout' "$work/said" || fail "no lock timeout: $(cat "$work/said")"; wait "$holder" || true
step 0; deadlocked=$(during -6 crossed); cat "$work/first" "$work/second" | grep -q 'deadlock detected' || fail "no deadlock was found"
step 0; early=$(during 3600 sql -c 'select pg_sleep(4)')
echo "clock set back by 6 s after 1 s: pg_sleep(2) takes $slept s, lock_timeout of 2 s takes $locked s, a deadlock with deadlock_timeout 1 s is found after $deadlocked s"
echo "clock set forward by an hour after 1 s: pg_sleep(4) takes $early s"
[ "$slept" -ge 7 ] && [ "$slept" -le 9 ] || fail "pg_sleep(2) takes $slept s"
[ "$locked" -ge 7 ] && [ "$locked" -le 9 ] || fail "lock_timeout takes $locked s"
[ "$deadlocked" -ge 6 ] && [ "$deadlocked" -le 9 ] || fail "the deadlock is found after $deadlocked s"
[ "$early" -ge 4 ] && [ "$early" -le 5 ] || fail "pg_sleep(4) takes $early s"
echo "as stated"
