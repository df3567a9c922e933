#!/bin/sh
# usage: links.sh LIBRARY: it depends on libc, libm, libstdc++, libgcc_s alone, and exports pe_ names alone.
set -eu
others=$(ldd "$1" | awk '{ print $1 }' | grep -v -E '^(linux-vdso|libc\.so|libm\.so|libstdc\+\+\.so|libgcc_s\.so|.*/ld-linux)' || true)
[ -z "$others" ] || { echo "links to more than the runtime: $others"; exit 1; }
names=$(nm -D --defined-only "$1" | awk '{ print $3 }' | grep -v '^pe_' || true)
[ -z "$names" ] || { echo "exports more than its C interface: $names"; exit 1; }
