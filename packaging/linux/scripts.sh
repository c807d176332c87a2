systemd_runs() { [ -d /run/systemd/system ]; }

# Ends with an error when a newer version than the one that is to be put in place is there: it may have written down what
# this one cannot read. The first argument is the version that is to be put in place.
refuse_downgrade() {
  there=$(sed -n 's/.*"version":"\([^"]*\)".*/\1/p' /usr/lib/@PACKAGE@/program/package.json 2>/dev/null) || return 0
  [ -n "$there" ] && [ "$there" != "$1" ] || return 0
  [ "$(printf '%s\n%s\n' "$there" "$1" | sort -V | tail -n 1)" = "$there" ] || return 0
  echo "@PACKAGE@ $there is installed, and an older one cannot take its place: it may not read what $there has written." >&2
  echo "@DOWNGRADE@" >&2
  exit 1
}
