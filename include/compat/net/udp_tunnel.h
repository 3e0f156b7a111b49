/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _COMPAT_NET_UDP_TUNNEL_H
#define _COMPAT_NET_UDP_TUNNEL_H

#include_next <net/udp_tunnel.h>

/* Before 7.2: these take the socket that user space would see. */
#ifndef HAVE_UDP_TUNNEL_SOCK
static inline void udp_tunnel_setup_sk(struct net *net, struct sock *sk,
				       struct udp_tunnel_sock_cfg *cfg)
{
	setup_udp_tunnel_sock(net, sk->sk_socket, cfg);
}

static inline void udp_tunnel_release_sk(struct sock *sk)
{
	udp_tunnel_sock_release(sk->sk_socket);
}

#define setup_udp_tunnel_sock	udp_tunnel_setup_sk
#define udp_tunnel_sock_release	udp_tunnel_release_sk
#endif

/* Before 6.17: no flags for the control block; only 0 can be served. */
#ifndef HAVE_UDP_TUNNEL_CB_FLAGS
#define udp_tunnel_xmit_skb(rt, sk, skb, saddr, daddr, tos, ttl, df, sport,    \
			    dport, xnet, nocheck, flags) do {		       \
	BUILD_BUG_ON(flags);						       \
	udp_tunnel_xmit_skb(rt, sk, skb, saddr, daddr, tos, ttl, df, sport,    \
			    dport, xnet, nocheck);			       \
} while (0)

/* 6.1 wants addresses that it may change, but changes none. */
#define udp_tunnel6_xmit_skb(dst, sk, skb, dev, saddr, daddr, prio, ttl,       \
			     label, sport, dport, nocheck, flags) do {	       \
	BUILD_BUG_ON(flags);						       \
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, (struct in6_addr *)(saddr),    \
			     (struct in6_addr *)(daddr), prio, ttl, label,     \
			     sport, dport, nocheck);			       \
} while (0)
#endif

#endif /* _COMPAT_NET_UDP_TUNNEL_H */
