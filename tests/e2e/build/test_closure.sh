# shellcheck shell=bash
# limit: 120
# Libraries that programs need: found for this machine and another one, as its loader would, and
# refused before anything is written when the image's would not do.

project() { # project DIR [LINE OF build...]: steps are on stdin; takes out/ to /opt
	local dir=$1
	shift
	mkdir -p "$dir"
	{
		echo 'set -e'
		echo 'mkdir -p out'
		cat
	} >"$dir/make.sh"
	{
		printf 'apiVersion: msctl/v1\nname: %s\nversion: "1"\nbuild:\n' "$dir"
		printf '  steps: [sh make.sh]\n  copy: {out: /opt}\n  entrypoint: [/opt/p]\n'
		[ $# = 0 ] || printf '  %s\n' "$@"
	} >"$dir/msctl.yaml"
}

has_file() { # has_file ROOT PATH...: in the image's own file system
	local root=$1 path
	shift
	for path; do
		[ -e "$root$path" ] || [ -L "$root$path" ] || problem "not in the image: $path"
	done
}

no_image() { # no_image REFERENCE: nothing was named so
	if image_digest "$1" >/dev/null 2>&1; then problem "there is an image $1"; fi
}

# ---- another machine

test_arm64_from_this_machine() {
	command -v aarch64-linux-gnu-g++ >/dev/null || problem 'no cross compiler'
	project arm 'hardening: "off"' <<-'X'
		cat >p.cc <<'Y'
		#include <iostream>
		#include <stdexcept>
		int main() { try { throw std::runtime_error("hello"); } catch (std::exception &e) { std::cout << e.what() << std::endl; } }
		Y
		aarch64-linux-gnu-g++ -o out/p p.cc
	X
	ok "$MSCTL" build -t arm:1 --platform linux/arm64 arm
	same arm64 "$(jq -r .architecture "$(blob "$(jq -r .config.digest "$(blob "$(image_digest arm:1)")")")")"
	unpack_image arm:1 root
	local library
	qemu-aarch64-static -L /usr/aarch64-linux-gnu /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 \
		--list arm/out/p | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | grep -v ld-linux | sort >wanted
	same 4 "$(wc -l <wanted)" 'libraries that the loader names'
	while read -r library; do has_file root "$library"; done <wanted
	same 5 "$(find root -type f \( -name 'lib*.so*' -o -name 'ld-linux*' \) | wc -l)" 'libraries in the image'
	# and it runs with nothing else
	ok qemu-aarch64-static -L "$PWD/root" root/opt/p
	same hello "$(cat "$out")"
}

test_both_machines_in_one_image() {
	project two 'hardening: "off"' 'platforms: [linux/amd64, linux/arm64]' <<-'X'
		echo 'int main(void) { return 0; }' >p.c
		${CC:-cc} -o out/p p.c
	X
	ok "$MSCTL" build -t two:1 two
	same 'amd64 arm64' "$(jq -r '[.manifests[].platform.architecture] | sort | join(" ")' \
		"$(blob "$(image_digest two:1)")")" platforms
}

test_a_library_of_the_wrong_machine() {
	project arm 'hardening: "off"' <<-'X'
		echo 'int z(void) { return 0; }' | aarch64-linux-gnu-gcc -shared -fPIC -Wl,-soname,libz.so.1 -o libz.so -xc -
		echo 'int z(void); int main(void) { return z(); }' | aarch64-linux-gnu-gcc -o out/p -xc - -xnone ./libz.so
	X
	fails 4 "$MSCTL" build -t arm:1 --platform linux/arm64 arm
	err_has 'out/p needs libz.so.1' 'is for amd64' 'zlib1g:arm64'
	no_image arm:1
}

# ---- missing ones

test_which_package_has_it() {
	# libgnomekbd is not installed; that Debian has it is known from apt's lists, if there are any
	project lack 'hardening: "off"' <<-'X'
		echo 'int q(void) { return 0; }' | cc -shared -fPIC -Wl,-soname,libgnomekbd.so.8 -o libgnomekbd.so -xc -
		echo 'int q(void); int main(void) { return q(); }' | cc -o out/p -xc - -xnone ./libgnomekbd.so
	X
	! ldconfig -p | grep -q 'libgnomekbd\.so\.8' || skip 'libgnomekbd8 is installed here'
	fails 4 "$MSCTL" build -t lack:1 lack
	err_has 'out/p needs libgnomekbd.so.8, which is not here'
	if apt-cache show libgnomekbd8 >/dev/null 2>&1; then
		err_has 'install libgnomekbd8'
	else
		err_has 'install the package that has libgnomekbd.so.8'
	fi
}

# ---- what programs open by themselves

test_dlopen_note() {
	project note 'hardening: "off"' <<-'X'
		note() { # note JSON: as an assembler's lines
			printf '.pushsection .note.dlopen,"a",%%note\n.balign 4\n.long 4, 2f-1f, 0x407c0c0a\n'
			printf '.asciz "FDO"\n1: .asciz "%s"\n2: .balign 4\n.popsection\n' "$(echo "$1" | sed 's/"/\\"/g')"
		}
		echo 'int more(void) { return 7; }' | cc -shared -fPIC -Wl,-soname,libmore.so.1 -o out/libmore.so.1 -xc - -Wl,--no-as-needed -lz
		{
			note '[{"soname":["libmore.so.2","libmore.so.1"],"feature":"more","priority":"required"}]'
			note '[{"soname":["libnever.so.3"],"feature":"never","priority":"recommended"}]'
			note '[{"soname":["libcrypto.so.3"],"description":"can sign","priority":"suggested"}]'
			echo '.section .note.GNU-stack,"",%progbits'
		} >n.s
		cat >p.c <<'Y'
		#include <dlfcn.h>
		int main(void) { void *h = dlopen("libmore.so.1", RTLD_NOW); return h ? ((int (*)(void))dlsym(h, "more"))() : 1; }
		Y
		cc -o out/p p.c n.s -Wl,-rpath,/opt
	X
	ok "$MSCTL" build -t note:1 note
	err_has 'libnever.so.3 (never)' 'libcrypto.so.3 (can sign)'
	unpack_image note:1 root
	has_file root /opt/libmore.so.1
	# what the opened library needs came along, what is only suggested did not
	[ -n "$(find root -name 'libz.so.1')" ] || problem 'no libz.so.1'
	same '' "$(find root -name 'libcrypto*')" 'suggested libraries'
	run chroot root /opt/p
	same 7 "$status" 'exit status'
	sed -i 's/libmore.so.2","libmore.so.1"/libmore.so.2"/' note/make.sh
	fails 4 "$MSCTL" build -t note:2 note
	err_has 'needs libmore.so.2'
	no_image note:2
}

test_libgcc_for_threads_that_end() {
	project threads 'hardening: "off"' <<-'X'
		cat >p.c <<'Y'
		#include <pthread.h>
		static void *f(void *p) { pthread_exit(p); }
		int main(void) { pthread_t t; return pthread_create(&t, 0, f, 0) || pthread_join(t, 0); }
		Y
		cc -o out/p p.c -lpthread
	X
	ok "$MSCTL" build -v -t threads:1 threads
	err_has 'libgcc_s.so.1: glibc'
	unpack_image threads:1 root
	ok chroot root /opt/p
	ok "$MSCTL" image inspect --why "$(cd root && find . -name libgcc_s.so.1 | sed 's|^\.||')" threads:1
	out_has /opt/p
}

test_what_no_header_tells_is_said() {
	project says 'hardening: "off"' <<-'X'
		cat >p.c <<'Y'
		#include <iconv.h>
		#include <locale.h>
		#include <netdb.h>
		int main(void) { struct addrinfo *a; setlocale(LC_ALL, ""); return iconv_open("UTF-8", "UTF-8") == (iconv_t)-1 || getaddrinfo("x", 0, 0, &a); }
		Y
		cc -o out/p p.c
	X
	ok "$MSCTL" build -t says:1 says
	err_has '/opt/p looks up users or hosts' '/opt/p converts text with iconv' '/opt/p sets a locale'
}

test_gconv_by_hand() {
	# what the note says to do
	project conv 'hardening: off' <<-'X'
		cat >p.c <<'Y'
		#include <iconv.h>
		int main(void) {
			char in[] = "\344", out[8] = {0}, *i = in, *o = out;
			size_t a = 1, b = 7;
			iconv_t c = iconv_open("UTF-8", "ISO-8859-1");
			return c == (iconv_t)-1 || iconv(c, &i, &a, &o, &b) || (unsigned char)out[0] != 0xc3;
		}
		Y
		cc -o out/p p.c
	X
	ok "$MSCTL" build -t conv:1 conv
	local dir
	dir=$(sed -n 's/.*let build.steps copy \(.*\) into the project.*/\1/p' "$err")
	[ -d "$dir" ] || problem "the note names no folder: '$dir'"
	unpack_image conv:1 one
	run chroot one /opt/p
	same 1 "$status" 'exit status without gconv'
	sed -i "s|steps: .*|steps: [sh make.sh, cp -r $dir gconv]|; s|copy: .*|copy: {out: /opt, gconv: $dir}|" conv/msctl.yaml
	ok "$MSCTL" build -t conv:2 conv
	never_says iconv
	unpack_image conv:2 two
	ok chroot two /opt/p
}

test_sysroot() {
	project arm 'hardening: off' <<-'X'
		echo 'int main(void) { return 0; }' | aarch64-linux-gnu-gcc -o out/p -xc -
	X
	mkdir -p sys/lib
	cp -a /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 sys/lib/
	fails 4 "$MSCTL" build -t arm:1 --platform linux/arm64 --sysroot sys arm
	err_has 'out/p needs libc.so.6, which is not here'
	cp -a /usr/aarch64-linux-gnu/lib/libc.so.6 sys/lib/
	ok "$MSCTL" build -v -t arm:1 --platform linux/arm64 --sysroot sys arm
	unpack_image arm:1 root
	ok qemu-aarch64-static -L "$PWD/root" root/opt/p
	fails 4 "$MSCTL" build -t arm:1 --platform linux/arm64 --sysroot nowhere arm
	err_has nowhere
}

# ---- gates

versioned() { # versioned FILE VERSION...: a library that defines these, function vN in the Nth
	local file=$1 n=0 version
	shift
	echo ': >v.c; : >v.map'
	for version; do
		n=$((n + 1))
		echo "echo 'int v$n(void) { return $n; }' >>v.c; echo '$version { v$n; };' >>v.map"
	done
	echo "cc -shared -fPIC -Wl,-soname,libv.so.1 -Wl,--version-script=v.map -o $file v.c"
}

base_with() { # base_with NAME VERSION...: an image that has $PWD/lib/libv.so.1
	local name=$1
	shift
	versioned out/libv.so.1 "$@" | project "$name"
	sed -i "s|copy: .*|copy: {out: $PWD/lib}|; /entrypoint/d" "$name/msctl.yaml"
	ok "$MSCTL" build -t "$name:1" "$name"
}

test_versions_of_the_base() {
	base_with old V_1.2 V_1.9
	base_with new V_1.2 V_1.9 V_1.10
	# on this machine the very path has a newer one: what is in the image decides
	mkdir lib
	project p 'base: old:1' 'hardening: "off"' <<-X
		$(versioned "$PWD/lib/libv.so.1" V_1.2 V_1.9 V_1.10)
		echo 'int v1(void); int v3(void); int main(void) { return v1() + v3(); }' |
			cc -o out/p -xc - -xnone "$PWD/lib/libv.so.1" -Wl,-rpath,$PWD/lib
	X
	fails 3 "$MSCTL" build -t p:1 p
	err_has 'out/p needs version V_1.10 of libv.so.1' "$PWD/lib/libv.so.1 has V_1.9 at most" 'newer build.base than old:1'
	no_image p:1
	sed -i 's/old:1/new:1/' p/msctl.yaml
	ok "$MSCTL" build -t p:1 p
	unpack_image p:1 root
	run chroot root /opt/p
	same 4 "$status" 'exit status'
}

test_what_only_the_base_has() {
	# the library is at /usr/lib of the base, and was deleted here
	versioned out/libonly.so.1 V_1.2 | project only
	sed -i "s|copy: .*|copy: {out: /usr/lib}|; /entrypoint/d" only/msctl.yaml
	sed -i 's/libv.so.1/libonly.so.1/' only/make.sh
	ok "$MSCTL" build -t only:1 only
	project p 'base: only:1' 'hardening: off' <<-X
		$(versioned libonly.so.1 V_1.2 V_1.3 | sed 's/libv.so.1/libonly.so.1/')
		echo 'int v1(void); int main(void) { return v1() + 4; }' | cc -o out/p -xc - -xnone ./libonly.so.1
		rm libonly.so.1
	X
	ok "$MSCTL" build -t p:1 p
	unpack_image p:1 root
	run chroot root /opt/p
	same 5 "$status" 'exit status'
	sed -i '/int main/s/v1/v2/g' p/make.sh
	fails 3 "$MSCTL" build -t p:2 p
	err_has 'needs version V_1.3 of libonly.so.1' '/usr/lib/libonly.so.1 has V_1.2 at most'
	sed -i 's/base: only:1/base: scratch/' p/msctl.yaml
	fails 4 "$MSCTL" build -t p:3 p
	err_has 'needs libonly.so.1, which is not here'
}

put_blob() { # put_blob FILE: into the store; its descriptor without a type
	local sum
	sum=$(sha256sum <"$1" | cut -d' ' -f1)
	cp "$1" "$MSCTL_STORE/blobs/sha256/$sum"
	printf '{"digest": "sha256:%s", "size": %s}' "$sum" "$(stat -c %s "$1")"
}

# What msctl itself never writes: a layer with a hard link to a file of the layer below.
link_over() { # link_over REFERENCE NEW TARGET NAME
	local manifest config layer
	manifest=$(blob "$(image_digest "$1")")
	python3 -c 'import sys, tarfile
with tarfile.open("over.tar", "w") as t:
	i = tarfile.TarInfo(sys.argv[2]); i.type = tarfile.LNKTYPE; i.linkname = sys.argv[1]; t.addfile(i)' "$3" "$4"
	layer=$(put_blob over.tar)
	jq -c --argjson l "$layer" '.rootfs.diff_ids += [$l.digest] | .history += [{}]' \
		"$(blob "$(jq -r .config.digest "$manifest")")" >over.config
	config=$(put_blob over.config)
	jq -c --argjson l "$layer" --argjson c "$config" '.config += $c
		| .layers += [$l + {mediaType: "application/vnd.oci.image.layer.v1.tar"}]' "$manifest" >over.manifest
	jq -c --argjson m "$(put_blob over.manifest)" --arg ref "$2" '.manifests += [$m
		+ {mediaType: "application/vnd.oci.image.manifest.v1+json", annotations: {"org.opencontainers.image.ref.name": $ref}}]' \
		"$MSCTL_STORE/index.json" >over.index
	cp over.index "$MSCTL_STORE/index.json"
}

