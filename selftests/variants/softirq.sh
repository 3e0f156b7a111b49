# The whole suite with every device in the mode "softirq".
# shellcheck shell=bash disable=SC2034 # read by check.sh
WGI_MODE=softirq
