# A server and its clients, over a socket in the file system.
cd /tmp
redis-server --port 0 --unixsocket /tmp/redis.sock --save '' --appendonly no --dir /tmp >/tmp/redis.log 2>&1 &
until redis-cli -s /tmp/redis.sock ping >/dev/null 2>&1; do sleep 0.1; done
client() { redis-cli -s /tmp/redis.sock "$@" | cat; }
client set counter 41
client incr counter
client eval 'return redis.call("get", KEYS[1]) * 2' 1 counter
for i in 1 2 3 4; do (for _ in 1 2 3 4 5 6 7 8 9 10; do client incr many >/dev/null; done) & clients="$clients $!"; done
wait $clients
client get many
redis-benchmark -s /tmp/redis.sock -q -n 1000 -c 10 -P 4 -t set,lpush >/dev/null && echo benchmark done
client llen mylist
client blpop nothing 0.05
client save
client shutdown nosave
wait
test -S /tmp/redis.sock || echo the socket is gone
rm -f /tmp/dump.rdb