test_versions_of_hard_links_in_lower_layers() {
	# another image lies on the library, which is the second name of a file
	versioned out/a.so V_1.2 | project low
	echo 'ln out/a.so out/libv.so.1' >>low/make.sh
	sed -i "s|copy: .*|copy: {out: $PWD/lib}|; /entrypoint/d" low/msctl.yaml
	ok "$MSCTL" build -t low:1 low
	echo 'echo x >out/x' | project high 'base: low:1'
	sed -i '/entrypoint/d' high/msctl.yaml
	ok "$MSCTL" build -t high:1 high
	mkdir lib
	project p 'base: high:1' 'hardening: "off"' <<-X
		$(versioned "$PWD/lib/libv.so.1" V_1.2 V_2.0)
		echo 'int v2(void); int main(void) { return v2(); }' |
			cc -o out/p -xc - -xnone "$PWD/lib/libv.so.1" -Wl,-rpath,$PWD/lib
	X
	fails 3 "$MSCTL" build -t p:1 p
	err_has 'needs version V_2.0 of libv.so.1' 'has V_1.2 at most'
	no_image p:1
	# the second name is in a layer of its own
	versioned out/a.so V_1.2 | project alone
	sed -i "s|copy: .*|copy: {out: $PWD/lib}|; /entrypoint/d" alone/msctl.yaml
	ok "$MSCTL" build -t alone:1 alone
	link_over alone:1 over:1 "${PWD#/}/lib/a.so" "${PWD#/}/lib/libv.so.1"
	sed -i 's/high:1/over:1/' p/msctl.yaml
	fails 3 "$MSCTL" build -t p:1 p
	err_has 'needs version V_2.0 of libv.so.1' 'has V_1.2 at most'
	no_image p:1
}

