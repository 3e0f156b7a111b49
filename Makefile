# SPDX-License-Identifier: GPL-2.0
#
# make help shows what there is to make.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
SOURCE := /usr/src/wireguard-inline-$(VERSION)
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR)/src
# What objects depend on besides their source.
BUILT_FOR = $(realpath $(KDIR)) $(ARCH) $(CC) $(LLVM) $(DEBUG) \
	    $(file <$(KDIR)/include/config/kernel.release)

# A package that is made with DESTDIR has the module in it.
export INSTALL_MOD_PATH ?= $(DESTDIR)

.PHONY: help module tools install dkms-source dkms-install dkms-remove demo check \
	check-all check-debug bench bench-cpus lint clean clean-module

help:
	@sh tools/build/help.sh

module:
	@sh tools/build/probe.sh $(KDIR) >/dev/null
	@[ "$(BUILT_FOR)" = "$$(cat src/.built-for 2>/dev/null)" ] || \
		{ $(MAKE) -s clean-module && echo "$(BUILT_FOR)" >src/.built-for; }
	$(KBUILD) modules

tools:
	@$(MAKE) --no-print-directory -C tools

install: module
	$(KBUILD) INSTALL_MOD_DIR=updates modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) \
		$(file <$(KDIR)/include/config/kernel.release)
	$(MAKE) --no-print-directory tools
	$(MAKE) -C tools install DESTDIR=$(or $(DESTDIR),$(INSTALL_MOD_PATH))

# What DKMS needs of the tree, and no object of another kernel.
dkms-source:
	rm -rf $(SOURCE)
	mkdir -p $(SOURCE)/tools
	cp -r dkms.conf Makefile LICENSE include src $(SOURCE)/
	cp -r tools/build $(SOURCE)/tools/
	$(MAKE) -s -C $(SOURCE) clean

dkms-install:
	@sh tools/build/probe.sh $(KDIR) >/dev/null
	@sh tools/build/dkms.sh install $(KVER) $(VERSION)

dkms-remove:
	@sh tools/build/dkms.sh remove $(KVER) $(VERSION)

demo:
	selftests/demo.sh

check:
	selftests/check.sh

check-all:
	selftests/check.sh --all

check-debug:
	selftests/check.sh --debug

bench:
	selftests/bench/bench.sh

bench-cpus:
	selftests/bench/blackhole.sh

lint:
	tools/build/lint.sh

# DKMS has a part of the tree only.
clean: clean-module
	$(if $(wildcard tools/Makefile),$(MAKE) -s -C tools clean)

clean-module:
	find src -name '*.o' -o -name '*.ko' -o -name '*.mod' -o \
		-name '*.mod.c' -o -name '.*.cmd' -o -name '*.symvers' -o \
		-name modules.order -o -name .built-for -o -name '*.d' \
		-o -name '.*.d' | xargs -r rm -f
