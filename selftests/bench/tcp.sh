# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Inside the lab: STREAMS TCP streams (1) from gateway 1 to gateway 2, spread over the tunnels, for SECS seconds (4).
STREAMS=${STREAMS:-1} SECS=${SECS:-4}
. "$(dirname "$0")/net.sh"
for s in $(seq 1 "$STREAMS"); do ip netns exec gw2 iperf3 -s -1 -p $((5200 + s)) >/dev/null & done
sleep 0.5; echo "MARK start"
for s in $(seq 1 "$STREAMS"); do
    ip netns exec gw1 iperf3 -Z -J -l 1M -t "$SECS" -p $((5200 + s)) -c 10.9.$(((s - 1) % TUNNELS + 1)).2 >/run/out.$s & pids+=($!)
done
wait "${pids[@]}"; echo "MARK end"
python3 - /run/out.* <<'P'
import json, sys
ends = [json.load(open(f))["end"] for f in sys.argv[1:]]
print("gbps %.3f" % (sum(e["sum_received"]["bits_per_second"] for e in ends) / 1e9))
print("gbit %.3f" % (sum(e["sum_received"]["bytes"] for e in ends) * 8 / 1e9))
print("retransmits %d" % sum(e["sum_sent"].get("retransmits", 0) for e in ends))
P