test_versions_of_what_is_copied() {
	project p 'hardening: "off"' <<-X
		$(versioned libv.so.1 V_1 V_2)
		echo 'int v2(void); int main(void) { return v2(); }' | cc -o out/p -xc - -xnone ./libv.so.1 -Wl,-rpath,/opt
		$(versioned out/libv.so.1 V_1)
	X
	fails 3 "$MSCTL" build -t p:1 p
	err_has 'needs version V_2 of libv.so.1' 'has V_1 at most' 'link it with'
}

test_a_library_without_versions() {
	# the loader warns of one that knows of versions and has none, and fails with one that does not
	project p 'hardening: "off"' <<-X
		$(versioned libv.so.1 V_1)
		echo 'int v1(void); int main(void) { return v1(); }' | cc -o out/p -xc - -xnone ./libv.so.1 -Wl,-rpath,/opt
		echo 'int puts(const char *); int v1(void) { return puts("v1"); }' >v.c
		cc -shared -fPIC -Wl,-soname,libv.so.1 -o out/libv.so.1 v.c
	X
	ok "$MSCTL" build -t p:1 p
	unpack_image p:1 root
	run chroot root /opt/p
	out_has v1
	sed -i 's/cc -shared .*v.c$/& -nostdlib/; s/puts("v1")/7/' p/make.sh
	fails 3 "$MSCTL" build -t p:2 p
	err_has 'needs version V_1 of libv.so.1' 'has no versions'
	no_image p:2
	cp p/out/libv.so.1 root/opt/
	run chroot root /opt/p
	differ 7 "$status" 'exit status of what was refused'
}

