# shellcheck shell=bash disable=SC2034 # some are read by run.sh
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh for ON=host: the stages in the running kernel, in their own
# network namespaces. No guest, so nothing is asked of this machine beyond the
# module, which is unloaded again; the kernel log since the start is searched.

. "$HERE/lib/devices.sh"

host_refuses() {
	if [ -n "$(wireguard_devices)" ]; then
		echo "this machine has a WireGuard device; it is left alone"
	elif ! [ -e "/lib/modules/$(uname -r)/build" ]; then
		echo "no kernel headers: install linux-headers-$(uname -r)"
	fi
}

host_load() {
	local dependency

	[ ! -d /sys/module/wireguard ] || rmmod wireguard || return
	if [ -z "$MODULE" ]; then
		modprobe wireguard dyndbg=+p
		return
	fi
	for dependency in $(modinfo -F depends "$MODULE" | tr , ' '); do
		modprobe "$dependency" || return
	done
	insmod "$MODULE" dyndbg=+p
}

host_stage() {
	local name=$1 log=$RUNS/host.stage began=$SECONDS rc

	env WGI_KERNEL=host WGI_MODULE="$MODULE" WGI_MODE="$MODE" WGI_FACTOR=1 \
		WGI_EMULATED=0 timeout -k 10 "$(limit_of "$name")" \
		"$SUITE/stages/$name.sh" >"$log" 2>&1 </dev/null
	rc=$?
	case $rc in
	0) ktap_pass "host: $name" "$((SECONDS - began)) s" ;;
	4) ktap_skip "host: $name" "$(sed -n 's/^# SKIP *//p' "$log" | tail -n 1)" ;;
	*)
		tail -n 40 "$log" | sed 's/^/#   /'
		ktap_fail "host: $name" "exit status $rc, $((SECONDS - began)) s" ;;
	esac
}

host_run() {
	local why name log=$RUNS/host.kmsg

	TARGET=host LABEL=host SLOW=1 MODULE=''
	why=$(host_refuses)
	[ -z "$why" ] || { ktap_fail host "$why"; return; }
	if [ "$STOCK" = 0 ]; then
		copy_sources "$PROJECT" "$RUNS/module"
		make -C "$RUNS/module" module DEBUG=1 >"$RUNS/host.build" 2>&1 ||
			{ ktap_fail "host: build" "see $RUNS/host.build"; return; }
		MODULE=$RUNS/module/src/wireguard.ko
	fi
	SUITE=$(suite 2>"$RUNS/host.build") ||
		{ ktap_fail "host: programs" "see $RUNS/host.build"; return; }
	echo '<5>wgi: guest begins' >/dev/kmsg
	host_load || { ktap_fail "host: load-module"; return; }
	for name in $(all_stages); do
		selected "$name" || continue
		case ${TAGS[$name group]} in
		main | waits) host_stage "$name" ;;
		*) ktap_skip "host: $name" "needs a guest" ;;
		esac
	done
	if rmmod wireguard; then
		ktap_pass "host: unload-module"
	else
		ktap_fail "host: unload-module"
	fi
	dmesg | awk '/wgi: guest begins/ { out = "" } { out = out $0 "\n" }
		END { printf "%s", out }' >"$log"
	if why=$("$VM/scan.sh" "$log"); then
		ktap_pass "host: log-clean"
	else
		printf '%s\n' "$why" | sed 's/^/#   /'
		ktap_fail "host: log-clean" "see $log"
	fi
}
