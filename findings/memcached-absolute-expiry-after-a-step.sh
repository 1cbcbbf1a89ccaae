#!/usr/bin/env bash
# memcached 1.6.18: an expiry given as a time of day is reckoned against the time of day at which the server was started.
#
# The guess: `set KEY 0 <now + 10> …` (a Unix time, which the protocol takes for anything beyond 30 days) expires in 10 s by the server's clock,
# like the relative `set KEY 0 10 …`. What happens: the server counts monotonic seconds from its start, and turns a time of day into such
# a count by the wall clock that it read *once*, at its start. Once the wall clock has been set an hour forward, an entry that is to live for 10 s
# lives for 3,610, and a server that runs on is never put right; relative lifetimes do not notice. Clients that send absolute times (many do beyond
# 30 days, some always) then keep stale entries, and only those.
source "$(dirname "$0")/support/packages.sh"
unpack memcached=1.6.18-1+deb12u1 libevent-2.1-7=2.1.12-stable-8+deb12u1
(stepped "$work/root/usr/bin/memcached" -u nobody -l 127.0.0.1 -p 11391 -U 0) >"$work/server.log" 2>&1 &
running+=($!)
sleep 1
ask() { # ask "LINE\r\nLINE": what the server says
  python3 - "$1" <<'PYTHON'
import socket, sys, time
line = sys.argv[1].encode().decode("unicode_escape").encode()
connection = socket.create_connection(("127.0.0.1", 11391))
connection.sendall(line + b"\r\n")
time.sleep(0.1)
print(connection.recv(4096).decode().strip().replace("\r\n", " "))
PYTHON
}
ask version
ask "set relative 0 100 1\r\na" >/dev/null
step 3600
sleep 2
wall=$(($(date +%s) + 3600))
ask "set absolute 0 $((wall + 10)) 1\r\nb" >/dev/null
absolute=$(ask "mg absolute t")
relative=$(ask "mg relative t")
echo "an hour forward; to live for 10 s by the time of day: $absolute; 100 s relative, set 2 s ago: $relative"
life=${absolute#HD t}
[ "$life" -gt 3500 ] && [ "$life" -le 3611 ] || fail "the absolute one lives for $life s"
life=${relative#HD t}
[ "$life" -ge 90 ] && [ "$life" -le 100 ] || fail "the relative one lives for $life s"
sleep 12
later=$(ask "mg absolute t")
echo "12 s later, 2 s after its time: $later"
[ "${later#HD t}" -gt 3480 ] || fail "it has been put right: $later"
echo "as stated"
