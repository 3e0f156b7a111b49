#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# files.sh WG-INLINE: files good and bad, keys, and the command line, as anybody,
# without WireGuard. KTAP on standard output.

shopt -s lastpipe # the last command of a pipeline counts results
TOOL=$1
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
KEY1=+C3tiK4XvUAmZGh6K4SR3VJ5oYCPuwDObMZbI5EX+Wg=
PUBLIC1=QyUzYAEWusYtco5lAPtQuHSFVQPVy8nYlR/cnUgO9Sw=
PUBLIC2=1LK7MJccZooSdypbW4/4ch0nx9UU2XKfNk4nlH6S5Ts=
number=0 failed=0

result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=$((failed + 1))
	fi
}

# accepted WHAT: the file on standard input
accepted() {
	cat >"$WORK/dc1.conf"
	"$TOOL" bundle keygen "$WORK/dc1.conf" -n 2 >"$WORK/said" 2>&1
	result $? "$1"
	[ -s "$WORK/said" ] || result 1 "$1: output"
}

# refused WHAT LINE REGEX: with the number of the line, in one sentence
refused() {
	local line=${2:+:$2}
	cat >"$WORK/dc1.conf"
	wrong "$1" "^wg-inline: $WORK/dc1.conf$line: .*$3" \
		bundle keygen "$WORK/dc1.conf" -n 2
}

# wrong WHAT REGEX ARGUMENTS…
wrong() {
	local what=$1 regex=$2 status
	shift 2
	"$TOOL" "$@" >"$WORK/said" 2>"$WORK/error"
	status=$?
	[ $status = 1 ] && [ ! -s "$WORK/said" ] &&
		[ "$(wc -l <"$WORK/error")" = 1 ] &&
		[[ $(<"$WORK/error") =~ $regex ]]
	result $? "$what"
	[ "$failed" = 0 ] || sed "s/^/# status $status: /" "$WORK/error"
}

interface() {
	printf '[Interface]\nPrivateKey = %s\n' "$KEY1"
	printf '%b' "$@"
}

peer() {
	interface '[Peer]\n' "PublicKey = $PUBLIC2\n" "$@"
}

echo "KTAP version 1"
interface | accepted "the least that there can be"
accepted "everything that there can be" <<-END
	# a comment
	[Interface]   # of the file
	PrivateKey=$KEY1
	  address = 10.0.0.1/24, fd00::1/64
	Address = 10.0.1.1
	LISTENPORT = 51820
	FwMark = 0xca6c
	MTU = 1400
	DNS = 192.0.2.53, example
	Table = 1234
	PreUp = true
	PostUp = iptables -A FORWARD -i %i -j ACCEPT; echo a = b
	PreDown = true
	PostDown = true
	SaveConfig = false

	[Peer]
	PublicKey = $PUBLIC2
	PresharedKey = $KEY1
	AllowedIPs = 0.0.0.0/0, ::/0
	AllowedIPs =
	Endpoint = vpn.example:51820
	PersistentKeepalive = 25
	# wg-inline: 51821:$PUBLIC1 0:$PUBLIC2
	[peer]
	PublicKey = $PUBLIC1
	AllowedIPs = 10.1.0.0/16,,10.2.0.0/16
	PersistentKeepalive = off
	#wg-inline: 51821:$PUBLIC1
END
interface 'Table = off\nFwMark = off\r\n\r\n' | accepted "off, and line ends of DOS"
printf '[Interface]\nPrivateKey = %s' "$KEY1" | accepted "no end of the last line"

# As wg-quick takes them.
interface 'Address =\nDNS =\nMTU =\nTable =\nPreUp =\nPostUp =\nPreDown =\nPostDown =\n' |
	accepted "fields that were not filled in"
interface 'Address = 10.0.0.1/24 fd00::1/64\tfd00::2/64, 10.0.0.2/24\n' |
	accepted "addresses between blanks"
interface 'SaveConfig = True\n' | accepted "a capital letter"

