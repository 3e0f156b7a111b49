# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by the stages that unload the module. WGI_RELOAD is the command that
# loads it. In a guest of the runner it follows from WGI_KERNEL and WGI_MODULE;
# elsewhere, without it, the module stays.

if [ -z "${WGI_RELOAD:-}" ] && [ -n "${WGI_KERNEL:-}" ]; then
	WGI_RELOAD="modprobe wireguard"
	[ -z "${WGI_MODULE:-}" ] || WGI_RELOAD="insmod $WGI_MODULE"
fi

# may_unload: or the stage ends here, with what it has shown so far.
# User-mode-linux leaves KASAN's marks of a module's variables behind when it is
# unloaded, and its own loader trips over them the next time.
may_unload() {
	if grep -qs "User Mode Linux" /proc/cpuinfo &&
		grep -q " kasan_report" /proc/kallsyms; then
		echo "# the module was not unloaded: KASAN cannot bear it here"
		exit 0
	fi
	if [ -z "${WGI_RELOAD:-}" ]; then
		echo "# the module itself was left alone: no WGI_RELOAD"
		exit 0
	fi
}
