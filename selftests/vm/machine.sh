# shellcheck shell=bash disable=SC2034,SC2086 # MACHINE_… are the callers'
# SPDX-License-Identifier: GPL-2.0
#
# Sourced by check.sh and demo.sh: machines to run things in.
#
#   machine_get TARGET         kernel of that target, made on first use
#   machine_build TARGET DIR   the module for it, built in DIR; prints the .ko
#   machine_start TARGET RUN   boot a guest on the run's directory RUN; PID in
#                              MACHINE_PID; it ends by itself, or is killed
#   machine_end PID            kill one that does not end by itself
#
# TARGET is uml (debug kernel 7.x as a process of this machine), 6.1, 6.1-rt, 6.12
# or 7.2 (Debian's kernels in QEMU), debug-6.1 or debug-7 (debug kernels in QEMU).
#
# The run's directory holds guest.env, stages and a copy of selftests/ (see
# guest.sh) and receives console, kmsg and events.
#
# Set before machine_start: MACHINE_CPUS (2), MACHINE_MEM (1024, in MB),
# MACHINE_APPEND (kernel command line), MACHINE_CABLE (listen:PATH or
# connect:PATH, two guests joined by cables).

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${WGI_CACHE:-/var/cache/wireguard-inline}
PROJECT=$(cd "$VM/../.." && pwd)
QEMU=qemu-system-x86_64
# shellcheck source-path=SCRIPTDIR source=sources.sh
. "$VM/sources.sh"
# What a guest cannot reach its root and its host without.
GUEST_MODULES="virtio_pci virtio_console 9pnet_virtio 9p overlay virtio_net"
MACHINE_PID=

machine_say() { echo "machine: $*" >&2; }

# machine_get TARGET: prints a directory with release, vmlinuz or linux,
# modules/ and, for QEMU, root/.
machine_get()
{
	case $1 in
	uml) "$VM/../uml/build.sh" ;;
	debug-*) "$VM/debug.sh" "${1#debug-}" ;;
	*) "$VM/roots.sh" "$1" ;;
	esac
}

# machine_build TARGET DIR [make's arguments]
machine_build()
{
	local target=$1 dir=$2 kernel

	shift 2
	case $target in
	uml | debug-*)
		kernel=$(machine_get "$target") || return
		copy_sources "$PROJECT" "$dir" || return
		[ "$target" != uml ] || set -- ARCH=um "$@"
		make -C "$dir" module KDIR="$kernel/obj" "$@" >&2 || return
		echo "$dir/src/wireguard.ko"
		;;
	*)
		"$VM/roots.sh" build "$target" "$dir" "$@"
		;;
	esac
}

# ----------------------------------------------------------- initramfs --

# initramfs TARGET: prints the path of one with the modules that it needs.
initramfs()
{
	local target=$1 kernel image stamp dir

	kernel=$(machine_get "$target") || return
	stamp=$(cat "$VM/init" "$VM/machine.sh" "$kernel/release" |
		sha256sum | cut -c1-12)
	image=$CACHE/initramfs-$target-$stamp.gz
	if [ ! -e "$image" ]; then
		dir=$(mktemp -d) || return
		fill_initramfs "$target" "$kernel" "$dir" &&
			(cd "$dir" && find . | cpio -o -H newc --quiet |
				gzip -1) >"$image.$$" || return
		rm -rf "$dir"
		mv "$image.$$" "$image"
		prune_initramfs "$target" "$image"
	fi
	echo "$image"
}

# prune_initramfs TARGET IMAGE: those of other versions that nobody has read for a
# day; another checkout may use its own.
prune_initramfs()
{
	find "$CACHE" -maxdepth 1 -name "initramfs-$1-????????????.gz" \
		! -path "$2" -atime +0 -mtime +0 -delete
}

fill_initramfs()
{
	local target=$1 kernel=$2 dir=$3

	mkdir -p "$dir"/{bin,dev,proc,sys,lower,over,new,share,modules}
	cp /bin/busybox "$dir/bin/busybox"
	cp "$VM/init" "$dir/init"
	chmod 755 "$dir/init"
	: >"$dir/modules/order"
	[ "$target" = uml ] || add_modules "$kernel" "$dir/modules"
}

