// SPDX-License-Identifier: GPL-2.0
/* The outer UDP sockets of a device. */
#include "socket.h"

#include "device.h"
#include "drop.h"
#include "endpoint.h"
#include "gro.h"
#include "messages.h"
#include "packet.h"
#include "peer.h"
#include "rx.h"

#include <linux/inetdevice.h>
#include <linux/net.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

/* How often to look for a port that is free for IPv4 and IPv6 both. */
#define PORT_ATTEMPTS	100

/**
 * struct wg_output - an outer packet on its way
 * @wg: whose
 * @peer: who remembers the route; NULL for a reply to somebody who may be nobody
 * @sk: socket of its family
 * @to: where to, and from where if that is known
 * @seq: what @peer's endpoint was when @to was read
 */
struct wg_output {
	struct wg_device *wg;
	struct wg_peer *peer;
	struct sock *sk;
	struct wg_endpoint to;
	unsigned int seq;
};

static struct rtable *lookup4(struct wg_output *out, struct flowi4 *fl)
{
	fl->daddr = out->to.addr4.sin_addr.s_addr;
	fl->saddr = out->to.src4.s_addr;
	fl->fl4_dport = out->to.addr4.sin_port;
	fl->fl4_sport = inet_sk(out->sk)->inet_sport;
	fl->flowi4_mark = READ_ONCE(out->wg->fwmark);
	fl->flowi4_proto = IPPROTO_UDP;
	security_sk_classify_flow(out->sk, flowi4_to_flowi_common(fl));
	return ip_route_output_flow(sock_net(out->sk), fl, out->sk);
}

/* The source we remember holds only while it is ours and routing agrees. */
static bool stale4(const struct wg_output *out, const struct rtable *rt)
{
	if (!out->to.src_if4)
		return false;
	if (IS_ERR(rt))
		return PTR_ERR(rt) == -EINVAL;
	return rt->dst.dev->ifindex != out->to.src_if4;
}

static void forget_src(struct wg_output *out)
{
	memset(&out->to.src6, 0, sizeof(out->to.src6));
	if (!out->peer)
		return;
	wg_endpoint_clear_src(out->peer);
}

static struct rtable *route4(struct wg_output *out, struct flowi4 *fl)
{
	struct rtable *rt;

	if (out->to.src4.s_addr &&
	    unlikely(!inet_confirm_addr(sock_net(out->sk), NULL, 0,
					out->to.src4.s_addr, RT_SCOPE_HOST)))
		forget_src(out);
	rt = lookup4(out, fl);
	if (unlikely(stale4(out, rt))) {
		if (!IS_ERR(rt))
			ip_rt_put(rt);
		forget_src(out);
		memset(fl, 0, sizeof(*fl));
		rt = lookup4(out, fl);
	}
	if (out->peer && !IS_ERR(rt)) {
		dst_cache_set_ip4(&out->peer->endpoint.routes, &rt->dst,
				  fl->saddr);
		wg_endpoint_recheck(out->peer, out->seq);
	}
	return rt;
}

static int send4(struct wg_output *out, struct sk_buff *skb, u8 ds)
{
	struct flowi4 fl = {};
	struct rtable *rt = NULL;

	if (out->peer)
		rt = dst_cache_get_ip4(&out->peer->endpoint.routes, &fl.saddr);
	if (!rt)
		rt = route4(out, &fl);
	if (IS_ERR(rt)) {
		wg_drop(out->wg, out->peer, skb, WG_DROP_TX_NO_ROUTE);
		return PTR_ERR(rt);
	}
	skb->ignore_df = 1;
	udp_tunnel_xmit_skb(rt, out->sk, skb, fl.saddr,
			    out->to.addr4.sin_addr.s_addr, ds,
			    ip4_dst_hoplimit(&rt->dst), 0,
			    inet_sk(out->sk)->inet_sport,
			    out->to.addr4.sin_port, false, false, 0);
	return 0;
}

static struct dst_entry *route6(struct wg_output *out, struct flowi6 *fl)
{
	struct dst_entry *dst;

	if (!ipv6_addr_any(&out->to.src6) &&
	    unlikely(!ipv6_chk_addr(sock_net(out->sk), &out->to.src6, NULL,
				    0)))
		forget_src(out);
	fl->daddr = out->to.addr6.sin6_addr;
	fl->saddr = out->to.src6;
	fl->fl6_dport = out->to.addr6.sin6_port;
	fl->fl6_sport = inet_sk(out->sk)->inet_sport;
	fl->flowi6_mark = READ_ONCE(out->wg->fwmark);
	fl->flowi6_oif = out->to.addr6.sin6_scope_id;
	fl->flowi6_proto = IPPROTO_UDP;
	security_sk_classify_flow(out->sk, flowi6_to_flowi_common(fl));
	dst = ip6_dst_lookup_flow(sock_net(out->sk), out->sk, fl, NULL);
	if (out->peer && !IS_ERR(dst)) {
		dst_cache_set_ip6(&out->peer->endpoint.routes, dst,
				  &fl->saddr);
		wg_endpoint_recheck(out->peer, out->seq);
	}
	return dst;
}

