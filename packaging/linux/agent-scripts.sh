STATE=/var/lib/curfew

# Whether a server to join is named, on a machine that has joined none.
is_to_join() { [ -n "${SERVER:-}" ] && [ ! -e "$STATE/identity.json" ]; }

# 'new' where the package was not there before, 'again' where it was: in an image, say, which is told only later what to join.
after_install() {
  chmod 0755 /etc/curfew
  systemd_runs || return 0
  systemctl daemon-reload
  if [ "$1" = new ] || [ -e "$STATE/removed" ] || is_to_join; then
    systemctl enable --quiet curfew-agent.service
    systemctl enable --quiet --now curfew-agent-enroll.path
    if [ -n "${SERVER:-}" ]; then
      /usr/lib/curfew-agent/enroll || {
        echo 'curfew-agent is installed, and this machine is not enrolled. Configure the package again with SERVER and TOKEN' >&2
        echo 'that are right, or without them; then: curfew-agent enroll' >&2
        return 1
      }
    fi
    # Last: what has failed before is done again when the package is configured again.
    rm -f "$STATE/removed"
    [ ! -e "$STATE/identity.json" ] || systemctl restart curfew-agent.service
  else
    # Rights outlive this, and so does the follower of sessions: it makes way for its successor when it records nothing.
    systemctl try-restart curfew-agent.service
  fi
}

# Every session ends before a file of the program goes. What says who this machine is stays: it can be installed again.
before_remove() {
  # Where the server wants an operator's code for this, it is in CURFEW_UNINSTALL_CODE; else everything stays as it is.
  /usr/bin/curfew-agent uninstall --keep-enrolment >&2
  if systemd_runs; then systemctl disable --quiet --now curfew-agent-enroll.path || true; fi
  mkdir -p -m 0700 "$STATE"
  : >"$STATE/removed"
}

after_remove() {
  systemd_runs || return 0
  systemctl daemon-reload
  systemctl reset-failed curfew-agent.service curfew-agent-enroll.service 2>/dev/null || true
}

after_purge() {
  rm -rf "$STATE" /run/curfew
  rm -f /etc/curfew/enroll.env
  rmdir /etc/curfew 2>/dev/null || true
}
