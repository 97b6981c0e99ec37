#!/bin/sh
# Rings extension {{sip}}, then dials the customer; lists the calls of the last day; hangs up. Needs curl alone.
set -eu
base='{{base}}'
voip='{{voip}}'
secret='{{secret}}'

ask() {
  path=$1
  shift
  curl -sS -m 60 -G "$base$path" --data-urlencode "voip=$voip" --data-urlencode "secret=$secret" "$@"
  echo
}

# The answer comes when the extension's phone rings: "call_status" is Success, Busy, Offline or Failed.
ask /dial --data-urlencode 'sip={{sip}}' --data-urlencode 'phone={{phone}}'

# 25 calls a page, newest first. For the next page add: --data-urlencode "start=<result.next of this one>"
now=$(date +%s)
ask /dial/search --data-urlencode "date_start=$((now - 86400))" --data-urlencode "date_end=$now"

ask /dial/hangup --data-urlencode 'sip={{sip}}' --data-urlencode 'phone={{phone}}'
