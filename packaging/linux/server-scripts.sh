DATA=/var/lib/curfew-server

# 'new' where the package was not there before, 'again' where it was.
after_install() {
  if ! getent passwd curfew-server >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir "$DATA" --shell /usr/sbin/nologin curfew-server
  fi
  # It may hold secrets, and the server reads it.
  chgrp curfew-server /etc/curfew/server.yaml
  chmod 0640 /etc/curfew/server.yaml
  systemd_runs || return 0
  systemctl daemon-reload
  if [ "$1" = new ] || [ -e "$DATA/removed" ]; then
    rm -f "$DATA/removed"
    systemctl enable --quiet curfew-server.service
    systemctl restart curfew-server.service
  else
    systemctl try-restart curfew-server.service
  fi
}

before_remove() {
  if [ -d "$DATA" ]; then : >"$DATA/removed"; fi
  systemd_runs || return 0
  systemctl disable --quiet --now curfew-server.service
}

after_remove() {
  systemd_runs || return 0
  systemctl daemon-reload
  systemctl reset-failed curfew-server.service 2>/dev/null || true
}

after_purge() {
  rm -rf "$DATA"
  if getent passwd curfew-server >/dev/null; then userdel curfew-server; fi
  rmdir /etc/curfew 2>/dev/null || true
}
