/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, wireguard:*. Words, not numbers, say what happened: so filters and
 * tools need to know nothing of this source. Peers have the number that the log
 * gives them; 0 where it is not known whose a packet is.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM wireguard

#if !defined(_WG_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _WG_TRACE_H

#include <linux/netdevice.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "device.h"
#include "drop.h"
#include "keypair.h"
#include "mode.h"
#include "peer.h"

#define WG_TRACE_WORD 24

TRACE_EVENT(wg_drop,
	    TP_PROTO(const struct wg_device *wg, const struct wg_peer *peer,
		     enum wg_drop cause, unsigned int packets),
	    TP_ARGS(wg, peer, cause, packets),
	    TP_STRUCT__entry(__array(char, dev, IFNAMSIZ)
			     __array(char, path, WG_TRACE_WORD)
			     __array(char, cause, WG_TRACE_WORD)
			     __field(u64, peer)
			     __field(unsigned int, packets)),
	    TP_fast_assign(strscpy(__entry->dev, wg->dev->name, IFNAMSIZ);
			   strscpy(__entry->path, wg_drop_causes[cause].path,
				   WG_TRACE_WORD);
			   strscpy(__entry->cause, wg_drop_causes[cause].word,
				   WG_TRACE_WORD);
			   __entry->peer = peer ? peer->id : 0;
			   __entry->packets = packets;),
	    TP_printk("dev=%s peer=%llu path=%s cause=%s packets=%u",
		      __entry->dev, __entry->peer, __entry->path, __entry->cause,
		      __entry->packets));

TRACE_EVENT(wg_mode,
	    TP_PROTO(const struct wg_device *wg, enum wg_mode from,
		     enum wg_mode to),
	    TP_ARGS(wg, from, to),
	    TP_STRUCT__entry(__array(char, dev, IFNAMSIZ)
			     __array(char, from, WG_TRACE_WORD)
			     __array(char, to, WG_TRACE_WORD)),
	    TP_fast_assign(strscpy(__entry->dev, wg->dev->name, IFNAMSIZ);
			   strscpy(__entry->from, wg_mode_word(from),
				   WG_TRACE_WORD);
			   strscpy(__entry->to, wg_mode_word(to),
				   WG_TRACE_WORD);),
	    TP_printk("dev=%s from=%s to=%s",
		      __entry->dev, __entry->from, __entry->to));

/*
 * initiation_sent, initiation_received, response_sent, response_received,
 * cookie_sent, cookie_received, complete (there is a session, and both sides are
 * known to have it), given_up.
 */
TRACE_EVENT(wg_handshake,
	    TP_PROTO(const struct wg_device *wg, const struct wg_peer *peer,
		     const char *what),
	    TP_ARGS(wg, peer, what),
	    TP_STRUCT__entry(__array(char, dev, IFNAMSIZ)
			     __array(char, what, WG_TRACE_WORD)
			     __field(u64, peer)),
	    TP_fast_assign(strscpy(__entry->dev, wg->dev->name, IFNAMSIZ);
			   strscpy(__entry->what, what, WG_TRACE_WORD);
			   __entry->peer = peer ? peer->id : 0;),
	    TP_printk("dev=%s peer=%llu %s",
		      __entry->dev, __entry->peer, __entry->what));

/*
 * created, expired (no longer sent with: its time or its nonces are over, or there is
 * a new private key, or the device went down, or the machine was cloned), destroyed.
 */
TRACE_EVENT(wg_keypair,
	    TP_PROTO(const struct wg_keypair *keypair, const char *what),
	    TP_ARGS(keypair, what),
	    TP_STRUCT__entry(__array(char, dev, IFNAMSIZ)
			     __array(char, what, WG_TRACE_WORD)
			     __field(u64, peer)
			     __field(u64, keypair)),
	    TP_fast_assign(strscpy(__entry->dev,
				   keypair->index.peer->device->dev->name,
				   IFNAMSIZ);
			   strscpy(__entry->what, what, WG_TRACE_WORD);
			   __entry->peer = keypair->index.peer->id;
			   __entry->keypair = keypair->id;),
	    TP_printk("dev=%s peer=%llu keypair=%llu %s",
		      __entry->dev, __entry->peer, __entry->keypair,
		      __entry->what));

#endif /* _WG_TRACE_H */

/* Kbuild has this directory in the include path of trace.c. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
