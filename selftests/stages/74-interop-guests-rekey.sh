#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: against stock in a second guest: keys are renewed by age, both roles
# needs: two-guests interop slow waits once
# timeout: 600
export WGI_REKEY=1
exec bash "$(dirname "$0")/../interop/a.sh"
