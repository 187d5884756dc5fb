# The C and C++ face: header, libraries, tests, package.

C_OUT := target/c
C_LIBRARIES := target/debug
C_VERSION = $(shell sed -n 's/^.define LIGHTNING_DB_VERSION "\(.*\)"$$/\1/p' c/include/lightning_db.h)
C_NAME = lightning_db-c-$(C_VERSION)-$(shell uname -m)-$(shell uname -s | tr A-Z a-z)
C_ARCHIVE = target/dist/$(C_NAME).tar.gz
C_CASES := $(sort $(wildcard bindings/conformance/*.json))

C_WARN := -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror
CXX_WARN := $(C_WARN) -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor -Wextra-semi -Wnull-dereference -Wcast-qual
C_SANITIZE := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
C_STATIC := $(C_LIBRARIES)/liblightning_db_c.a
# What the static library needs of the system.
C_LIBS := -lpthread -ldl -lm
C_LINK := $(C_STATIC) $(C_LIBS)
C_HEADERS := c/include/lightning_db.h $(wildcard c/include/*.hpp c/include/lightning_db/*.hpp c/tests/*.h c/tests/conformance/*.h)
C_RUNNER := $(addprefix c/tests/conformance/,run.c cases.c figures.c files.c steps.c handles.c data.c upkeep.c)
C_EXAMPLES := quickstart transfer prefix_scan backup
C_TESTS := bad_use threads owners printed
# A library with disks that fail when told, and what is tested with it.
C_FAULTS := target/faults/debug/liblightning_db_c.a
C_FAULT_CASES := $(sort $(wildcard bindings/conformance/faults/*.json))
C_FAULT_PROGRAMS := $(addprefix faults/,forms conformance_c conformance_cpp)
C_PROGRAMS := $(C_TESTS) conformance_c conformance_cpp $(C_EXAMPLES) $(addsuffix _cpp,$(C_EXAMPLES))

# What hangs for ten minutes has failed.
C_LIMIT := $(if $(shell command -v timeout),timeout --verbose 600)
# A folder that is empty before and gone behind: $(call c_run,PROGRAM,ARGUMENTS)
c_run = @rm -rf $(C_OUT)/work && mkdir -p $(C_OUT)/work && $(C_LIMIT) $(1) $(C_OUT)/work $(2) && rm -rf $(C_OUT)/work
c_say = @printf '\n== C: %s\n' $(1)

.PHONY: generate-c
generate-c: ## Write the C header
	LIGHTNING_DB_GENERATE=1 cargo test -q --locked -p lightning_db_c --test header

.PHONY: test-c
test-c: c-tools c-library c-headers $(addprefix $(C_OUT)/,$(C_PROGRAMS) $(C_FAULT_PROGRAMS) forked valgrind_c) ## Test the C and C++ faces
	$(call c_say,'the crate and the drift of the header')
	cargo test -q --locked -p lightning_db_c
	$(call c_say,'exported symbols')
	@c/tests/exports.sh $(C_LIBRARIES)/liblightning_db_c.so c/include/lightning_db.h
	$(call c_say,'tests under AddressSanitizer and UBSan')
	$(foreach test,$(C_TESTS),$(call c_run,$(C_OUT)/$(test),)$(c_newline))
	$(call c_say,'a child made by fork')
	$(call c_run,$(C_OUT)/forked,)
	$(call c_say,'examples')
	$(foreach test,$(C_EXAMPLES) $(addsuffix _cpp,$(C_EXAMPLES)),$(call c_run,$(C_OUT)/$(test),>$(C_OUT)/example.txt || { cat $(C_OUT)/example.txt; exit 1; })$(c_newline))
	@echo 'examples: $(words $(C_EXAMPLES) $(C_EXAMPLES)) passed'
	$(call c_say,'conformance through C and C++ under AddressSanitizer and UBSan')
	$(call c_run,$(C_OUT)/conformance_c,$(C_CASES))
	$(call c_run,$(C_OUT)/conformance_cpp,$(C_CASES))
	$(call c_run,c/tests/conformance/refused.sh $(C_OUT)/conformance_c,)
	$(call c_say,'disks that fail through C and C++ under AddressSanitizer and UBSan')
	$(call c_run,$(C_OUT)/faults/forms,)
	$(call c_run,$(C_OUT)/faults/conformance_c,$(C_FAULT_CASES))
	$(call c_run,$(C_OUT)/faults/conformance_cpp,$(C_FAULT_CASES))
	$(call c_say,'conformance through C under valgrind')
	$(call c_run,valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite $(C_OUT)/valgrind_c,$(C_CASES))
	$(call c_say,'all tests passed')

define c_newline


endef

.PHONY: dist-c
dist-c: ## Package the C libraries, and use the package
	@CC='$(CC)' c/tests/tools.sh cc=gcc
	cargo build --release --locked -p lightning_db_c
	@c/dist/stage.sh "$(CURDIR)/target/release" "$(CURDIR)/$(C_OUT)/$(C_NAME)" strip
	@c/tests/exports.sh "$(C_OUT)/$(C_NAME)/lib/liblightning_db.so" c/include/lightning_db.h
	@c/dist/archive.sh $(C_OUT)/$(C_NAME) target/dist
	@c/tests/installed.sh $(C_ARCHIVE) $(C_OUT)/installed

.PHONY: speed-c
speed-c: ## Measure calls of C beside the same calls of Rust
	cargo build --release --locked -p lightning_db_c --example c_speed
	cargo build --release --locked -p lightning_db_c
	@c/dist/stage.sh "$(CURDIR)/target/release" "$(CURDIR)/$(C_OUT)/speed"
	@mkdir -p $(C_OUT)
	$(CC) -O2 -Ic/include c/tests/speed/speed.c $(C_OUT)/speed/lib/liblightning_db.a $(C_LIBS) -o $(C_OUT)/speed_static
	$(CC) -O2 -Ic/include c/tests/speed/speed.c -L$(C_OUT)/speed/lib -llightning_db -Wl,-rpath,$(CURDIR)/$(C_OUT)/speed/lib -o $(C_OUT)/speed_shared
	$(call c_run,target/release/examples/c_speed,)
	@echo 'static library:'
	$(call c_run,$(C_OUT)/speed_static,)
	@echo 'shared library:'
	$(call c_run,$(C_OUT)/speed_shared,)

.PHONY: c-tools
c-tools:
	@mkdir -p $(C_OUT)/faults
	@CC='$(CC)' c/tests/tools.sh cc=gcc c++=g++ valgrind=valgrind cjson/cJSON.h=libcjson-dev nm=binutils

# Cargo decides what is built, and the time of the file whether programs are.
.PHONY: c-library
c-library: $(C_STATIC)

.PHONY: c-force
c-force:

$(C_STATIC): c-force
	$(call c_say,'building the library')
	cargo build --locked -p lightning_db_c

# What it is made of lies with everything else, the outcome apart.
$(C_FAULTS): c-force
	$(call c_say,'building the library with disks that fail')
	CARGO_BUILD_BUILD_DIR=target cargo build --locked --target-dir target/faults -p lightning_db_c --features faults

.PHONY: c-headers
c-headers: c-tools
	$(call c_say,'headers compile alone')
	@CC='$(CC)' CXX='$(CXX)' C_WARN='$(C_WARN)' CXX_WARN='$(CXX_WARN)' c/tests/headers.sh

$(C_OUT)/%: c/tests/%.c $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) $(C_SANITIZE) -Ic/include -Ic/tests $< $(C_LINK) -o $@

$(C_OUT)/forked: c/tests/forked.c $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) -g -O1 -Ic/include -Ic/tests $< $(C_LINK) -o $@

$(C_OUT)/%: c/tests/%.cpp $(C_STATIC) $(C_HEADERS) | c-tools
	$(CXX) -std=c++17 $(CXX_WARN) $(C_SANITIZE) -Ic/include -Ic/tests $< $(C_LINK) -o $@

$(C_OUT)/%: examples/c/%.c $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=c99 $(C_WARN) $(C_SANITIZE) -Ic/include $< $(C_LINK) -o $@

$(C_OUT)/%_cpp: examples/cpp/%.cpp $(C_STATIC) $(C_HEADERS) | c-tools
	$(CXX) -std=c++17 $(CXX_WARN) $(C_SANITIZE) -Ic/include $< $(C_LINK) -o $@

$(C_OUT)/conformance_c: $(C_RUNNER) c/tests/conformance/face_c.c $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) $(C_SANITIZE) -Ic/include $(filter %.c,$^) $(C_LINK) -lcjson -o $@

$(C_OUT)/valgrind_c: $(C_RUNNER) c/tests/conformance/face_c.c $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) -g -O1 -Ic/include $(filter %.c,$^) $(C_LINK) -lcjson -o $@

$(C_OUT)/conformance_cpp: $(C_RUNNER) c/tests/conformance/face_cpp.cpp $(C_STATIC) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) $(C_SANITIZE) -Ic/include -r $(C_RUNNER) -o $(C_OUT)/runner.o
	$(CXX) -std=c++17 $(CXX_WARN) $(C_SANITIZE) -Ic/include c/tests/conformance/face_cpp.cpp $(C_OUT)/runner.o $(C_LINK) -lcjson -o $@

C_FAULT_LINK := $(C_FAULTS) $(C_LIBS)
C_FAULT_RUNNER := $(C_RUNNER) c/tests/conformance/faults.c

$(C_OUT)/faults/forms: c/tests/faults.cpp $(C_FAULTS) $(C_HEADERS) | c-tools
	$(CXX) -std=c++17 $(CXX_WARN) $(C_SANITIZE) -Ic/include -Ic/tests $< $(C_FAULT_LINK) -o $@

$(C_OUT)/faults/conformance_c: $(C_FAULT_RUNNER) c/tests/conformance/face_c.c $(C_FAULTS) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) $(C_SANITIZE) -DLIGHTNING_DB_FAULTS -Ic/include $(filter %.c,$^) $(C_FAULT_LINK) -lcjson -o $@

$(C_OUT)/faults/conformance_cpp: $(C_FAULT_RUNNER) c/tests/conformance/face_cpp.cpp $(C_FAULTS) $(C_HEADERS) | c-tools
	$(CC) -std=gnu11 $(C_WARN) $(C_SANITIZE) -DLIGHTNING_DB_FAULTS -Ic/include -r $(C_FAULT_RUNNER) -o $(C_OUT)/faults/runner.o
	$(CXX) -std=c++17 $(CXX_WARN) $(C_SANITIZE) -DLIGHTNING_DB_FAULTS -Ic/include c/tests/conformance/face_cpp.cpp $(C_OUT)/faults/runner.o $(C_FAULT_LINK) -lcjson -o $@
