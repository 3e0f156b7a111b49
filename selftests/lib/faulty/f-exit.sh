#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# what: fails by its exit status
# timeout: 20
echo "this is what it said"; exit 1
