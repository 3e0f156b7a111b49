#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cat <<'TEXT'
make module        src/wireguard.ko for the running kernel, or for
                   KVER=<release> or KDIR=<its headers>; ARCH=um for
                   user-mode-linux; DEBUG=1 with self-tests and more checks
make tools         tools/out/wg-inline, the companion command
make install       both, the module into updates/ of that kernel's modules
make dkms-install  build and install now and with each new kernel (root)
make dkms-remove   back to the kernel's own module (root)
make demo          two gateways, four tunnels, a table (root)
make check         the tests, in throw-away guests (root)
make check-all     all of them on every kernel, in every mode: hours
make check-debug   the tests on debug kernels: most of a day
make bench         measure
make bench-cpus    how the receiving end of eight tunnels uses its CPUs:
                   bars, and blackhole.svg
make lint          style, static checks and warnings, every kernel
make clean         remove what was built
TEXT
