#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: ECN goes into the outer header and comes out of it (RFC 6040); the inner
#       DSCP does not show; handshakes are AF41
# needs: core ipv6
# shellcheck source-path=SCRIPTDIR source=../lib/net.sh
. "$(dirname "$(readlink -f "$0")")/../lib/net.sh"

# outer_of INNER-TOS: what may be outside (full functionality: CE goes out as
# ECT(0), RFC 3168; as CE, RFC 6040)
outer_of() {
	case $(($1 & 3)) in
	3) echo "[23]" ;;
	*) echo $(($1 & 3)) ;;
	esac
}

# goes_in WHAT: fresh sessions, so that the handshake is seen too
goes_in() {
	local inner wanted=() seen
	wg_set "$left" wg1 peer "${PUB[2]}" remove
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$1:5102" \
		allowed-ips 10.70.0.2/32,fd70::2/128
	watch_outer "$left" w1 "$SCRATCH/outer"
	for inner in 0 1 2 3 184 185 186 187 252 255; do
		ping_ok "TOS $inner" "$left" 10.70.0.2 -Q $inner
		ping_ok "TOS $inner, v6" "$left" fd70::2 -Q $inner
		wanted+=("$(outer_of $inner)" "$(outer_of $inner)")
	done
	unwatch
	expect "TOS of the initiation to $1" 136 "$(awk '$8 == 1 { print $6 }' \
		"$SCRATCH/outer")"
	expect "TOS of the response from $1" 136 "$(awk '$8 == 2 { print $6 }' \
		"$SCRATCH/outer")"
	seen=$(awk '$1 == "out" && $8 == 4 { print $6 }' "$SCRATCH/outer" |
		tr '\n' ' ')
	expect_match "outer TOS to $1" "^${wanted[*]} $" "$seen"
}

# inside OUTER INNER: what may come out. CE on what knows no ECN is no loss, as some
# paths write into these bits what they like.
inside() {
	case $1$2 in
	*0) echo 0 ;;
	3?) echo 3 ;;
	12) echo "[12]" ;;
	*) echo "$2" ;;
	esac
}

# comes_out HOST TARGET: through somebody in between who marks
comes_out() {
	local outer inner address seen wanted
	echo 0 >"$SCRATCH/tos"
	bg_ns "$left" python3 "$WGI_LIB/net.py" relay "$1@6000" "$2@5102" \
		"$SCRATCH/tos" >"$SCRATCH/relay"
	await 20 "the relay" grep -qs ready "$SCRATCH/relay"
	wg_set "$left" wg1 peer "${PUB[2]}" endpoint "$3:6000"
	ping_ok "by the relay" "$left" 10.70.0.2
	watch_outer "$right" wg2 "$SCRATCH/inner" inner
	for outer in 0 1 2 3; do
		echo $outer >"$SCRATCH/tos"
		for inner in 0 1 2 3; do
			for address in 10.70.0.2 fd70::2; do
				# lost is an answer too; the length tells which
				in_ns "$left" ping -q -n -c 1 -W 0.3 -Q $inner \
					-s $((100 + outer * 10 + inner)) \
					$address >/dev/null || :
			done
		done
	done
	unwatch
	for outer in 0 1 2 3; do
		for inner in 0 1 2 3; do
			for head in 28 48; do
				seen=$(awk -v size=$((head + 100 + outer * 10 + \
					inner)) -v v6=$((head == 48)) '
					$1 == "in" && $5 == size &&
					(index($2, ":") > 0) == v6 {
						print $4; n++ }
					END { if (!n) print "lost" }' \
					"$SCRATCH/inner")
				wanted=$(inside $outer $inner)
				expect_match "inner ECN $inner under outer\
 $outer by $2, header of $head" "^$wanted$" "$seen"
			done
		done
	done
}

need python3
need_ipv6
wire_pair
goes_in 192.0.2.2
goes_in "[2001:db8::2]"
comes_out 192.0.2.1 192.0.2.2 192.0.2.1
comes_out 2001:db8::1 2001:db8::2 "[2001:db8::1]"
