# The native release toolchain for Pear.
#
#   make run       install what is missing, build, and show a whole release
#   make test      install what tests need, run everything
#   make           build the commands into build/bin
#   make unit lint link-test fuzz-replay cmd-test crash-test interop browser sim
#   make cycle hostile-test examples
#   make fuzz bench natlab soak tidy install    longer, on request
#
#   SAN=address,undefined   a sanitizer build beside the ordinary one
#   CC=clang  V=1 (show commands)  PREFIX=/usr/local  DESTDIR=

include rooms.mk

comma := ,
B ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
CC ?= cc
VERSION := $(shell cat VERSION)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla \
	-Wimplicit-fallthrough -Wswitch-enum -fno-common
WERROR ?= $(if $(CI),-Werror)
OPT ?= $(if $(SAN),-O1 -fno-omit-frame-pointer,-O2 -D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -DPEAR_VERSION='"$(VERSION)"' -g $(OPT) \
	-fstack-protector-strong -fPIE $(WARN) $(WERROR) $(SANFLAGS) -I. -Ilib -Itests/unit -Itests/unit/support \
	$(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);)

# -- rooms ------------------------------------------------------------------
room_dir = $(if $(filter drive build-tool multisig review,$(1)),$(1),lib/$(patsubst net-%,net/%,$(1)))
room_src = $(wildcard $(call room_dir,$(1))/*.c)
archive = $(B)/lib$(1).a
# a room's archives in link order, then its external libraries
closure = $(1) $(uses_$(1))
archives = $(foreach r,$(call closure,$(1)),$(if $(call room_src,$(r)),$(call archive,$(r))))
externals = $(foreach r,$(call closure,$(1)),$(ext_$(r)))

define room_rule
$(call archive,$(1)): $(patsubst %.c,$(B)/%.o,$(call room_src,$(1)))
	$$(call say,AR,$$@)rm -f $$@ && ar rcs $$@ $$^
endef

# -- commands ---------------------------------------------------------------
# cmd/NAME/*.c is one binary; cmd/common is shared by them.
CMDS := $(filter-out common,$(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.c)))))
BINS := $(addprefix $(B)/bin/,$(CMDS))
TOP_ROOMS := blind peer swarm replicate net-dht net-rpc net-secret net-noise net-udx net-relay net-mux \
	net-io net-http monitor review multisig drive build-tool git cli pear hyperdrive bee blobs \
	core store merkle crypto codec base
TOP_ARCHIVES := $(foreach r,$(TOP_ROOMS),$(if $(call room_src,$(r)),$(call archive,$(r))))
TOP_EXT := -Wl,--as-needed -luv -lmicrohttpd -llmdb -lsodium -ljansson -lutf8proc -lgit2
# an archive: a command links only what it uses of it
COMMON := $(B)/libcommon.a

all: $(BINS)

$(COMMON): $(patsubst %.c,$(B)/%.o,$(wildcard cmd/common/*.c))
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

define cmd_rule
$(B)/bin/$(1): $(patsubst %.c,$(B)/%.o,$(wildcard cmd/$(1)/*.c)) $(patsubst %.html,$(B)/%_html.o,$(wildcard cmd/$(1)/*.html)) $(COMMON) $(TOP_ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(TOP_EXT) -lpthread -lm
endef

$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))
$(foreach c,$(CMDS),$(eval $(call cmd_rule,$(c))))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# a page is an array: cmd/X/NAME.html is NAME_html[NAME_html_len]
$(B)/%_html.c: %.html
	@mkdir -p $(@D)
	$(Q){ echo '#include <stddef.h>'; \
	    echo 'extern const unsigned char $(basename $(notdir $<))_html[];'; \
	    echo 'extern const size_t $(basename $(notdir $<))_html_len;'; \
	    echo 'const unsigned char $(basename $(notdir $<))_html[] = {'; \
	    od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g'; echo '};'; \
	    echo 'const size_t $(basename $(notdir $<))_html_len = sizeof($(basename $(notdir $<))_html);'; \
	} >$@
$(B)/%_html.o: $(B)/%_html.c
	$(call say,CC,$<)$(CC) $(CFLAGS_ALL) -c -o $@ $<

# -- unit tests -------------------------------------------------------------
# tests/unit/ROOM/test_*.c links only the archives of ROOM's arrows.
# tests/unit/support is shared by all of them.
SUPPORT := $(patsubst %.c,$(B)/%.o,$(wildcard tests/unit/support/*.c))
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNITS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
unit_room = $(word 3,$(subst /, ,$(1)))

define unit_rule
$(patsubst tests/unit/%.c,$(B)/unit/%,$(1)): $(patsubst %.c,$(B)/%.o,$(1)) $(SUPPORT) $(call archives,$(call unit_room,$(1))) $(call archive,codec) $(call archive,base)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $(call externals,$(call unit_room,$(1))) -ljansson -lcmocka -lpthread -lm
endef
$(foreach t,$(UNIT_SRC),$(eval $(call unit_rule,$(t))))

units: $(UNITS)
unit: $(UNITS)
	@tests/run-units.sh $(UNITS)

# -- fuzzing ----------------------------------------------------------------
# make fuzz: libFuzzer binaries (clang), FUZZ_SECONDS each; make fuzz-replay:
# the corpus through a plain driver, part of make test.
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_REPLAY := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
FUZZ_SECONDS ?= 600

define fuzz_rule
$(B)/fuzz/$(notdir $(basename $(1))): $(B)/$(basename $(1)).o $(B)/tests/fuzz/standalone.o $(SUPPORT) $(TOP_ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(TOP_EXT) -lpthread -lm
endef
$(foreach t,$(FUZZ_SRC),$(eval $(call fuzz_rule,$(t))))

fuzz-build: $(FUZZ_REPLAY)
fuzz-replay: $(FUZZ_REPLAY)
	@tests/fuzz/replay.sh $(FUZZ_REPLAY)
fuzz:
	@tests/fuzz/run.sh $(FUZZ_SECONDS)
# what tests/fuzz/run.sh links its own targets with
fuzz-libs: $(SUPPORT) $(TOP_ARCHIVES)
print-fuzz-libs: ; @echo $(SUPPORT) $(TOP_ARCHIVES) $(TOP_EXT) -lpthread -lm

# -- tools of the tests ------------------------------------------------------
# One program per file; the shim is a library to preload.
SHIM := $(B)/tools/crash_shim.so
TOOL_SRC := $(filter-out %_shim.c,$(wildcard tests/crash/*.c tests/interop/*.c \
	tests/browser/*.c tests/tunlab/*.c tests/natlab/*.c bench/*.c))
TOOLS := $(addprefix $(B)/tools/,$(notdir $(basename $(TOOL_SRC))))

define tool_rule
$(B)/tools/$(notdir $(basename $(1))): $(patsubst %.c,$(B)/%.o,$(1)) $(TOP_ARCHIVES)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(TOP_EXT) -lpthread -lm
endef
$(foreach t,$(TOOL_SRC),$(eval $(call tool_rule,$(t))))

$(SHIM): tests/crash/crash_shim.c
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) $(WERROR) -fPIC -shared -o $@ $< -ldl

tools: $(TOOLS) $(SHIM)

# -- streams on bad lines, in virtual time: SEEDS=n how many, SEED=n one -------
SIM := $(B)/tools/sim
$(SIM): $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c)) $(call archive,net-udx) $(call archives,net-rpc)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lsodium -ljansson
sim: $(SIM) ; @$(SIM) $(SEEDS)

# -- peers that lie: tests/hostile, one program of several files ---------------
HOSTILE := $(B)/tools/hostile
$(HOSTILE): $(patsubst %.c,$(B)/%.o,$(wildcard tests/hostile/*.c)) $(TOP_ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TOP_EXT) -lpthread -lm
tools: $(HOSTILE)
hostile-test: all tools ; @tests/hostile/run.sh $(B)

# -- link tests --------------------------------------------------------------
# Each room with nothing but its arrows: every object of every archive.
LINKS := $(foreach r,$(ROOMS),$(if $(call room_src,$(r)),$(B)/link/$(r)))

define link_rule
$(B)/link/$(1): $(B)/tests/lint/link_main.o $(call archives,$(1))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(LDFLAGS_ALL) -Wl,--as-needed -o $$@ $$< -Wl,--whole-archive $(call archives,$(1)) -Wl,--no-whole-archive $(sort $(call externals,$(1))) -lpthread -lm
endef
$(foreach r,$(ROOMS),$(if $(call room_src,$(r)),$(eval $(call link_rule,$(r)))))

link-build: $(LINKS)
link-test: $(LINKS)
	@tests/lint/link.sh $(LINKS)

# -- everything else --------------------------------------------------------
run: ; @scripts/setup.sh build && $(MAKE) all && examples/release.sh
test: ; @scripts/setup.sh test && tests/run.sh
lint: ; @tests/lint/run.sh
tidy: ; @tests/lint/tidy.sh
cmd-test: all tools ; @tests/cmd/run.sh $(B)/bin
crash-test: all tools ; @tests/crash/run.sh $(B)
interop: all tools ; @tests/interop/run.sh $(B)
cycle: all ; @tests/cycle/run.sh $(B)
browser: all tools ; @tests/browser/run.sh $(B)
natlab-smoke: all tools ; @tests/natlab/run.sh $(B) --smoke
relay-smoke: all tools ; @tests/natlab/run.sh $(B) --relay --smoke
# needs root and ten minutes; NATLAB="--doc docs/NAT.md" writes the page
natlab: all tools ; @scripts/setup.sh test && tests/natlab/run.sh $(B) $(NATLAB)
# needs root and two minutes
relay: all tools ; @scripts/setup.sh test && tests/natlab/run.sh $(B) --relay
# needs root and half an hour; SOAK_SECONDS=60 make soak
soak: all tools ; @scripts/setup.sh test && tests/soak/run.sh $(B)
examples: all ; @examples/release.sh
bench: all tools ; @scripts/setup.sh bench && bench/run.sh $(B)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	ln -sf hyper-multisig $(DESTDIR)$(PREFIX)/bin/hyper-multisig-bare
	install -m 644 $(wildcard cmd/*/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local|$(PREFIX)|' packaging/systemd/pear-seed.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/pear-seed.service
clean: ; rm -rf build

.PHONY: all units unit fuzz fuzz-build fuzz-replay fuzz-libs \
	print-fuzz-libs tools link-build link-test run test lint tidy \
	cmd-test crash-test hostile-test interop cycle browser natlab natlab-smoke relay relay-smoke soak examples bench install clean sim
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
