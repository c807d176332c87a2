/**
 * Takes memberships away on a Mac, by their marks. The one piece of code that does so: the agent runs it, the remover that
 * stands beside it, and the sweeper. $1 'any', or 'other-boots' to spare what this boot has made; then mark files, or the
 * folder with all of them. Fails when one is still a member, and where it would leave the Mac without an administrator.
 */
export const MAC_MEMBERSHIP_REMOVAL = `# Curfew: takes temporary group memberships away, by their marks.
which=$1 failed=0
shift
PATH=/usr/bin:/bin:/usr/sbin:/sbin
[ ! -d "$1" ] || set -- "$1"/*
boot=$(sysctl -n kern.bootsessionuuid)
values() { dscl . -read "/Groups/$1" "$2" 2> /dev/null | sed -n "/^ /p; s/^$2: *//p" | tr ' ' '\\n'; }
members() { values "$1" GroupMembership; }
for mark in "$@"; do
  [ -f "$mark" ] && read -r made uid user group < "$mark" || continue
  [ "$which" = any ] || [ "$made" != "$boot" ] || continue
  # Who was renamed meanwhile was renamed in the group, too.
  now=$(dscacheutil -q user -a uid "$uid" | sed -n 's/^name: //p')
  case $now in *[!A-Za-z0-9_.-]*|-*|'') now=$user ;; esac
  if members "$group" | grep -Fxq -e "$user" -e "$now"; then
    # The last administrator is not locked out. root counts for none: nobody can log in as root on a Mac as it comes; a group
    # inside the group counts for one.
    if [ "$(dscl . -read "/Groups/$group" PrimaryGroupID)" = 'PrimaryGroupID: 80' ] &&
      ! values "$group" NestedGroups | grep -q . &&
      ! members "$group" | grep -Fxv -e "$user" -e "$now" -e root -e '' | grep -q '^[^_]'; then
      echo "$now is the only administrator of this Mac, and stays one until there is another" >&2
      failed=1
      continue
    fi
    for name in "$user" "$now"; do dseditgroup -o edit -d "$name" -t user "$group"; done
  fi
  dsmemberutil flushcache
  if members "$group" | grep -Fxq -e "$user" -e "$now"; then failed=1; else rm -f "$mark" || failed=1; fi
done
exit $failed
`;
