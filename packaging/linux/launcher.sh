#!/bin/sh
# Starts the agent: the package's, or a newer version that came from the server (see docs/updates.md). Such versions are in
# VERSIONS, each in a folder of its name, beside files that are replaced whole:
#   chosen   the version to be tried            starts   VERSION COUNT: how often it was started on trial
#   proved   the newest one that does its work  bad      VERSION REASON: the last one that was given up
# A version on trial that ends three times, or has not proved itself in time, is given up, and what ran before runs again. That
# is decided here, by the package, and not by the version that may be at fault.
LIB=@LIB@
VERSIONS=/var/lib/curfew/versions
PATH=/usr/sbin:/usr/bin:/sbin:/bin

# The first word of a file, if it is a version.
version_in() {
  first=
  [ ! -r "$VERSIONS/$1" ] || read -r first rest <"$VERSIONS/$1" || :
  case $first in *[!0-9.]* | *.*.*.* | .* | *. | *..*) ;; *.*.*) echo "$first" ;; esac
}

# Whether version $1 is newer than $2; every version is newer than none.
newer() {
  [ -n "$1" ] && [ "$1" != "$2" ] &&
    [ "$(printf '%s\n%s\n' "$1" "${2:-0.0.0}" | sort -t . -k 1,1n -k 2,2n -k 3,3n | tail -n 1)" = "$1" ]
}

# Whether a version is there, and nobody but root could have written anything of it.
sound() {
  [ -x "$VERSIONS/$1/node" ] && [ -f "$VERSIONS/$1/program/curfew-agent.js" ] &&
    [ -z "$(find "$VERSIONS" "$VERSIONS/$1" -prune \( -type l -o ! -user 0 -o -perm -0002 -o -perm -0020 \) 2>&1)" ] &&
    [ -z "$(find "$VERSIONS/$1" \( -type l -o ! -user 0 -o -perm -0002 -o -perm -0020 \) 2>&1)" ]
}

put() {
  (umask 077 && printf '%s\n' "$2" >"$VERSIONS/.$1.new") 2>/dev/null && mv -f "$VERSIONS/.$1.new" "$VERSIONS/$1"
}

give_up() {
  echo "curfew-agent: version $trial is given up: $1" >&2
  put bad "$trial $1"
}

# Puts the version to be tried into $trial, the one that runs otherwise into $proved; '' is none, or the package's own.
look() {
  packaged=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$LIB/program/package.json")
  bad=$(version_in bad)
  proved=$(version_in proved)
  { newer "$proved" "$packaged" && [ "$proved" != "$bad" ] && sound "$proved"; } || proved=
  trial=$(version_in chosen)
  { newer "$trial" "${proved:-$packaged}" && [ "$trial" != "$bad" ] && sound "$trial"; } || trial=
}

# Whether somebody starts the agent again when it has ended: systemd, which gives it a socket, or a supervisor that says so.
supervised() { [ -n "${NOTIFY_SOCKET:-}" ] || [ "${CURFEW_SUPERVISED:-}" = yes ]; }

# When a process began, in ticks of the boot: whoever has its number later began at another time (proc_pid_stat(5), field 22).
born() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# Counts a start on trial, and has it given up when it does not prove itself in time.
begin_trial() {
  counted= count=0
  [ ! -r "$VERSIONS/starts" ] || read -r counted count <"$VERSIONS/starts" || :
  case $count in '' | *[!0-9]*) count=0 ;; esac
  [ "$counted" = "$trial" ] || count=0
  if [ "$count" -ge 3 ]; then
    give_up 'it was started three times and did not go on'
    return 1
  fi
  # What cannot be counted is not tried.
  put starts "$trial $((count + 1))" || return 1
  patience=${CURFEW_UPDATE_PATIENCE:-300}
  case $patience in '' | *[!0-9]*) patience=300 ;; esac
  self=$(born $$)
  (
    sleep "$patience"
    # Without a control group nothing ends this child with the agent.
    [ "$(born $$)" = "$self" ] || exit 0
    [ "$(version_in proved)" = "$trial" ] || {
      give_up "it was not linked to the server for long enough within $patience seconds"
      kill -KILL $$
    }
  ) </dev/null >/dev/null 2>&1 &
}

place=$LIB
if [ "$(id -u)" = 0 ] && [ -d "$VERSIONS" ]; then
  look
  case ${1:-} in
  # Only where somebody starts it again.
  run) supervised || trial= ;;
  after-stop)
    # With these the service manager would not start it again.
    case "$trial ${EXIT_STATUS:-}" in
    ?*' 4' | ?*' 6')
      give_up "it ended with the exit code $EXIT_STATUS"
      # A start that is about to fail is still in the queue: one more would be the same one.
      systemctl restart --no-block curfew-agent.service
      ;;
    esac
    exit 0
    ;;
  *) trial= ;;
  esac
  [ -z "$proved" ] || place=$VERSIONS/$proved
  if [ -n "$trial" ] && begin_trial; then place=$VERSIONS/$trial; fi
fi
[ "${1:-}" != after-stop ] || exit 0
if [ "${1:-}" = run ]; then
  export CURFEW_PACKAGE="$LIB"
  # Without somebody who starts it again, it cannot make way for another version.
  ! supervised || export CURFEW_VERSIONS="$VERSIONS"
fi
exec "$place/node" @FLAGS@"$place/program/@NAME@.js" "$@"