test_hardening() {
	local hello='int main(void) { return 0; }'
	project p <<-X
		echo '$hello' | cc -O1 -no-pie -Wl,-z,norelro -Wl,-z,execstack -o out/p -xc -
		echo '$hello' | cc -O1 -fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack -o out/good -xc -
		echo '$hello' | cc -O1 -static -no-pie -o out/static -xc -
		echo '$hello' | cc -O1 -static-pie -o out/staticpie -xc -
	X
	ok "$MSCTL" build -t p:1 p
	err_has '/opt/p is built without PIE, RELRO, a stack without code: compile and link with -fPIE -pie' \
		'-Wl,-z,relro,-z,now' '-Wl,-z,noexecstack' '/opt/static is built without PIE: compile and link with -fPIE -static-pie'
	never_says /opt/good /opt/staticpie
	echo 'for i in 1 2 3 4; do cp out/p out/p$i; done' >>p/make.sh
	ok "$MSCTL" build -t p:1 p
	err_has '1 more files are built without'
	sed -i 's/^build:/&\n  hardening: off/' p/msctl.yaml
	ok "$MSCTL" build -t p:2 p
	never_says 'is built without'
	sed -i 's/hardening: off/hardening: require/' p/msctl.yaml
	fails 3 "$MSCTL" build -t p:3 p
	err_has 'is built without PIE' 'build.hardening: warn'
	no_image p:3
}

