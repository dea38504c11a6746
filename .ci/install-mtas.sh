#!/usr/bin/env bash
# Unpacks real mail servers, the proxies that people put in front of them, a name server and two resolvers, from Debian's packages,
# each with all it needs, into a folder of its own under .mtas/: the packages conflict with one another, and nothing is to be installed on
# the machine itself. Needs root and apt; tests run them in a chroot.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A packages=([postfix]='postfix' [exim]='exim4-daemon-light dash sed coreutils debianutils grep util-linux' [sendmail]='sendmail-bin sendmail-cf m4 dash' [fail2ban]='fail2ban iptables dash grep sed')
packages[opensmtpd]='opensmtpd dash coreutils mount'
packages[nsd]='nsd'
packages[unbound]='unbound'
packages[named]='bind9'
packages[nginx]='nginx-light libnginx-mod-mail'
packages[haproxy]='haproxy'

command -v ip >/dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends iproute2; }

unpack() {
  local name=$1 work root=.mtas/$1
  [ -e "$root/.unpacked" ] && return
  rm -rf "$root"
  mkdir -p "$root"
  work=$(mktemp -d)
  mkdir -p "$work/archives/partial"
  : >"$work/status" # as if nothing were installed: apt fetches the whole closure
  # shellcheck disable=SC2086
  apt-get -qq -y --no-install-recommends -o Dir::State::status="$work/status" -o Dir::Cache::archives="$work/archives" \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 --download-only install ${packages[$name]}
  for package in "$work"/archives/*.deb; do dpkg -x "$package" "$root"; done
  rm -rf "$work"
  mkdir -p "$root"/{dev,etc,tmp,var/log,var/spool,var/lib,root}
  mknod -m 666 "$root/dev/null" c 1 3
  mknod -m 666 "$root/dev/zero" c 1 5
  mknod -m 666 "$root/dev/random" c 1 8
  mknod -m 666 "$root/dev/urandom" c 1 9
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
  touch "$root/.unpacked"
}

ls .mtas/*/.unpacked >/dev/null 2>&1 || apt-get update -qq
for name in "${!packages[@]}"; do
  echo "unpacking $name"
  unpack "$name"
done

haraka=.mtas/haraka
if [ ! -e "$haraka/.unpacked" ]; then
  echo "installing haraka"
  npm install --prefix "$haraka" --no-save --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
    Haraka@3.3.4 haraka-plugin-relay@1.0.2
  touch "$haraka/.unpacked"
fi

. .ci/install-others.sh
