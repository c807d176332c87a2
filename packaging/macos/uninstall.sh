#!/bin/sh
# Ends every session and takes the Curfew agent off this Mac. As root; --keep-enrolment keeps who this Mac is.
set -eu
PATH=/usr/bin:/bin:/usr/sbin:/sbin
HOME_FOLDER=/Library/Curfew
LABELS='curfew.agent curfew.sweeper'

[ "$(id -u)" -eq 0 ] || {
  echo 'uninstall.sh: it takes root' >&2
  exit 1
}
case "${1:-}" in '' | --keep-enrolment) ;; *)
  echo 'usage: uninstall.sh [--keep-enrolment]' >&2
  exit 2
  ;;
esac
# Rights go first: nothing else is touched before that is done.
"$HOME_FOLDER/bin/curfew-agent" uninstall "$@"
for label in $LABELS; do
  launchctl bootout "system/$label" 2>/dev/null || true
  rm -f "/Library/LaunchDaemons/$label.plist"
done
rm -f /etc/paths.d/curfew
rm -f /usr/local/share/man/man8/curfew-agent.8.gz /usr/local/share/man/man1/curfew.1.gz /var/log/curfew-agent.log
rm -rf "$HOME_FOLDER"
echo 'curfew-agent is removed.'
