#!/bin/sh
# Joins the server that SERVER names, with the join token in TOKEN or in the file TOKEN_FILE. Does nothing on a machine that
# has joined one. What /etc/curfew/enroll.env says is forgotten, unless another try may do better: the server was out of reach
# (5), or the file is not whole yet (2).
set -u
code=0
if [ -e /var/lib/curfew/identity.json ]; then
  echo 'This machine is enrolled already: SERVER and TOKEN are not looked at.' >&2
elif [ -z "${SERVER:-}" ]; then
  echo 'SERVER is not set, as in SERVER=curfew.example.org:7443' >&2
  code=2
elif [ -n "${TOKEN_FILE:-}" ]; then
  /usr/bin/curfew-agent enroll --server "$SERVER" --token-file "$TOKEN_FILE" || code=$?
else
  CURFEW_JOIN_TOKEN=${TOKEN:-} /usr/bin/curfew-agent enroll --server "$SERVER" || code=$?
fi
case $code in 2 | 5) ;; *) rm -f /etc/curfew/enroll.env ;; esac
exit "$code"