static int send6(struct wg_output *out, struct sk_buff *skb, u8 ds)
{
	struct dst_entry *dst = NULL;
	struct flowi6 fl = {};

	if (out->peer)
		dst = dst_cache_get_ip6(&out->peer->endpoint.routes, &fl.saddr);
	if (!dst)
		dst = route6(out, &fl);
	if (IS_ERR(dst)) {
		wg_drop(out->wg, out->peer, skb, WG_DROP_TX_NO_ROUTE);
		return PTR_ERR(dst);
	}
	skb->ignore_df = 1;
	udp_tunnel6_xmit_skb(dst, out->sk, skb, skb->dev, &fl.saddr,
			     &out->to.addr6.sin6_addr, ds,
			     ip6_dst_hoplimit(dst), 0,
			     inet_sk(out->sk)->inet_sport,
			     out->to.addr6.sin6_port, false, 0);
	return 0;
}

/* Consumes @skb. Inside an RCU-bh section, which keeps the socket. */
static int output(struct wg_output *out, struct sk_buff *skb, u8 ds)
{
	bool v4 = out->to.addr.sa_family == AF_INET;

	skb->dev = out->wg->dev;
	skb->mark = READ_ONCE(out->wg->fwmark);
	if (unlikely(!v4 && out->to.addr.sa_family != AF_INET6)) {
		wg_drop(out->wg, out->peer, skb, WG_DROP_TX_NO_ENDPOINT);
		return -EAFNOSUPPORT;
	}
	out->sk = v4 ? rcu_dereference_bh(out->wg->sock4) :
		       rcu_dereference_bh(out->wg->sock6);
	if (unlikely(!out->sk)) {
		wg_drop(out->wg, out->peer, skb, WG_DROP_TX_CLOSED);
		return -ENONET;
	}
	return v4 ? send4(out, skb, ds) : send6(out, skb, ds);
}

/**
 * wg_socket_send() - send a message to a peer's endpoint
 * @peer: peer
 * @skb: the message, room for outer headers in front; consumed in any case. May
 *	be a UDP GSO packet of several messages
 * @ds: DS field (DSCP and ECN) of the outer header
 *
 * Context: BH off, so that the recursion counters of the layers below hold.
 * Return: 0, or a negative errno: -ENONET while the device has no socket of the
 * family or for a peer that has been removed, -EAFNOSUPPORT without an endpoint, or
 * what routing said.
 */
int wg_socket_send(struct wg_peer *peer, struct sk_buff *skb, u8 ds)
{
	struct wg_output out = { .wg = peer->device, .peer = peer };
	unsigned int len = skb->len;
	int ret;

	/* Its routes go a grace period after this was said: none may come anew. */
	if (unlikely(READ_ONCE(peer->dead))) {
		wg_drop(peer->device, peer, skb, WG_DROP_TX_CLOSED);
		return -ENONET;
	}
	out.seq = wg_endpoint_read(peer, &out.to);
	ret = output(&out, skb, ds);
	if (likely(!ret))
		atomic64_add(len, &peer->tx_bytes);
	return ret;
}

static struct sk_buff *message_skb(const void *msg, size_t len)
{
	struct sk_buff *skb = wg_packet_new_outer(len);

	if (likely(skb))
		skb_put_data(skb, msg, len);
	return skb;
}

/**
 * wg_socket_send_message() - send a small message that is ready
 * @peer: peer
 * @msg: message
 * @len: its length
 * @ds: DS field of the outer header
 *
 * Context: any.
 * Return: as wg_socket_send(), or -ENOMEM.
 */
int wg_socket_send_message(struct wg_peer *peer, const void *msg, size_t len,
			   u8 ds)
{
	struct sk_buff *skb = message_skb(msg, len);
	int ret;

	if (unlikely(!skb))
		return -ENOMEM;
	rcu_read_lock_bh();
	ret = wg_socket_send(peer, skb, ds);
	rcu_read_unlock_bh();
	return ret;
}

/**
 * wg_socket_answer() - send a message to where another came from
 * @wg: device
 * @in: the packet to answer, outer headers in place; not consumed
 * @msg: message
 * @len: its length
 *
 * Context: any.
 * Return: 0 or a negative errno.
 */
int wg_socket_answer(struct wg_device *wg, struct sk_buff *in, const void *msg,
		     size_t len)
{
	struct wg_output out = { .wg = wg };
	struct sk_buff *skb;
	int ret;

	ret = wg_endpoint_from_skb(&out.to, in);
	if (unlikely(ret))
		return ret;
	skb = message_skb(msg, len);
	if (unlikely(!skb))
		return -ENOMEM;
	rcu_read_lock_bh();
	ret = output(&out, skb, 0);
	rcu_read_unlock_bh();
	return ret;
}

/* A socket must say so before it gets aggregates whole. */
static int accept_aggregates(struct socket *sock)
{
	int on = 1;

	return sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO,
				     KERNEL_SOCKPTR(&on), sizeof(on));
}

