# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced inside the lab: load the module under test, and put devices into the state under test.
#   MODULE   wireguard.ko to load (default: the stock one built with the lab kernel);  PARAMS  its parameters
#   MODE     written to /sys/class/net/wgN/wireguard/mode (refused = the run fails);  THREADED  0/1, written to .../threaded
mp() { /sbin/modprobe -d "$LAB/mods" "$@"; }
for m in udp_tunnel ip6_udp_tunnel libcurve25519 libchacha20poly1305 pktgen; do mp $m; done
if [ -n "${MODULE:-}" ]; then /bin/busybox insmod "$MODULE" ${PARAMS:-} || exit 1; else mp wireguard ${PARAMS:-} || exit 1; fi
set_word() { # namespace device
    ip netns exec "$1" bash -c "d=/sys/class/net/$2
        [ -z '${THREADED:-}' ] || echo ${THREADED:-} >\$d/threaded; [ -z '${MODE:-}' ] || echo ${MODE:-} >\$d/wireguard/mode" ||
        { echo "$1 $2: mode ${MODE:-} refused"; return 1; }
}
