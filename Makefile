# tapengine's build. One Makefile, no recursion, no generated build system.
#   make            build/tapengine
#   make rehearse   install what the build needs, build, deploy templates/TapStack.json to the sandbox
#   make check      install what the tests need, build, run every test
#   make test       the same without installing and without lint;  asan: under ASan and UBSan;  lint;  fuzz;
#   make torture    fail every request in turn;  bench: comparisons;  clean
#   make install    the command, the library and its headers: PREFIX=/usr/local LIBDIR=$(PREFIX)/lib DESTDIR=
# MODE=release|debug|asan chooses the flags; each mode has its own folder in build/.  V=1 shows whole commands.

MODE    ?= release
BUILD   ?= build
OUT     := $(BUILD)/$(MODE)
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
CC      ?= cc
CFLAGS_release := -O2 -g
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g3 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS_asan   := -fsanitize=address,undefined
CFLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS_fuzz   := -fsanitize=fuzzer,address,undefined

LUA_PC   := $(firstword $(shell for pc in lua5.4 lua-5.4 lua; do pkg-config --exists $$pc && echo $$pc; done) lua5.4)
LIBTAP_PACKAGES := libcurl libcrypto yaml-0.1 jansson expat zlib libmicrohttpd
PACKAGES := $(LUA_PC) sqlite3 $(LIBTAP_PACKAGES)
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wwrite-strings
CPPFLAGS += -I. -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
# One set of objects serves the command, libtap.a and libtap.so; core/api.h says what is exported.
LIBRARY  := -fPIC -fvisibility=hidden -fno-semantic-interposition
CFLAGS   += -std=c11 $(LIBRARY) $(CFLAGS_$(MODE)) $(WARNINGS) $(if $(CI),-Werror)
LIBTAP_LIBS := $(shell pkg-config --libs $(LIBTAP_PACKAGES) 2>/dev/null) -lm
LDLIBS   += $(shell pkg-config --libs $(LUA_PC) sqlite3 2>/dev/null) $(LIBTAP_LIBS)
LDFLAGS  += $(LDFLAGS_$(MODE))
# The command loads these when it needs them (bindings/late.h).
LATE     := libcurl libmicrohttpd libcrypto sqlite3
LATE_LIBS := $(shell pkg-config --libs-only-l $(LATE) 2>/dev/null)
soname    = $(shell objdump -p "$$($(CC) -print-file-name=$(1).so)" 2>/dev/null | sed -n 's/^ *SONAME *//p')
late_name = $(addprefix -D$(1)=,$(patsubst %,'"%"',$(call soname,$(2))))
LATE_NAMES = $(call late_name,TAP_LATE_CURL,libcurl) $(call late_name,TAP_LATE_CRYPTO,libcrypto) \
  $(call late_name,TAP_LATE_MICROHTTPD,libmicrohttpd) $(call late_name,TAP_LATE_SQLITE,libsqlite3)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '%-5s %s\n' $(1) $(2);)

