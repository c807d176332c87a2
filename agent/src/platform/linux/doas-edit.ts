/** The first line of a doas.conf that Curfew has made: it goes with the last of its rules. */
const DOAS_MADE = '# Made by Curfew for temporary rules; it goes with the last of them.';

/**
 * Changes the lines of ours in doas.conf, and no other: the one piece of code that does so. The agent runs it, the
 * independent remover, and the sweep at boot. A new file takes the old one's place whole, with its mode and owner, and only
 * when doas itself reads it.
 * $1 'set' puts the lines of the standard input in the place of those of the right $4; 'any' takes those of $4 away;
 * 'other-boots' takes away all that this boot has not made. $2 doas.conf, $3 the agent whose they are. Fails with 3 when doas
 * would not read the result.
 */
export const DOAS_EDIT = `# Curfew: changes temporary rules in doas.conf, by their marks.
what=$1 file=$2 agent=$3 right=$4
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
umask 077
folder=\${file%/*} new=\${file%/*}/.\${file##*/}.curfew
read -r boot < /proc/sys/kernel/random/boot_id
# Whoever else changes it by this script waits.
exec 9< "$folder" || exit 1
flock 9 || exit 1
case $what in
  other-boots) keep="/ # $agent $boot [^ ]*\\$/b" drop="/^permit .* # $agent [0-9a-f-]* [0-9]*-ses-[0-9a-z]*\\$/d" ;;
  *) keep= drop="/^permit .* # $agent [0-9a-f-]* $right\\$/d" ;;
esac
if [ -e "$file" ]; then
  [ -f "$file" ] && [ ! -L "$file" ] || { echo "$file is not a file of its own" >&2; exit 1; }
  # A line without an end is read by nobody.
  cp -p "$file" "$new" && sed -e "$keep" -e "$drop" "$file" > "$new" || { rm -f "$new"; exit 1; }
elif [ "$what" = set ]; then
  echo '${DOAS_MADE}' > "$new" || { rm -f "$new"; exit 1; }
else
  exit 0
fi
if [ "$what" = set ]; then
  cat >> "$new" || { rm -f "$new"; exit 1; }
  doas -C "$new" || { rm -f "$new"; exit 3; }
elif cmp -s "$file" "$new"; then
  rm -f "$new"
  exit 0
elif [ "$(cat "$new")" = '${DOAS_MADE}' ]; then
  rm -f "$new" "$file"
  exit
fi
sync "$new" 2> /dev/null || sync
mv -f "$new" "$file"
`;
