#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: is skipped
# timeout: 20
echo "# SKIP for a reason"; exit 4
