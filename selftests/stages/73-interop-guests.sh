#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: against stock WireGuard in a second guest, both roles
# needs: two-guests interop core
# timeout: 300
exec bash "$(dirname "$0")/../interop/a.sh"