# ---- bad input

test_a_truncated_library() {
	project p 'hardening: "off"' <<-'X'
		echo 'int t(void) { return 1; }' | cc -shared -fPIC -Wl,-soname,libt.so.1 -o out/libt.so.1 -xc -
		echo 'int t(void); int main(void) { return t(); }' | cc -o out/p -xc - -xnone out/libt.so.1 -Wl,-rpath,'$ORIGIN'
		truncate -s 5000 out/libt.so.1
		chmod -x out/libt.so.1
	X
	fails 3 "$MSCTL" build -t p:1 p
	err_has 'out/p needs libt.so.1' 'is truncated'
	no_image p:1
}

test_a_needed_name_with_a_slash() {
	# a library without a soname is needed by the path that the linker was given
	project p 'hardening: "off"' <<-'X'
		mkdir -p out/sub
		echo 'int t(void) { return 3; }' | cc -shared -fPIC -Wl,-soname,/opt/sub/libt.so -o out/sub/libt.so -xc -
		echo 'int t(void); int main(void) { return t(); }' | cc -o out/p -xc - -xnone out/sub/libt.so
	X
	ok "$MSCTL" build -t p:1 p
	unpack_image p:1 root
	run chroot root /opt/p
	same 3 "$status" 'exit status'
	sed -i '$a rm out/sub/libt.so' p/make.sh
	fails 4 "$MSCTL" build -t p:2 p
	err_has 'out/p needs /opt/sub/libt.so, which is not here' '-Wl,-soname,libt.so'
}

test_links_in_a_circle() {
	project p 'hardening: "off"' <<-'X'
		echo 'int t(void) { return 3; }' | cc -shared -fPIC -Wl,-soname,libt.so.1 -o libt.so.1 -xc -
		echo 'int t(void); int main(void) { return t(); }' | cc -o out/p -xc - -xnone ./libt.so.1 -Wl,-rpath,"$PWD/circle"
		mkdir -p circle
		ln -sfn libt.so.1 circle/libt.so.1
	X
	within 10 fails 3 "$MSCTL" build -t p:1 p
	err_has libt.so.1 links
}
