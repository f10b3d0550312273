#!/bin/bash
# A private rsyslogd on a private socket, for tests.
set -euo pipefail

usage() {
    cat <<'END'
Usage: rsyslog.sh start DIR [default|rfc5424|journal]   start one that serves DIR/log
       rsyslog.sh stop DIR                              stop it; what it received is in DIR by then
       rsyslog.sh run DIR MODE COMMAND...               start, run the command, stop; its exit status

  default   imuxsock as a distribution's rsyslog.conf loads it
  rfc5424   imuxsock without its special parser, so that RFC 5424 messages are taken apart
  journal   beside imuxsock imjournal, which reads the journal's files

DIR is made when missing. In it: traditional (the default file format), raw (as received), msg (the MSG part alone),
fields (PRI, programname, app-name, msgid, structured data, procid; tab-separated). As on Debian, DIR/rsyslog.d/*.conf
are read too. Exit status 77: there is no rsyslogd.
END
}

configuration() {
    local dir=$1 mode=$2
    case $mode in
    default | journal)
        printf 'module(load="imuxsock" SysSock.Name="%s/log")\n' "$dir"
        [[ $mode != journal ]] || printf 'module(load="imjournal" StateFile="imjournal")\n'
        ;;
    rfc5424)
        printf 'module(load="imuxsock" SysSock.Use="off")\n'
        printf 'input(type="imuxsock" Socket="%s/log" UseSpecialParser="off")\n' "$dir"
        ;;
    *)
        echo "rsyslog.sh: no mode '$mode'" >&2
        return 2
        ;;
    esac
    cat <<END
global(workDirectory="$dir/spool")
template(name="raw" type="string" string="%rawmsg%\n")
template(name="msg" type="string" string="%msg%\n")
template(name="fields" type="string" string="%pri%\t%programname%\t%app-name%\t%msgid%\t%structured-data%\t%procid%\n")
authpriv.* action(type="omfile" file="$dir/raw" template="raw")
authpriv.* action(type="omfile" file="$dir/msg" template="msg")
authpriv.* action(type="omfile" file="$dir/fields" template="fields")
authpriv.* action(type="omfile" file="$dir/traditional" template="RSYSLOG_TraditionalFileFormat")
*.* action(type="omfile" file="$dir/all" template="raw")
include(file="$dir/rsyslog.d/*.conf" mode="optional")
END
}

wait_until() { # tenths of a second, then a condition
    local tenths=$1
    shift
    while ((tenths-- > 0)); do
        if "$@"; then
            return 0
        fi
        sleep 0.1
    done
    return 1
}

# Whoever adopted it may take its time to collect it: a zombie is gone.
gone() { ! kill -0 "$1" 2>/dev/null || [[ $(cat "/proc/$1/stat" 2>/dev/null) == *") Z "* ]]; }

find_rsyslogd() { PATH="$PATH:/usr/sbin:/sbin" command -v rsyslogd; }

start() {
    local dir=$1 mode=${2:-default} rsyslogd
    if ! rsyslogd=$(find_rsyslogd); then
        echo "rsyslog.sh: no rsyslogd on this machine (package rsyslog)" >&2
        return 77
    fi
    mkdir -p "$dir/spool"
    dir=$(cd "$dir" && pwd -P)
    configuration "$dir" "$mode" >"$dir/rsyslog.conf"
    "$rsyslogd" -n -f "$dir/rsyslog.conf" -i "$dir/pid" >"$dir/rsyslogd.out" 2>&1 </dev/null &
    if ! wait_until 100 test -S "$dir/log" || ! wait_until 100 test -s "$dir/pid"; then
        echo "rsyslog.sh: rsyslogd does not come up:" >&2
        cat "$dir/rsyslogd.out" >&2
        kill "$!" 2>/dev/null || true
        return 1
    fi
}

stop() {
    local dir=$1 pid
    if ! pid=$(cat "$dir/pid" 2>/dev/null); then
        echo "rsyslog.sh: nothing runs in $dir" >&2
        return 1
    fi
    kill "$pid" 2>/dev/null || true
    if ! wait_until 100 gone "$pid"; then
        echo "rsyslog.sh: rsyslogd ($pid) does not end" >&2
        kill -KILL "$pid"
        return 1
    fi
}

run() {
    local dir=$1 mode=$2 status=0
    shift 2
    start "$dir" "$mode"
    "$@" || status=$?
    stop "$dir"
    return "$status"
}

command=${1:-}
case $command in
start | stop | run)
    if (($# < 2)) || { [[ $command == run ]] && (($# < 4)); }; then
        usage >&2
        exit 2
    fi
    shift
    "$command" "$@"
    ;;
-h | --help)
    usage
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
