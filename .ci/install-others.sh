#!/usr/bin/env bash
# Mail servers of other authors and languages, and filters beside them. .ci/install-mtas.sh sources it: what Debian has is unpacked
# by its `unpack`; what Go's and npm's registries have is built and installed at the versions below, under .mtas/ as well.
# Go 1.26 is needed for the servers that are written in it.

packages[python]='python3 python3-aiosmtpd python3-twisted' # Debian 12's Python is the last with smtpd in its library
packages[perl]='perl qpsmtpd libnet-ip-perl libnet-server-mail-perl libnet-smtp-server-perl'
packages[tcl]='tcl tcllib'
packages[msmtpd]='msmtp-mta dash'
packages[chasquid]='chasquid dash'
packages[spampd]='spampd'
packages[proxsmtp]='proxsmtp'
packages[postsrsd]='postsrsd'
packages[rinetd]='rinetd'
packages[courier]='courier-mta dash coreutils sed grep findutils mount util-linux'
for name in python perl tcl msmtpd chasquid spampd proxsmtp postsrsd rinetd courier; do
  echo "unpacking $name"
  unpack "$name"
done
# What the packages' scripts would have done: users, a folder, an alternative, and the port of spampd's log.
for name in perl spampd; do
  [ -e ".mtas/$name/etc/passwd" ] || printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >".mtas/$name/etc/passwd"
  [ -e ".mtas/$name/etc/group" ] || printf 'root:x:0:\nnogroup:x:65534:\n' >".mtas/$name/etc/group"
done
printf 'syslog 514/udp\n' >.mtas/spampd/etc/services
mkdir -p .mtas/courier/run
ln -sf makedat.courier .mtas/courier/usr/bin/makedat
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\ncourier:x:990:990::/var/lib/courier:/bin/sh\n' >.mtas/courier/etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\ncourier:x:990:\n' >.mtas/courier/etc/group

# NAME PACKAGE VERSION [REPLACEMENT…]: each in a module of its own, since the versions that one needs break another. REPLACEMENT:
# a module of which it needs a fork, which its own go.mod names and Go does not follow from here.
build_go() {
  local name=$1 package=$2 version=$3 root=$PWD/.mtas/go each
  shift 3
  [ -e "$root/usr/bin/$name" ] && return
  echo "building $name"
  mkdir -p "$root/usr/bin" "$root/build/$name"
  (
    cd "$root/build/$name"
    rm -f go.mod go.sum
    go mod init "build.invalid/$name"
    for each; do go mod edit -replace "$each"; done
    go get -tool "$package@$version"
    CGO_ENABLED=0 GOBIN=$root/usr/bin go install "$package"
  )
}
build_go mailpit github.com/axllent/mailpit v1.33.1
build_go inbucket github.com/inbucket/inbucket/v3/cmd/inbucket v3.2.0
build_go maddy github.com/foxcpp/maddy/cmd/maddy v0.8.1 \
  github.com/emersion/go-imap=github.com/foxcpp/go-imap@v1.0.0-beta.1.0.20220623182312-df940c324887 \
  github.com/emersion/go-smtp=github.com/foxcpp/go-smtp@v1.21.4-0.20250124171104-c8519ae4fb23 \
  github.com/libdns/gandi=github.com/foxcpp/libdns-gandi@v1.0.4-0.20240127130558-4782f9d5ce3e
mkdir -p .mtas/go/{dev,etc,tmp}
printf '127.0.0.1 localhost\n::1 localhost\n' >.mtas/go/etc/hosts
touch .mtas/go/.unpacked

if [ ! -e .mtas/npm/.unpacked ]; then
  echo "installing servers of npm's packages"
  npm install --prefix .mtas/npm --no-save --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
    maildev@3.0.0 smtp-server@3.21.6 nodemailer@10.6.1
  touch .mtas/npm/.unpacked
fi