# add_modules KERNEL DIR: with what they need, in the order to load them in,
# uncompressed. What is built into the kernel is not there to be copied.
add_modules()
{
	local kernel=$1 dir=$2 base release module word file name

	release=$(<"$kernel/release")
	base=$(readlink -f "$kernel/modules")
	base=${base%/lib/modules/*}
	for module in $GUEST_MODULES; do
		modprobe -d "$base" -S "$release" --show-depends "$module" ||
			return
	done | while read -r word file _; do
		[ "$word" = insmod ] || continue
		name=$(basename "$file")
		name=${name%.xz}
		grep -qxF "$name" "$dir/order" && continue
		case $file in
		*.xz) xz -dc "$file" >"$dir/$name" ;;
		*) cp "$file" "$dir/$name" ;;
		esac
		echo "$name" >>"$dir/order"
	done
}

# -------------------------------------------------------------- accelerator --

# accelerator: kvm when a kernel really starts under it, else tcg. A /dev/kvm
# that is there but hangs is common on rented machines.
accelerator()
{
	local kernel=$1 image=$2 note log

	note=$CACHE/accelerator-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$note" ]; then
		echo tcg >"$note.$$"
		if [ -w /dev/kvm ]; then
			log=$(timeout -k 1 15 $QEMU -accel kvm -cpu host -m 256 \
				-nographic -nodefaults -no-reboot -serial stdio \
				-kernel "$kernel/vmlinuz" -initrd "$image" \
				-append 'console=ttyS0 wgi.share=probe' \
				</dev/null 2>&1)
			case $log in
			*'wgi-init: probed'*) echo kvm >"$note.$$" ;;
			*) machine_say "/dev/kvm does not run a kernel here" \
				"within 15 s: emulating" ;;
			esac
		fi
		mv "$note.$$" "$note"
	fi
	cat "$note"
}

# machine_emulated TARGET: is what a clock says in it not to be believed?
machine_emulated()
{
	[ "$1" != uml ] && [ "$(accelerator "$(machine_get "$1")" \
		"$(initramfs "$1")")" = tcg ]
}

# -------------------------------------------------------------- starting --

start_uml()
{
	local kernel=$1 image=$2 run=$3

	TMPDIR=$(shm_or_tmp) setsid "$kernel/linux" seccomp=on \
		ncpus="${MACHINE_CPUS:-2}" mem="${MACHINE_MEM:-1024}M" \
		initrd="$image" con=null con0=fd:0,fd:1 \
		loglevel=7 log_buf_len=16M \
		wgi.share=hostfs wgi.root=/ wgi.run="$run" \
		wgi.modules="$(readlink -f "$kernel/modules")" \
		${MACHINE_APPEND:-} </dev/null >"$run/console" 2>&1 &
	MACHINE_PID=$!
}

# The memory of a user-mode-linux is a file: better one that is in memory.
shm_or_tmp()
{
	[ -w /dev/shm ] && echo /dev/shm || echo /tmp
}

# cable_options: the network cards of a guest with a neighbour.
cable_options()
{
	local cable=${MACHINE_CABLE:-} path server=off n=02 card

	path=${cable#*:}
	case $cable in
	listen:*) server=on n=01 ;;
	connect:*) ;;
	*) return ;;
	esac
	for card in ctl:0c link:0d; do
		echo "-netdev stream,id=${card%:*},server=$server,addr.type=unix,addr.path=$path.${card%:*}"
		echo "-device virtio-net-pci,netdev=${card%:*},mac=52:54:00:00:${card#*:}:$n,romfile="
	done
}

start_qemu()
{
	local kernel=$1 image=$2 run=$3 accel cpu='host' extra=''
	local -a options

	accel=$(accelerator "$kernel" "$image") || return
	# What is emulated is translated once for each address that it is seen at:
	# with programs at addresses that change, at each start of each of them,
	# which is most of what a guest would do. Its CPUs share one clock.
	if [ "$accel" = tcg ]; then
		accel=tcg,thread=multi
		cpu=max extra='norandmaps tsc=reliable '
	fi
	[ -e "$kernel/root/lib/modules/$(<"$kernel/release")/modules.dep" ] ||
		extra+="wgi.modules=$(readlink -f "$kernel/modules")"
	mapfile -t options < <(cable_options | tr ' ' '\n')
	setsid $QEMU -accel "$accel" -cpu "$cpu" -smp "${MACHINE_CPUS:-2}" \
		-m "${MACHINE_MEM:-1024}" -nodefaults -nographic -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$image" \
		-serial file:"$run/console" \
		-fsdev local,id=root,path="$(readlink -f "$kernel/root")",security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev local,id=run,path="$run",security_model=none,readonly=on \
		-device virtio-9p-pci,fsdev=run,mount_tag=run \
		-device virtio-serial-pci \
		-chardev file,id=events,path="$run/events" \
		-device virtserialport,chardev=events,name=wgi.events \
		-chardev file,id=kmsg,path="$run/kmsg" \
		-device virtserialport,chardev=kmsg,name=wgi.kmsg \
		"${options[@]}" \
		-append "console=ttyS0 loglevel=7 log_buf_len=16M panic=-1 wgi.share=9p $extra ${MACHINE_APPEND:-}" \
		</dev/null >"$run/qemu.log" 2>&1 &
	MACHINE_PID=$!
}

machine_start()
{
	local target=$1 run=$2 kernel image

	kernel=$(machine_get "$target") || return
	image=$(initramfs "$target") || return
	: >"$run/console"
	: >"$run/kmsg"
	: >"$run/events"
	if [ "$target" = uml ]; then
		start_uml "$kernel" "$image" "$run"
	else
		start_qemu "$kernel" "$image" "$run"
	fi
}

# Everything that a machine started is in its process group. What wait says is the
# signal, which is no failure, also to a script that ends at the first one.
machine_end()
{
	if [ -n "$1" ] && kill -KILL -- "-$1" 2>/dev/null; then
		wait "$1" 2>/dev/null || return 0
	fi
}
