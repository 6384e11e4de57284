#!/usr/bin/env bash
# toolchain_image.sh - an image with a C compiler, made of this machine's, for the tests of
# `msctl build --toolchain`.
#
# usage: toolchain_image.sh DIR REFERENCE
#
# The compiler is called tool-cc inside, a name that this machine has not; there is a library that this machine lacks
# (libinside.so.7 with inside.h), make, and busybox for the shell and its friends.
set -euo pipefail

dir=$1 reference=$2
root=$dir/tree
multiarch=$(gcc -print-multiarch)
gcc_dir=$(dirname "$(gcc -print-libgcc-file-name)")

take() { # take PATH...: and where links lead
	local path next
	for path; do
		tar -C / -cf - "${path#/}" | tar -C "$root" -xf -
		[ -L "$path" ] || continue
		next=$(readlink "$path")
		case $next in /*) ;; *) next=$(realpath -s "${path%/*}/$next") ;; esac
		take "$next"
	done
}

mkdir -p "$root"/{tmp,usr/bin,usr/lib,usr/lib64,etc,proc,home}
ln -s usr/bin usr/lib usr/lib64 "$root"
for tool in as ld make ar strip objcopy; do take "/usr/bin/$tool"; done
cp "$(readlink -f "$(command -v gcc)")" "$root/usr/bin/tool-cc"
ln -s tool-cc "$root/usr/bin/cc"
ln -s tool-cc "$root/usr/bin/gcc"
cp "$(command -v busybox)" "$root/usr/bin/busybox"
for name in sh cat cp mv rm mkdir ls sleep echo true false id env touch tar test expr uname nproc chown printenv install ln sed grep; do
	ln -s busybox "$root/usr/bin/$name"
done
take "$gcc_dir"/{cc1,collect2,lto-wrapper,liblto_plugin.so,libgcc.a,libgcc_eh.a,libgcc_s.so,crtbeginS.o,crtendS.o,crtbegin.o,crtend.o,include}
take "/usr/lib/$multiarch"/{Scrt1.o,crt1.o,crti.o,crtn.o,libc.so,libc_nonshared.a,libz.so,libz.so.1,libgcc_s.so.1}
dpkg -L libc6-dev linux-libc-dev zlib1g-dev | sed -n 's|^/\(usr/include/.*\.h\)$|\1|p' |
	tar -C / -cf - -T - | tar -C "$root" -xf -
# its own library
echo 'const char *inside(void);' >"$root/usr/include/inside.h"
echo 'const char *inside(void) { return "from inside"; }' |
	gcc -shared -fPIC -Wl,-soname,libinside.so.7 -o "$root/usr/lib/$multiarch/libinside.so.7" -xc -
ln -s libinside.so.7 "$root/usr/lib/$multiarch/libinside.so"

cat >"$dir/msctl.yaml" <<Y
apiVersion: msctl/v1
name: toolchain
version: "1"
build:
  copy: {tree: /}
  entrypoint: [/usr/bin/busybox]
  env: {TOOL_HOME: /usr/lib}
  compression: zstd
Y
"$MSCTL" -C "$dir" build -q -t "$reference" >/dev/null
