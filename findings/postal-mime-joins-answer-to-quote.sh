#!/usr/bin/env bash
# A mail in format=flowed whose quoted line ends with a space, followed by the answer.
#
# Guess beforehand: the parser ends the quoted paragraph where the depth of quoting changes, as RFC 3676 section 4.5 says
# of lines whose quote depth differs, whatever the space at the end of the line says.
# Seen with postal-mime 4.0.0: it joins by the space alone. The answer becomes part of the quoted line, so that a reader
# that leaves out quoted lines leaves out the answer, too. Quote marks of continued lines stay within the joined line.
# Hence packages/links/_shared/flowed.ts joins such lines itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund postal-mime@4.0.0
cat >check.mjs <<'JS'
import PostalMime from "postal-mime";
const mail = [
  "Content-Type: text/plain; charset=utf-8; format=flowed",
  "",
  "> Where is my ",
  "> parcel? ",
  "It is on ",
  "its way.",
].join("\r\n");
console.log(JSON.stringify((await PostalMime.parse(mail)).text.trim()));
JS
expected='"> Where is my > parcel? It is on its way."'
seen=$(node check.mjs)
printf 'postal-mime %s: %s\n' "$(node -p 'require("postal-mime/package.json").version')" "$seen"
[ "$seen" = "$expected" ] || { printf 'changed: expected %s\n' "$expected" >&2; exit 1; }