CORE     := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard core/*.c)))
BINDINGS := $(patsubst %.c,$(OUT)/%.o,$(sort $(wildcard bindings/*.c)))
TESTS    := $(patsubst spec/core/%.c,$(OUT)/test/%,$(sort $(wildcard spec/core/test_*.c)))
FUZZ_DRIVER := spec/fuzz/driver.c
FUZZERS  := $(patsubst spec/fuzz/%.c,$(OUT)/fuzz/%,$(sort $(wildcard spec/fuzz/fuzz_*.c)))
SCRIPTS  := $(sort $(shell find scripts -name '*.lua' 2>/dev/null))
MODELS   := $(sort $(wildcard vendor/aws-models/*.z))
FACTS    := $(patsubst vendor/%.z,$(OUT)/facts/%,$(sort $(wildcard vendor/cfn-schema/*.z vendor/cfn-constraints/*.z)))

# The library's version is the command's; the first number of it is that of the interface.
VERSION  := $(shell sed -n 's/.*TAP_VERSION "\(.*\)"/\1/p' core/version.h)
SONAME   := libtap.so.$(firstword $(subst ., ,$(VERSION)))
# Public is what tap.h includes.
PUBLIC   := core/tap.h $(shell sed -n 's,^\#include "\(.*\)",core/\1,p' core/tap.h)

# What no file's date tells, such as a file that is gone: a stamp is as old as the last change of its text.
STAMP_flags   = $(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS))
STAMP_objects = $(CORE) $(BINDINGS)
STAMP_models  = $(MODELS)
STAMP_facts   = $(FACTS)
STAMP_scripts = $(SCRIPTS)

.DEFAULT_GOAL := all
.PHONY: all
all: $(BUILD)/tapengine

$(BUILD)/tapengine: $(OUT)/tapengine
	$(Q)ln -sf $(MODE)/tapengine $@

$(OUT)/tapengine: $(BINDINGS) $(OUT)/script-assets.o $(OUT)/chunk-assets.o $(OUT)/fact-assets.o $(OUT)/libtap.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(filter-out $(LATE_LIBS),$(LDLIBS))

# Private: else the flags' stamp, which is made on the way, would have them, too.
$(OUT)/bindings/late_%.o: private CPPFLAGS += $(LATE_NAMES)

$(OUT)/libtap.a: $(CORE) $(OUT)/model-assets.o $(OUT)/objects.stamp
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(OUT)/libtap.so: $(CORE) $(OUT)/model-assets.o $(OUT)/objects.stamp
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $(filter %.o,$^) $(LIBTAP_LIBS)

.PHONY: always
$(patsubst %,$(OUT)/%.stamp,flags objects models facts scripts): $(OUT)/%.stamp: always
	@mkdir -p $(@D)
	@echo '$(STAMP_$*)' | cmp -s - $@ || echo '$(STAMP_$*)' > $@

$(OUT)/%.o: %.c $(OUT)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Files that are part of the program (core/assets.h).
$(OUT)/mkassets: vendor/mkassets.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=c11 -O1 $(WARNINGS) -o $@ $<

$(OUT)/model-assets.c: $(OUT)/mkassets $(MODELS) $(OUT)/models.stamp
	$(Q)$(OUT)/mkassets tap_model_assets vendor/ $(MODELS) > $@.tmp && mv $@.tmp $@

# Facts of resource types, compiled: a type's are loaded as a script is.
$(OUT)/mkfacts: vendor/mkfacts.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) -std=c11 -O1 $(WARNINGS) -o $@ $< $(LDLIBS)

$(OUT)/facts/%: vendor/%.z $(OUT)/mkfacts
	@mkdir -p $(@D)
	$(Q)$(OUT)/mkfacts $< > $@.tmp && mv $@.tmp $@

$(OUT)/fact-assets.c: $(OUT)/mkassets $(FACTS) $(OUT)/facts.stamp
	$(Q)$(OUT)/mkassets tap_fact_assets $(OUT)/facts/ $(FACTS) > $@.tmp && mv $@.tmp $@

$(OUT)/script-assets.c: $(OUT)/mkassets $(SCRIPTS) $(OUT)/scripts.stamp
	$(Q)$(OUT)/mkassets tap_script_assets scripts/ $(SCRIPTS) > $@.tmp && mv $@.tmp $@

# The same scripts compiled, for a faster start.
$(OUT)/mkchunks: vendor/mkchunks.c $(OUT)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LDLIBS)

$(OUT)/chunk-assets.c: $(OUT)/mkchunks $(OUT)/mkassets $(SCRIPTS) $(OUT)/scripts.stamp
	$(Q)rm -rf $(OUT)/chunks && $(OUT)/mkchunks $(OUT)/chunks scripts/ $(SCRIPTS)
	$(Q)$(OUT)/mkassets tap_chunk_assets $(OUT)/chunks/ $(SCRIPTS:scripts/%=$(OUT)/chunks/%) > $@.tmp && mv $@.tmp $@

$(OUT)/%-assets.o: $(OUT)/%-assets.c $(OUT)/flags.stamp
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# C tests: one cmocka program a file. Fuzz targets: with a driver that runs the seeds; `make fuzz` builds them again
# with libFuzzer. Benchmarks: programs that print ratios.
$(OUT)/test/%: spec/core/%.c $(OUT)/libtap.a
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(OUT)/libtap.a -lcmocka $(LDLIBS)

$(OUT)/fuzz/%: spec/fuzz/%.c $(FUZZ_DRIVER) $(OUT)/libtap.a
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-missing-prototypes -MMD -MP $(LDFLAGS) -o $@ $< $(FUZZ_DRIVER) \
	  $(OUT)/libtap.a $(LDLIBS)

# The example for C programs, compiled in place: <tap/...> is core/.
$(OUT)/bench/describe: examples/describe-stacks.c $(OUT)/libtap.a
	@mkdir -p $(@D) && ln -sfn $(CURDIR)/core $(@D)/tap
	$(call say,CC,$<)$(CC) $(CPPFLAGS) -I$(@D) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(OUT)/libtap.a $(LDLIBS)

$(OUT)/bench/%: spec/bench/%.c $(OUT)/libtap.a
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(OUT)/libtap.a $(LDLIBS)

.PHONY: programs fuzzers
programs: $(TESTS) $(FUZZERS)
fuzzers: $(FUZZERS)

.PHONY: rehearse check test asan fuzz torture bench lint install clean
rehearse:
	@./setup build
	@$(MAKE) --no-print-directory all
	$(BUILD)/tapengine create --sandbox --stack-name TapStackdev --template templates/TapStack.json

# Clients from npm, for spec/foreign_node_spec.lua. Where they cannot be had, its tests are pending, and say so.
$(BUILD)/npm/installed: spec/foreign/package.json
	@mkdir -p $(@D) && cp $< $(@D)
	@if [ "$$(node -p 'process.versions.node.split(".")[0] >= 20' 2>&1)" = true ] && npm --version >/dev/null 2>&1; then \
	  npm install --prefix $(@D) --no-package-lock --no-audit --no-fund --loglevel=error >/dev/null && touch $@; \
	else echo "no Node 20 with npm: the clients from npm are left out"; fi

check:
	@./setup check
	@$(MAKE) --no-print-directory -j2 all programs $(BUILD)/npm/installed
	@spec/check $(OUT)

# The suites without lint, for the time between two edits.
test: all programs
	@NO_LINT=1 spec/check $(OUT)

asan:
	@./setup check
	@$(MAKE) --no-print-directory -j2 MODE=asan all programs
	@NO_LINT=1 spec/check $(BUILD)/asan

fuzz:
	@./setup fuzz
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -j2 MODE=fuzz CC=clang FUZZ_DRIVER= fuzzers
	@$(BUILD)/tapengine spec/fuzz/templates.lua $(or $(FUZZ_SECONDS),60)s
	@spec/fuzz/run $(BUILD)/fuzz/fuzz $(or $(FUZZ_SECONDS),60)

torture: all
	$(BUILD)/tapengine spec/torture.lua

bench: all $(OUT)/bench/measure $(OUT)/bench/sign $(OUT)/bench/describe $(OUT)/bench/model
	@./setup check
	@spec/bench/run $(OUT)

lint:
	@./setup check
	@spec/lint

install: all $(OUT)/libtap.so
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(PREFIX)/include/tap $(LIBDIR)/pkgconfig $(PREFIX)/share/tapengine/templates)
	install -m 755 $(OUT)/tapengine $(DESTDIR)$(PREFIX)/bin
	install -m 644 templates/* $(DESTDIR)$(PREFIX)/share/tapengine/templates
	install -m 644 $(PUBLIC) $(DESTDIR)$(PREFIX)/include/tap
	install -m 644 $(OUT)/libtap.a $(DESTDIR)$(LIBDIR)
	install -m 755 $(OUT)/libtap.so $(DESTDIR)$(LIBDIR)/libtap.so.$(VERSION)
	ln -sf libtap.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libtap.so
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@LIBDIR@,$(LIBDIR:$(PREFIX)/%=$${prefix}/%),' -e 's,@VERSION@,$(VERSION),' -e 's,@LIBS@,$(LIBTAP_LIBS),' \
	  core/libtap.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libtap.pc

clean:
	rm -rf $(BUILD)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
