/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The causes of drops. No guard: who includes this says what WG_DROP_CAUSE() is to
 * make of each: its name in the source, the direction and the word that users see,
 * and the core's drop reason that is nearest. Reasons of our own are not to be had:
 * drop_reasons_register_subsys() takes a subsystem of an enumeration that only the
 * kernel's own source can add to.
 */

/* No message: its type, length or form. */
WG_DROP_CAUSE(RX_MALFORMED, "rx", "malformed", UNHANDLED_PROTO)
/* No session by that index, or one that has expired. */
WG_DROP_CAUSE(RX_NO_KEY, "rx", "no_key", NO_SOCKET)
/* A counter that was there before, or is too old to tell. */
WG_DROP_CAUSE(RX_REPLAY, "rx", "replay", DUP_FRAG)
/* Not authentic. */
WG_DROP_CAUSE(RX_BAD_TAG, "rx", "bad_tag", SKB_CSUM)
/* The inner packet is none, or longer than what came. */
WG_DROP_CAUSE(RX_BAD_LENGTH, "rx", "bad_length", IP_INHDR)
/* The inner source address is not the peer's. */
WG_DROP_CAUSE(RX_BAD_SOURCE, "rx", "bad_source", IP_RPFILTER)
/* More than this machine can open. */
WG_DROP_CAUSE(RX_QUEUE_FULL, "rx", "queue_full", CPU_BACKLOG)
/* No memory to have it whole, or to itself. */
WG_DROP_CAUSE(RX_NO_MEMORY, "rx", "no_memory", NOMEM)
/* A handshake message that is not for us. */
WG_DROP_CAUSE(RX_BAD_MAC, "rx", "bad_mac", SKB_CSUM)
/* Under load: the sender was sent a cookie in reply. */
WG_DROP_CAUSE(RX_NO_COOKIE, "rx", "no_cookie", SOCKET_BACKLOG)
/* Under load: its source has sent more than its share. */
WG_DROP_CAUSE(RX_RATELIMITED, "rx", "ratelimited", SOCKET_BACKLOG)
/* Its peer is not known, or it does not fit, or too many. */
WG_DROP_CAUSE(RX_BAD_HANDSHAKE, "rx", "bad_handshake", NOT_SPECIFIED)
/* More handshake messages than may wait. */
WG_DROP_CAUSE(RX_BUSY, "rx", "busy", SOCKET_BACKLOG)
/* The device was taken down. */
WG_DROP_CAUSE(RX_CLOSED, "rx", "closed", SOCKET_CLOSE)
/* No IP packet, or one that cannot be summed or cut up. */
WG_DROP_CAUSE(TX_MALFORMED, "tx", "malformed", UNHANDLED_PROTO)
/* The destination is nobody's allowed IP. */
WG_DROP_CAUSE(TX_NO_PEER, "tx", "no_peer", IP_OUTNOROUTES)
/* The peer has no endpoint. */
WG_DROP_CAUSE(TX_NO_ENDPOINT, "tx", "no_endpoint", NO_TX_TARGET)
/* Too many wait for a handshake, or it failed, or its key has no nonces left. */
WG_DROP_CAUSE(TX_NO_KEY, "tx", "no_key", NEIGH_QUEUEFULL)
/* More than this machine can seal. */
WG_DROP_CAUSE(TX_QUEUE_FULL, "tx", "queue_full", FULL_RING)
/* No memory for what is to be sent. */
WG_DROP_CAUSE(TX_NO_MEMORY, "tx", "no_memory", NOMEM)
/* None to the endpoint. */
WG_DROP_CAUSE(TX_NO_ROUTE, "tx", "no_route", IP_OUTNOROUTES)
/* No socket of the family, or the device was taken down, or the peer goes away. */
WG_DROP_CAUSE(TX_CLOSED, "tx", "closed", DEV_READY)
