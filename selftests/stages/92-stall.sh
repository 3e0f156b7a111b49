#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: no peer stalls: workers held up, queues overflowing, delivery switched
#       between threads and softirq, CPUs unplugged, modes changed, all at once
# needs: slow stress
# timeout: 180
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

PEERS=6
ROUNDS=24
CPUS=/sys/devices/system/cpu

need python3
setup_ns left right
wire "$left" w1 "$right" w2
addr "$left" w1 192.0.2.1/24
addr "$right" w2 192.0.2.2/24
add_wg "$left" wg0
has_mode "$left" wg0 || skip "stock wireguard has no mode"
wg_set "$left" wg0 KEY:1 listen-port 5100
ip -n "$left" link set wg0 up
addr "$left" wg0 10.71.0.1/16
for ((n = 1; n <= PEERS; n++)); do
	key=$(wg genkey)
	echo "$key" >"$SCRATCH/key"
	add_wg "$right" "wg$n"
	in_ns "$right" wg set "wg$n" private-key "$SCRATCH/key" \
		listen-port $((5100 + n)) peer "${PUB[1]}" \
		endpoint 192.0.2.1:5100 allowed-ips 10.71.0.1/32
	in_ns "$left" wg set wg0 peer "$(wg pubkey <<<"$key")" \
		endpoint "192.0.2.2:$((5100 + n))" allowed-ips "10.71.$n.0/24"
	# All in one namespace: each answers from its own table.
	addr "$right" "wg$n" "10.71.$n.1/32"
	ip -n "$right" link set "wg$n" up
	ip -n "$right" rule add from "10.71.$n.1" table $n
	ip -n "$right" route add default dev "wg$n" table $n
done
sysctl_ns "$right" net.ipv4.conf.all.rp_filter=0
for ((n = 1; n <= PEERS; n++)); do
	ping_ok "peer $n at first" "$left" "10.71.$n.1"
done

# Whoever holds a CPU against its workers keeps the front of some queue waiting,
# while what is behind it gets done elsewhere.
python3 - <<'PY' &
import os, random, time
try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
except OSError as error:
    print(f"# workers are not held up: {error}")
while True:
    try:
        os.sched_setaffinity(0, {random.randrange(os.cpu_count())})
    except OSError:
        pass
    end = time.monotonic() + random.uniform(0.002, 0.03)
    while time.monotonic() < end:
        pass
    time.sleep(random.uniform(0.005, 0.03))
PY
hog=$!
defer stop $hog

# More than the queues hold, to every peer, both ways.
python3 - "$left" "$right" $PEERS <<'PY' &
import ctypes, os, socket, sys, time
left, right, peers = sys.argv[1], sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None)

def sockets(namespace, pairs):
    with open(f"/run/netns/{namespace}") as file:
        assert not libc.setns(file.fileno(), 0x40000000)
    for source, sink in pairs:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((source, 0))
        sock.connect((sink, 9))
        sock.setblocking(False)
        yield sock

down = list(sockets(left, [("10.71.0.1", f"10.71.{n}.1")
                           for n in range(1, peers + 1)]))
up = list(sockets(right, [(f"10.71.{n}.1", "10.71.0.1")
                          for n in range(1, peers + 1)]))
while True:
    for sock in down + up:
        for _ in range(200):
            try:
                sock.send(bytes(1200))
            except OSError:
                pass
    time.sleep(0.002)
PY
flooder=$!
defer stop $flooder

write_all() {
	local n
	# shellcheck disable=SC2016 # expanded by the inner shell
	ip netns exec "$left" bash -c 'echo $2 >/sys/class/net/wg0/$1' \
		sh "$1" "$2"
	for ((n = 1; n <= PEERS; n++)); do
		# shellcheck disable=SC2016
		ip netns exec "$right" bash -c \
			'echo $3 >/sys/class/net/wg$1/$2' sh $n "$1" "$2"
	done
}

last=$(($(nproc) - 1))
[ ! -w $CPUS/cpu$last/online ] || defer sh -c "echo 1 >$CPUS/cpu$last/online"
modes=(threaded softirq inline softirq)
for ((round = 0; round < ROUNDS; round++)); do
	write_all wireguard/mode "${modes[round / 3 % 4]}"
	write_all threaded $((round % 2))
	[ ! -w $CPUS/cpu$last/online ] || [ $((round % 3)) != 1 ] ||
		{ echo 0 >$CPUS/cpu$last/online; echo 1 >$CPUS/cpu$last/online; }
done
stop $flooder
stop $hog
for mode in "" threaded softirq inline; do
	[ -z "$mode" ] || write_all wireguard/mode $mode
	for ((n = 1; n <= PEERS; n++)); do
		await 10 "peer $n receives, $mode" ping_once "$left" "10.71.$n.1"
	done
done
