#!/bin/sh
# usage: links.sh LIBRARY: it depends on libc, libm, libstdc++, libgcc_s alone, and exports pe_ names alone.
set -eu
needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ -n "$needed" ] || { echo "no dynamic library: $1"; exit 1; }
others=$(echo "$needed" | grep -v -E '^(libc\.so|libm\.so|libstdc\+\+\.so|libgcc_s\.so|ld-linux)' || true)
[ -z "$others" ] || { echo "links to more than the runtime: $others"; exit 1; }
names=$(nm -D --defined-only "$1" | awk '{ print $3 }' | grep -v '^pe_' || true)
[ -z "$names" ] || { echo "exports more than its C interface: $names"; exit 1; }
