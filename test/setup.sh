#!/usr/bin/env bash
# Installs what the tests and benchmarks need and the machine lacks: languages, a
# database and the AWS command line from Debian, SDKs and peers from npm.
set -euo pipefail
cd "$(dirname "$0")"

if [ "$(id -u)" -ne 0 ]; then
  echo "not root: the tests of limits, networks and privileged sandboxes are skipped; CI runs them as root"
fi

missing=()
need() { # need COMMAND PACKAGE...: the packages are installed if the command is absent
  command -v "$1" >/dev/null 2>&1 || missing+=("${@:2}")
}
need node nodejs
need npm npm
need python3 python3
need javac default-jdk-headless
need curl curl
need ip iproute2
[ -x /usr/bin/aws ] || missing+=(awscli)
[ -d /usr/lib/python3/dist-packages/boto3 ] || missing+=(python3-boto3)
[ -d /usr/lib/postgresql ] || missing+=(postgresql)

if [ ${#missing[@]} -gt 0 ]; then
  sudo=
  [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
  echo "installing: ${missing[*]}"
  if ! { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
    echo "could not install them: run 'apt-get install ${missing[*]}' as root, then try again" >&2
    exit 1
  fi
fi

# A folder's packages are installed anew when its lock file is newer than they are.
packages() { # packages DIR
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] || (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
}
packages tools/js
