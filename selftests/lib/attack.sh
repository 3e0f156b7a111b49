# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the stages in which a peer in user space (progs/wgproto.py) faces the
# kernel.  Sourced by them; raises
#
#   $NS_A  the kernel under test: wg0 (no key yet, down), va 10.77.1.1/24 and
#          fd77:1::1/64
#   $NS_B  the other side: vb 10.77.1.2/24, 10.77.1.3/24, fd77:1::2/64
#
# and takes everything down again when the stage ends, however it ends.

set -u
STAGE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGS=$STAGE_DIR/progs
NS_SUFFIX=$(printf '%04x%04x' $RANDOM $RANDOM)
NS_A=a-$NS_SUFFIX NS_B=b-$NS_SUFFIX NS_C=c-$NS_SUFFIX
STAGE_TMP=$(mktemp -d 2>/dev/null || mktemp -d -p /run) || exit 1
DYNDBG=
export NS_A NS_B NS_C STAGE_TMP WGI_MODE=${WGI_MODE:-}
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PROGS PYTHONUNBUFFERED=1

stage_cleanup()
{
	local pid ns

	for ns in "$NS_A" "$NS_B" "$NS_C"; do
		[ -e "/run/netns/$ns" ] || continue
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			[ "$pid" = $$ ] || kill "$pid" 2>/dev/null
		done
		ip netns del "$ns"
	done
	rm -rf "$STAGE_TMP"
	[ -z "$DYNDBG" ] || echo "module wireguard -p" >"$DYNDBG"
}
trap stage_cleanup EXIT
trap 'exit 1' INT TERM

skip()
{
	echo "# SKIP $*"
	exit 4
}

die()
{
	echo "# $*"
	exit 1
}

# life_cycle_log: the log says from now on when a keypair comes and goes. A debug
# build's always does, and whoever has it on already keeps it on.
life_cycle_log()
{
	local control

	for control in /proc/dynamic_debug/control \
		/sys/kernel/debug/dynamic_debug/control; do
		[ -w "$control" ] || continue
		grep -q '\[wireguard\].* =[a-z]*p' "$control" && return
		DYNDBG=$control
		echo "module wireguard +p" >"$control"
		return
	done
}

# wg_add NAMESPACE NAME: one more WireGuard device, in the mode under test.
wg_add()
{
	ip -n "$1" link add "$2" type wireguard || die "cannot create $2"
	[ -n "$WGI_MODE" ] || return 0
	ip netns exec "$1" sh -c '
		f=/sys/class/net/$1/wireguard/mode
		[ ! -e "$f" ] || echo "$2" >"$f"' sh "$2" "$WGI_MODE" ||
		die "$2 refuses mode $WGI_MODE"
}

# wire NAMESPACE_1 NAME_1 NAMESPACE_2 NAME_2: a veth pair, both ends up.
wire()
{
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" ||
		die "cannot create a veth pair"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

make_ns()
{
	local ns

	for ns; do
		ip netns add "$ns" || die "cannot create namespace $ns"
		ip netns exec "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0
		ip -n "$ns" link set lo up
	done
}

attack_setup()
{
	make_ns "$NS_A" "$NS_B"
	wire "$NS_A" va "$NS_B" vb
	ip -n "$NS_A" addr add 10.77.1.1/24 dev va
	ip -n "$NS_A" addr add fd77:1::1/64 dev va nodad
	ip -n "$NS_B" addr add 10.77.1.2/24 dev vb
	ip -n "$NS_B" addr add 10.77.1.3/24 dev vb
	ip -n "$NS_B" addr add fd77:1::2/64 dev vb nodad
	ip -n "$NS_B" addr add fd77:1::3/64 dev vb nodad
	wg_add "$NS_A" wg0
}

# prog NAME [ARG...]: a compiled helper's path; built here when missing.
prog()
{
	[ -x "$PROGS/$1" ] || make -s -C "$PROGS" "$1" >&2 ||
		die "progs/$1 is not built and cannot be"
	echo "$PROGS/$1"
}

# await SECONDS WHAT COMMAND...: until COMMAND succeeds; else the stage fails.
await()
{
	local end=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || die "FAILED: $what"
		sleep 0.05
	done
	echo "# ok: $what"
}

# reach NAMESPACE ADDRESS: one ping gets through.
reach()
{
	ip netns exec "$1" ping -n -q -c1 -W1 "$2"
}

# answered FILE: what a ping told to stop has printed, a line for each answer: no
# answer is missing between two others, none came twice. What was sent last may
# be on its way when ping ends; more than IN_FLIGHT of those are a loss, too.
IN_FLIGHT=5
answered()
{
	awk -v in_flight="$IN_FLIGHT" '
		/bytes from/ && match($0, /icmp_seq=[0-9]+/) {
			n = substr($0, RSTART + 9, RLENGTH - 9) + 0
			if (seen[n]++)
				bad = bad " " n " twice"
			if (n > last)
				last = n
		}
		/packets transmitted/ { sent = $1 }
		END {
			for (n = 1; n <= last; n++)
				if (!(n in seen))
					bad = bad " " n " missing"
			if (!last || sent < last || sent - last > in_flight)
				bad = bad " the end missing"
			print last + 0 " answered of " sent + 0 " sent" \
				(bad ? ":" bad : "")
			exit bad != ""
		}' "$1"
}

# new_keys NAME...: $STAGE_TMP/NAME.key and .pub
new_keys()
{
	local name

	for name; do
		(umask 077 && wg genkey >"$STAGE_TMP/$name.key")
		wg pubkey <"$STAGE_TMP/$name.key" >"$STAGE_TMP/$name.pub"
	done
}

key() { echo "$STAGE_TMP/$1.key"; }
pub() { cat "$STAGE_TMP/$1.pub"; }

# go_up NAMESPACE NAME: a device served by wireguard-go.
go_up()
{
	command -v wireguard-go >/dev/null || skip "wireguard-go is not installed"
	if [ ! -c /dev/net/tun ]; then
		[ -e /sys/class/misc/tun ] || modprobe -q tun
		mkdir -p /dev/net
		[ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200 ||
			skip "no /dev/net/tun"
	fi
	WG_PROCESS_FOREGROUND=1 ip netns exec "$1" wireguard-go -f "$2" \
		>"$STAGE_TMP/go-$2.log" 2>&1 &
	GO_PID=$!
	local end=$((SECONDS + 30))
	until ip -n "$1" link show "$2" >/dev/null 2>&1 &&
	      [ -S "/var/run/wireguard/$2.sock" ]; do
		if ! kill -0 "$GO_PID" 2>/dev/null; then
			grep -q "no such device\|not permitted" \
				"$STAGE_TMP/go-$2.log" && skip "no tun device"
			die "wireguard-go: $(tail -1 "$STAGE_TMP/go-$2.log")"
		fi
		[ $SECONDS -lt $end ] || die "wireguard-go does not come up"
		sleep 0.05
	done
}

handshake_of()
{
	ip netns exec "$1" wg show "$2" latest-handshakes | cut -f2
}

# each_module: with WGI_MODULES (paths of wireguard.ko) in the environment, run
# this stage once with each of them, in turn, for a comparison; the last one
# stays loaded.  To be called before anything is set up.
each_module()
{
	local list=${WGI_MODULES:-} module status=0

	[ -n "$list" ] || return 0
	unset WGI_MODULES
	for module in $list; do
		rmmod wireguard && insmod "$module" || die "cannot load $module"
		echo "# figures of $module:"
		bash "$0" || status=$?
	done
	exit $status
}
