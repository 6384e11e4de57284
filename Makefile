# msctl's build: one file, no recursion, one folder per flag set (build/rel, build/san, build/cov).
#
#   make            build/rel/msctl            make check       unit, CLI and meta tests, fuzz corpora
#   make SAN=1 ...  the same under sanitizers  make test        check, then end-to-end on real servers
#   make lint       all static checks          make demo        the main job, on this machine
#   make install PREFIX=/usr/local DESTDIR=    make help

SHELL := /bin/bash
comma := ,
MAKEFLAGS += --no-builtin-rules
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)' $(patsubst $(B)/%,%,$@))
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

VERSION := 0.1.0
PREFIX ?= /usr/local
CC := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
PKG_CONFIG ?= pkg-config

# from the highest floor to the lowest: the order in which the linker sees each archive, once
AREAS := deploy build supply scaffold runtime kube registry oci elf http repo tar conf tmpl doc crypto base

ifdef SAN
B ?= build/san
MODE_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
else ifdef COV
B ?= build/cov
MODE_FLAGS := -O0 --coverage
else
B ?= build/rel
MODE_FLAGS := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection $(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full) \
	-ftrivial-auto-var-init=zero
endif

# CFLAGS, CPPFLAGS and LDFLAGS are the user's; these are the project's.
WERROR ?= 1
WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Wjump-misses-init \
	-Wnull-dereference -Wbidi-chars=any $(if $(filter 1,$(WERROR)),-Werror)
STD := -std=gnu17 -D_GNU_SOURCE -Ilib -I. -DMSCTL_VERSION='"$(VERSION)"'
SAFE := -g -fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks -fno-common \
	-fvisibility=hidden -fPIE -ffile-prefix-map=$(CURDIR)=.
PROJECT_CFLAGS = $(STD) $(WARN) $(SAFE) $(MODE_FLAGS) -MMD -MP
# libdeflate.a is built without IBT marks, so the linker drops that one; a shadow stack does not mind
PROJECT_LDFLAGS = $(MODE_FLAGS) -pie -Wl,-z,relro,-z,now,-z,noexecstack$(if $(filter x86_64,$(shell uname -m)),$(comma)-z$(comma)shstk),--as-needed

LIBS := $(shell $(PKG_CONFIG) --libs jansson yaml-0.1 libcrypto 2>/dev/null) \
	-l:libdeflate.a -l:libzstd.a -lz -ldl -lpthread
TEST_LIBS := -lcriterion

lib_sources = $(sort $(wildcard lib/$(1)/*.c))
archives := $(foreach a,$(AREAS),$(if $(call lib_sources,$(a)),$(B)/lib/$(a).a))
cmd_objects := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard cmd/*.c)))
template_files := $(sort $(shell find templates -type f 2>/dev/null))

.PHONY: all
all: $(B)/msctl

$(B)/msctl: $(cmd_objects) $(B)/templates.o $(archives)
	$(call say,LD )
	$(Q)$(CC) $(PROJECT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# BANNED: the sources of the project may not use what base/banned.h names
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC )
	$(Q)$(CC) $(PROJECT_CFLAGS) -include base/banned.h $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/cmd/completion.o: completions/msctl.bash completions/_msctl completions/msctl.fish

define area_rule
$(B)/lib/$(1).a: $(patsubst %.c,$(B)/%.o,$(call lib_sources,$(1)))
	$$(call say,AR )
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$^
endef
AR := $(if $(filter default undefined,$(origin AR)),ar,$(AR))
$(foreach a,$(AREAS),$(if $(call lib_sources,$(a)),$(eval $(call area_rule,$(a)))))

# ---- the built-in templates, as one object
$(B)/templates.c: tests/meta/embed.sh $(template_files)
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)bash tests/meta/embed.sh templates >$@.tmp && mv $@.tmp $@

$(B)/templates.o: $(B)/templates.c
	$(call say,CC )
	$(Q)$(CC) $(PROJECT_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# ---- unit tests: one binary an area, linked with the archives of its floor and below
unit_areas := $(foreach a,$(AREAS) cmd,$(if $(wildcard tests/unit/$(a)/*.c),$(a)))
unit_bins := $(patsubst %,$(B)/tests/unit_%,$(unit_areas))
unit_sources = $(sort $(wildcard tests/unit/$(1)/*.c))
below = $(shell echo '$(AREAS)' | awk -v a=$(1) '{for(i=1;i<=NF;i++){if($$i==a)on=1;if(on||a=="cmd")print $$i}}')
below_archives = $(foreach a,$(call below,$(1)),$(if $(call lib_sources,$(a)),$(B)/lib/$(a).a))

define unit_rule
$(B)/tests/unit_$(1): $(patsubst %.c,$(B)/%.o,$(call unit_sources,$(1))) \
		$(if $(filter cmd,$(1)),$(filter-out $(B)/cmd/main.o,$(cmd_objects)) $(B)/templates.o) \
		$(if $(filter scaffold,$(1)),$(B)/templates.o) $(call below_archives,$(1))
	@mkdir -p $$(@D)
	$$(call say,LD )
	$$(Q)$$(CC) $$(PROJECT_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS) $$(TEST_LIBS)
endef
$(foreach a,$(unit_areas),$(eval $(call unit_rule,$(a))))

.PHONY: unit $(patsubst %,unit-%,$(unit_areas))
unit: $(unit_bins)
$(patsubst %,unit-%,$(unit_areas)): unit-%: $(B)/tests/unit_%
	tests/run unit $(B) $*

# ---- fuzz targets, linked with a replayer (or with libFuzzer by `make fuzz`)
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_bins := $(patsubst %,$(B)/tests/fuzz_%,$(fuzz_names))

$(B)/tests/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(archives)
	@mkdir -p $(@D)
	$(call say,LD )
	$(Q)$(CC) $(PROJECT_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# libFuzzer: make fuzz FUZZ=yaml [FUZZ_SECONDS=60]
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz:
	tests/fuzz/run.sh $(FUZZ) $(FUZZ_SECONDS)

# ---- tests
.PHONY: check check-build test
check-build: all unit $(fuzz_bins)
check: check-build
	tests/run check $(B)

test:
	tests/run test $(if $(KUBE),KUBE=1)

.PHONY: lint demo bench
lint:
	tests/meta/lint.sh

# what builds cost beside buildah and umoci: make bench [BENCH="cold same"] [RUNS=9]
bench: $(B)/msctl
	MSCTL=$(B)/msctl tests/bench/build.sh $(BENCH)

demo:
	tests/demo.sh

# ---- install
bindir := $(PREFIX)/bin
mandir := $(PREFIX)/share/man
.PHONY: install uninstall
install: all man
	install -D -m 755 $(B)/msctl $(DESTDIR)$(bindir)/msctl
	for f in $(B)/man/*.[15]; do install -D -m 644 $$f $(DESTDIR)$(mandir)/man$${f##*.}/$${f##*/}; done
	install -D -m 644 completions/msctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/msctl
	install -D -m 644 completions/_msctl $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_msctl
	install -D -m 644 completions/msctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/msctl.fish

.PHONY: man
man: $(B)/msctl
	tests/meta/gen-man.sh $(B)/msctl $(B)/man

.PHONY: clean help
clean:
	rm -rf build
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

-include $(shell find $(B) -name '*.d' 2>/dev/null)