: | refused "an empty file" "" "no PrivateKey"
echo "[Interface]" | refused "no key" "" "no PrivateKey"
echo "PrivateKey = x" | refused "no section" 1 "PrivateKey comes before any section"
echo "[interfaces]" | refused "an unknown section" 1 "unknown section"
interface 'Adress = 10.0.0.1\n' | refused "a typing error" 3 "Adress is not known in .Interface."
interface 'PublicKey = x\n' | refused "a peer's value" 3 "PublicKey is not known"
peer 'ListenPort = 1\n' | refused "an interface's value" 5 "ListenPort is not known in .Peer."
interface 'MTU\n' | refused "no value at all" 3 "Name = value"
interface 'ListenPort =\n' | refused "an empty value" 3 "ListenPort has no value"
interface 'SaveConfig =\n' | refused "an empty value" 3 "SaveConfig has no value"
interface 'AllowedIPs =\n' | refused "an empty value" 3 "AllowedIPs has no value"
peer 'PostUp =\n' | refused "an empty value" 5 "PostUp has no value"
interface 'MTU = 67\n' | refused "an MTU" 3 "MTU must be a number"
interface 'MTU = 1e3\n' | refused "an MTU" 3 "MTU must be a number"
interface 'ListenPort = 65536\n' | refused "a port" 3 "ListenPort must be a port"
interface 'ListenPort = -1\n' | refused "a port" 3 "ListenPort must be a port"
interface 'FwMark = 0x\n' | refused "a mark" 3 "FwMark must be off or"
interface 'FwMark = 4294967296\n' | refused "a mark" 3 "FwMark must be off or"
interface 'Table = mine\n' | refused "a table" 3 "Table must be auto, off"
interface 'Table = 0\n' | refused "a table" 3 "Table must be auto, off"
interface 'SaveConfig = yes\n' | refused "neither true nor false" 3 "true or false"
interface 'Address = 10.0.0.1/33\n' | refused "a prefix" 3 "Address must be a list"
interface 'PrivateKey = x\n' | refused "a key" 3 "PrivateKey must be a key"
interface '[Peer]\n\n' | refused "a peer without a key" 3 "no PublicKey"
peer 'Endpoint = ::1:51820\n' | refused "an endpoint" 5 "Endpoint must be host:port"
peer 'Endpoint = a:0\n' | refused "an endpoint" 5 "Endpoint must be host:port"
peer 'AllowedIPs = 10.0.0.0/8 10.1.0.0/8\n' | refused "allowed IPs" 5 "AllowedIPs must be a list"
peer 'PersistentKeepalive = 65536\n' | refused "a keepalive" 5 "PersistentKeepalive must be"
peer "# wg-inline: $PUBLIC1\n" | refused "a member without a port" 5 "port:key"
peer '# wg-inline: 1:abc\n' | refused "a member without a key" 5 "port:key"
peer "# wg-inline: 65536:$PUBLIC1\n" | refused "a member's port" 5 "port:key"
interface "# wg-inline: 1:$PUBLIC1\n" | refused "members of nobody" 3 "belongs into"
peer "# wg-inline:$(yes " 1:$PUBLIC1" | head -n 32 | tr -d '\n')\n" |
	refused "too many members" 5 "more tunnels than"
printf '[Interface]\n\0PrivateKey = a' | refused "a binary file" "" "no text"
interface 'ListenPort = 65535\n' | refused "no ports left" "" "no 2 ports from"
interface '\e[31m = 1\n' | refused "an escape sequence" 3 "is not known"
! grep -q $'\e' "$WORK/error"
result $? "escape sequences are not repeated"
wrong "no such file" "cannot read .*: No such file" bundle keygen "$WORK/none" -n 2
wrong "a directory" "cannot read .*: Is a directory" bundle keygen "$WORK" -n 2
for n in 0 1 33 -1 x ""; do
	wrong "$n tunnels" "2 to 32 tunnels, not $n" bundle keygen "$WORK/dc1.conf" -n "$n"
done
wrong "a bundle without a name" "standard input has no name" bundle up -
wrong "a bundle without a name" "standard input has no name" bundle down -
wrong "no verb" "usage: wg-inline bundle" bundle
wrong "an unknown verb" "usage: wg-inline bundle" bundle explode "$WORK/dc1.conf" -n 2
wrong "no file" "usage: wg-inline bundle" bundle export -n 2
wrong "spread what is not up" "usage: wg-inline bundle" bundle down --spread "$WORK/dc1.conf"
wrong "spread by number" "usage: wg-inline bundle" bundle spread -n 2 "$WORK/dc1.conf"
wrong "no number" "usage: wg-inline bundle" bundle export "$WORK/dc1.conf" -n

# Keys: as hashlib and wg make them; and what is exported can be read.
interface 'ListenPort = 51820\n' >"$WORK/dc1.conf"
for n in 1 2 3 4; do
	key=$("$HERE/derive.py" $KEY1 $n)
	printf '%u\t%u\t%s\n' $n $((51819 + n)) "$(wg pubkey <<<"$key")"
done >"$WORK/wanted"
"$TOOL" bundle keygen "$WORK/dc1.conf" -n 4 | cmp - "$WORK/wanted"
result $? "keygen: keys and ports"
"$TOOL" bundle keygen - -n 4 <"$WORK/dc1.conf" | cmp - "$WORK/wanted"
result $? "keygen: from standard input"
awk 'NR > 1 { line = line " " $2 ":" $3 } END { print "# wg-inline:" line }' \
	"$WORK/wanted" >"$WORK/line"
"$TOOL" bundle export "$WORK/dc1.conf" -n 4 | cmp - "$WORK/line"
result $? "export: the same in a line"
! "$TOOL" bundle keygen "$WORK/dc1.conf" -n 4 | grep -qF "$KEY1"
result $? "no private key is printed"
interface | "$TOOL" bundle export - -n 2 | grep -q '^# wg-inline: 0:'
result $? "export: any port"
peer "$(<"$WORK/line")\n" | accepted "what export printed, in the other end's file"
interface >"$WORK/dc1.conf"
"$TOOL" bundle down "$WORK/dc1.conf" | grep -qx 'dc1 is down already'
result $? "neither ListenPort nor a number of tunnels"
! "$TOOL" bundle keygen "$WORK/dc1.conf" -n 4 >/dev/full 2>&1
result $? "a full disk is an error"

echo "1..$number"
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
