/**
 * Takes memberships away, by their marks, with the machine's own tools. The one piece of code that does so: the agent
 * runs it, the independent remover, and the sweep at boot, where no code of ours but this need be there.
 * $1 'any', or 'other-boots' to spare what this boot has made; then mark files, or the folder with all of them. Fails
 * when one is still a member.
 */
export const MEMBERSHIP_REMOVAL = `# Curfew: takes temporary group memberships away, by their marks.
which=$1 failed=0
shift
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
# busybox and Debian's adduser have the same by another name.
take() { if command -v gpasswd > /dev/null; then gpasswd -d "$1" "$2"; else delgroup "$1" "$2"; fi; }
[ ! -d "$1" ] || set -- "$1"/*
read -r boot < /proc/sys/kernel/random/boot_id
for mark in "$@"; do
  [ -f "$mark" ] && read -r made uid user group < "$mark" || continue
  [ "$which" = any ] || [ "$made" != "$boot" ] || continue
  # Who was renamed meanwhile was renamed in the group, too.
  names=$user
  while IFS=: read -r name _ id _ || [ -n "$name" ]; do
    case $name in *[!A-Za-z0-9_.-]*|-*|'') continue ;; esac
    [ "$id" != "$uid" ] || [ "$name" = "$user" ] || names="$names $name"
  done < /etc/passwd
  # Also when the group does not say so: its shadow may.
  for name in $names; do take "$name" "$group"; done
  members=
  while IFS=: read -r name _ _ list || [ -n "$name" ]; do
    [ "$name" != "$group" ] || members=,$list,
  done < /etc/group
  for name in $names; do
    case $members in *",$name,"*) failed=1 mark= ;; esac
  done
  [ -z "$mark" ] || rm -f -- "$mark" || failed=1
done
exit $failed
`;
