#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh KDIR: look into a kernel's headers and configuration. Prints a -D flag
# for every newer interface that it has, for include/compat; where something is
# amiss, says what in one sentence and fails. Versions are no help: stable kernels
# take new interfaces from newer ones.

kdir=$1

die()
{
	echo "wireguard-inline: $*" >&2
	exit 1
}

[ -e "$kdir/Makefile" ] ||
	die "there is no kernel to build for in $kdir: install its" \
	    "linux-headers package, or give KVER= or KDIR=."
# A build directory, and Debian's header packages, name the source in here.
srctree=$(sed -n 's,^include \(/.*\)/Makefile$,\1,p' "$kdir/Makefile")
include=${srctree:-$kdir}/include
[ -d "$include/linux" ] || die "there are no kernel headers in $include."

config=$kdir/include/config/auto.conf
[ -e "$config" ] || config=$kdir/.config
[ -e "$config" ] || die "the kernel in $kdir is not configured."

if grep -q '^CONFIG_WIREGUARD=y' "$config"; then
	die "this kernel has WireGuard built in (CONFIG_WIREGUARD=y), which no" \
	    "module can replace."
fi
missing=
for option in MODULES INET IPV6 DST_CACHE NET_UDP_TUNNEL CRYPTO_LIB_CURVE25519 \
	CRYPTO_LIB_CHACHA20POLY1305; do
	grep -q "^CONFIG_$option=[ym]" "$config" ||
		missing="$missing CONFIG_$option"
done
[ -z "$missing" ] ||
	die "this kernel was configured without$missing."

# needs FILE TEXT WHAT: without it the module cannot be built at all.
needs()
{
	grep -qsF "$2" "$include/$1" || die "this kernel has no $3 (in $1)."
}

# has FILE TEXT FLAG
has()
{
	if grep -qsF -- "$2" "$include/$1"; then
		echo "-DHAVE_$3"
	fi
}

needs linux/timer.h 'timer_delete_sync(' 'timer_delete_sync()'
needs linux/random.h 'get_random_u32_below(' 'get_random_u32_below()'
needs linux/netdevice.h pcpu_stat_type 'net_device.pcpu_stat_type'
needs linux/netdevice.h 'netif_set_tso_max_size(' 'netif_set_tso_max_size()'
needs net/udp_tunnel.h 'udp_tunnel6_xmit_skb(' 'udp_tunnel6_xmit_skb()'
needs crypto/chacha20poly1305.h 'chacha20poly1305_encrypt_sg_inplace(' \
	'ChaCha20-Poly1305 library'
grep -qE '\(\*exit(_batch)?_rtnl\)' "$include/net/net_namespace.h" ||
	die "this kernel has no pernet_operations.exit_rtnl nor" \
	    "exit_batch_rtnl (in net/net_namespace.h)."

has crypto/blake2s.h 'struct blake2s_ctx' BLAKE2S_CTX
has crypto/utils.h crypto_memneq CRYPTO_UTILS_H
has linux/netdevice.h 'alloc_netdev_dummy(' ALLOC_NETDEV_DUMMY
grep -qE '[[:space:]]lltx[:;]' "$include/linux/netdevice.h" &&
	echo -DHAVE_NETDEV_LLTX
has linux/skbuff.h 'skb_unset_transport_header(' SKB_UNSET_TRANSPORT_HEADER
has linux/skbuff.h 'tstamp_type:' TSTAMP_TYPE
has linux/udp.h 'udp_get_len_short(' UDP_GET_LEN_SHORT
has linux/unaligned.h get_unaligned LINUX_UNALIGNED_H
has linux/workqueue.h WQ_PERCPU WQ_PERCPU
for reason in SOCKET_CLOSE DUP_FRAG NO_TX_TARGET; do
	has net/dropreason-core.h "FN($reason)" "DROP_$reason"
done
has net/genetlink.h 'struct genl_split_ops {' GENL_SPLIT_OPS
has net/genetlink.h 'genl_info_dump(' GENL_INFO_DUMP
has net/gso.h skb_gso_segment NET_GSO_H
has net/net_namespace.h '(*exit_rtnl)' EXIT_RTNL
has net/rtnetlink.h 'struct rtnl_newlink_params {' RTNL_NEWLINK_PARAMS
has net/udp_tunnel.h 'udp_tunnel_sock_release(struct sock *' UDP_TUNNEL_SOCK
has net/udp_tunnel.h 'ip6cb_flags' UDP_TUNNEL_CB_FLAGS
has uapi/linux/netdev.h NETDEV_NAPI_THREADED_ENABLED NAPI_THREADED_ENUM
