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
