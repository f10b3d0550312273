#!/bin/bash
# What a real rsyslogd makes of our messages: each finding's JSON arrives whole, however its socket is configured.
set -euo pipefail

if (($# != 2)) || [[ $1 == -h || $1 == --help ]]; then
    echo "Usage: rsyslog_test.sh SEND_FINDINGS RSYSLOG_SH   exit status 77: no rsyslogd (1 where CI=true)"
    exit 2
fi
send_findings=$1
rsyslog_sh=$2
count=160
scratch=$(mktemp -d)

cleanup() {
    for pid in "$scratch"/*/pid; do
        if [[ -e $pid ]]; then
            "$rsyslog_sh" stop "${pid%/pid}" || true
        fi
    done
    rm -rf "$scratch"
}
trap cleanup EXIT

check() { # a description, what was expected, what came
    if ! cmp -s "$2" "$3"; then
        echo "FAILED: $1"
        diff "$2" "$3" | cut -c1-300 | head -n 6
        exit 1
    fi
}

for mode in default rfc5424; do
    for form in rfc5424 cee; do
        dir=$scratch/$mode-$form
        status=0
        "$rsyslog_sh" run "$dir" "$mode" "$send_findings" "$dir/log" "$form" "$count" "$scratch/sent" || status=$?
        if ((status == 77)); then
            echo "SKIPPED: no rsyslogd"
            [[ ${CI:-} == true ]] && exit 1
            exit 77
        fi
        ((status == 0))

        # From the first brace on, each line is the JSON that was sent: in rsyslog's default file format, in the MSG part alone.
        for file in traditional msg; do
            sed 's/^[^{]*//' "$dir/$file" >"$scratch/received"
            check "$form through $mode, $file" "$scratch/sent" "$scratch/received"
        done

        if [[ $mode == rfc5424 && $form == rfc5424 ]]; then
            check "MSG is nothing but the JSON" "$scratch/sent" "$dir/msg"
            cut -f 2-4 "$dir/fields" | sort -u >"$scratch/received"
            printf 'luatrail\tluatrail\tfinding\n' >"$scratch/expected"
            check "RFC 5424 fields" "$scratch/expected" "$scratch/received"
            head -n 1 "$dir/fields" | cut -f 1,5 >"$scratch/received"
            printf '82\t%s\n' '[luatrail@32473 id="5b0c1f0e9a7d3c42" severity="critical" verdict="unexpected" origin="script" profile="luajit" uid="33"]' \
                >"$scratch/expected"
            check "structured data" "$scratch/expected" "$scratch/received"
        fi
        if [[ $form == cee ]]; then
            cut -f 2 "$dir/fields" | sort -u >"$scratch/received"
            echo luatrail >"$scratch/expected"
            check "the tag of cee through $mode" "$scratch/expected" "$scratch/received"
        fi
        echo "ok: $form through $mode"
    done
done