static struct socket *bind_family(struct wg_device *wg, struct net *net,
				  sa_family_t family, u16 port)
{
	struct udp_port_cfg cfg = {
		.family = family,
		.local_udp_port = htons(port),
		.use_udp_checksums = true,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = true,
		.ipv6_v6only = true,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = wg,
		.encap_type = 1,
		.encap_rcv = wg_rx_socket,
		.gro_receive = wg_gro_receive,
		.gro_complete = wg_gro_complete,
	};
	struct socket *sock;
	int ret;

	ret = udp_sock_create(net, &cfg, &sock);
	if (ret < 0)
		return ERR_PTR(ret);
	ret = accept_aggregates(sock);
	if (ret) {
		udp_tunnel_sock_release(sock->sk);
		return ERR_PTR(ret);
	}
	/* Stock does so: what the tunnel sends may be what frees memory. */
	sock->sk->sk_allocation = GFP_ATOMIC;
	sock->sk->sk_sndbuf = INT_MAX;
	sk_set_memalloc(sock->sk);
	setup_udp_tunnel_sock(net, sock->sk, &tunnel);
	return sock;
}

static void release(struct sock *sk)
{
	if (!sk)
		return;
	sk_clear_memalloc(sk);
	udp_tunnel_sock_release(sk);
}

static int bind_both(struct wg_device *wg, struct net *net, u16 port,
		     struct sock **sk4, struct sock **sk6)
{
	struct socket *sock4, *sock6;

	sock4 = bind_family(wg, net, AF_INET, port);
	if (IS_ERR(sock4))
		return PTR_ERR(sock4);
	*sk4 = sock4->sk;
	*sk6 = NULL;
	if (!ipv6_mod_enabled())
		return 0;
	sock6 = bind_family(wg, net, AF_INET6,
			    ntohs(inet_sk(sock4->sk)->inet_sport));
	if (IS_ERR(sock6)) {
		release(*sk4);
		return PTR_ERR(sock6);
	}
	*sk6 = sock6->sk;
	return 0;
}

static int open_in(struct wg_device *wg, struct net *net, u16 port,
		   struct sock **sk4, struct sock **sk6)
{
	int attempt, ret;

	/* A port that IPv4 got by chance may be somebody else's in IPv6. */
	for (attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		ret = bind_both(wg, net, port, sk4, sk6);
		if (ret != -EADDRINUSE || port)
			break;
	}
	return ret;
}

/* Puts new sockets, or none, in the place of the old; and ends those. */
static void replace(struct wg_device *wg, struct sock *sk4, struct sock *sk6)
{
	struct sock *old4, *old6;

	old4 = rcu_replace_pointer(wg->sock4, sk4,
				   lockdep_is_held(&wg->update_lock));
	old6 = rcu_replace_pointer(wg->sock6, sk6,
				   lockdep_is_held(&wg->update_lock));
	if (sk4)
		wg->incoming_port = ntohs(inet_sk(sk4)->inet_sport);
	if (!old4 && !old6) {
		if (!sk4)
			synchronize_net(); /* who closes counts on it */
		return;
	}
	synchronize_net(); /* for senders that have the old sockets */
	release(old4);
	release(old6);
	/*
	 * Newer kernels do not wait themselves for receivers that found the
	 * device through the socket's user data just before it went away.
	 */
	synchronize_net();
}

/**
 * wg_socket_open() - listen on a port
 * @wg: device
 * @port: UDP port in host order, 0 for one that is free
 *
 * A device that is down only remembers the port. Sockets that are open stay so
 * if the new ones cannot be had.
 *
 * Context: RTNL and the device's update lock held; may sleep.
 * Return: 0, -EADDRINUSE, -ENONET when the namespace of the sockets is gone, or
 * another negative errno from making the sockets.
 */
int wg_socket_open(struct wg_device *wg, u16 port)
{
	struct sock *sk4 = NULL, *sk6 = NULL;
	struct net *net;
	int ret;

	if (!netif_running(wg->dev)) {
		wg->incoming_port = port;
		return 0;
	}
	rcu_read_lock();
	net = rcu_dereference(wg->creating_net);
	net = net ? maybe_get_net(net) : NULL;
	rcu_read_unlock();
	if (unlikely(!net))
		return -ENONET;
	ret = open_in(wg, net, port, &sk4, &sk6);
	put_net(net);
	if (likely(!ret))
		replace(wg, sk4, sk6);
	else if (net_ratelimit())
		netdev_err(wg->dev, "Cannot listen on UDP port %u: error %d\n",
			   port, ret);
	return ret;
}

/**
 * wg_socket_close() - stop listening and sending
 * @wg: device
 *
 * Nobody is in wg_rx_socket() for the device any more when it returns, and no
 * sender has a socket of it.
 *
 * Context: device's update lock held; may sleep.
 */
void wg_socket_close(struct wg_device *wg)
{
	replace(wg, NULL, NULL);
}
