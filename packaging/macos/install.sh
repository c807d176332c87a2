#!/bin/sh
# Puts the Curfew agent on this Mac, or a newer one in its place. As root, from the unpacked folder:
#   SERVER=curfew.example.org:7443 TOKEN=… ./install.sh        joins the server; or TOKEN_FILE=…
# Everything goes where only root can write.
set -eu
PATH=/usr/bin:/bin:/usr/sbin:/sbin
umask 022
VERSION=@VERSION@
HOME_FOLDER=/Library/Curfew
# The first takes away what the second cannot, being dead; the agent gives no membership where it is not there.
LABELS='curfew.sweeper curfew.agent'
HERE=$(cd "$(dirname "$0")" && pwd)

die() {
  echo "install.sh: $1" >&2
  exit 1
}

# Tries a command for half a minute.
for_a_while() {
  tries=30
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 1
  done
}
has_left() { ! launchctl print "system/$1" >/dev/null 2>&1; }
bootstrap() { problem=$(launchctl bootstrap system "$1" 2>&1); }

[ "$(uname -s)" = Darwin ] || die 'this is for macOS'
[ "$(id -u)" -eq 0 ] || die 'it takes root: sudo ./install.sh'
machine=$(uname -m)
[ "$machine" = @MACHINE@ ] || die "this archive is for @MACHINE@, and this Mac is $machine"

there=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$HOME_FOLDER/agent/program/package.json" 2>/dev/null || true)
if [ -n "$there" ] && [ "$there" != "$VERSION" ] &&
  [ "$(printf '%s\n%s\n' "$there" "$VERSION" | sort -V | tail -n 1)" = "$there" ]; then
  die "$there is installed, and an older one cannot take its place: run uninstall.sh first, which ends every session"
fi

# The new files are whole before the old ones go, and a program that runs keeps what it has open.
mkdir -p "$HOME_FOLDER/bin"
rm -rf "$HOME_FOLDER/agent.new"
cp -R "$HERE/agent" "$HOME_FOLDER/agent.new"
cp "$HERE/uninstall.sh" "$HOME_FOLDER/agent.new/uninstall.sh"
chown -R root:wheel "$HOME_FOLDER"
chmod -R go-w "$HOME_FOLDER"
rm -rf "$HOME_FOLDER/agent.old"
[ ! -e "$HOME_FOLDER/agent" ] || mv "$HOME_FOLDER/agent" "$HOME_FOLDER/agent.old"
mv "$HOME_FOLDER/agent.new" "$HOME_FOLDER/agent"
rm -rf "$HOME_FOLDER/agent.old"
for name in curfew-agent curfew; do
  cp "$HERE/bin/$name" "$HOME_FOLDER/bin/$name.new"
  chown root:wheel "$HOME_FOLDER/bin/$name.new"
  chmod 755 "$HOME_FOLDER/bin/$name.new"
  mv "$HOME_FOLDER/bin/$name.new" "$HOME_FOLDER/bin/$name"
done
# So that people find the programs; paths(5) makes nothing writable.
printf '%s\n' "$HOME_FOLDER/bin" >/etc/paths.d/curfew
for page in "$HERE"/man/*/*; do
  section=$(basename "$(dirname "$page")")
  mkdir -p "/usr/local/share/man/$section"
  cp "$page" "/usr/local/share/man/$section/"
done

if [ -n "${SERVER:-}" ]; then
  if [ -n "${TOKEN_FILE:-}" ]; then
    "$HOME_FOLDER/bin/curfew-agent" enroll --unless-enrolled --server "$SERVER" --token-file "$TOKEN_FILE"
  else
    CURFEW_JOIN_TOKEN=${TOKEN:-} "$HOME_FOLDER/bin/curfew-agent" enroll --unless-enrolled --server "$SERVER"
  fi
fi

failed=
for label in $LABELS; do
  plist=/Library/LaunchDaemons/$label.plist
  cp "$HERE/$label.plist" "$plist"
  chown root:wheel "$plist"
  chmod 644 "$plist"
  launchctl bootout "system/$label" 2>/dev/null || true
  # It answers before the job has left, which takes an agent the time to stop; until then bootstrap fails with 5 or 37.
  for_a_while has_left "$label" || true
  # An uninstalled one may have been disabled.
  launchctl enable "system/$label"
  for_a_while bootstrap "$plist" || failed="$failed $label: $problem."
done
[ -z "$failed" ] || die "launchd does not take$failed Run this again, or restart this Mac."
echo "curfew-agent $VERSION is installed."
