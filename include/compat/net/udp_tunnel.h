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
static inline void
udp_tunnel_xmit_flags(struct rtable *rt, struct sock *sk, struct sk_buff *skb,
		      __be32 src, __be32 dst, __u8 tos, __u8 ttl, __be16 df,
		      __be16 src_port, __be16 dst_port, bool xnet,
		      bool nocheck, u16 flags)
{
	WARN_ON_ONCE(flags);
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, src_port,
			    dst_port, xnet, nocheck);
}

/* 6.1 wants addresses that it may change, but changes none. */
static inline void
udp_tunnel6_xmit_flags(struct dst_entry *dst, struct sock *sk,
		       struct sk_buff *skb, struct net_device *dev,
		       const struct in6_addr *saddr,
		       const struct in6_addr *daddr, __u8 prio, __u8 ttl,
		       __be32 label, __be16 src_port, __be16 dst_port,
		       bool nocheck, u16 flags)
{
	WARN_ON_ONCE(flags);
	udp_tunnel6_xmit_skb(dst, sk, skb, dev, (struct in6_addr *)saddr,
			     (struct in6_addr *)daddr, prio, ttl, label,
			     src_port, dst_port, nocheck);
}

#define udp_tunnel_xmit_skb	udp_tunnel_xmit_flags
#define udp_tunnel6_xmit_skb	udp_tunnel6_xmit_flags
#endif

#endif /* _COMPAT_NET_UDP_TUNNEL_H */
