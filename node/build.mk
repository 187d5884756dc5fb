# The Node face. Needs Node 18 or newer with npm; the root Makefile includes this file.

NODE_PLATFORM := $(shell node -p 'process.platform + "-" + process.arch + (process.platform === "linux" ? (process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl") : process.platform === "win32" ? "-msvc" : "")' 2>/dev/null)
NODE_BINARY := lightning-db.$(NODE_PLATFORM).node
# What cargo calls a dynamic library here.
NODE_CDYLIB := $(if $(findstring darwin,$(NODE_PLATFORM)),liblightning_db_node.dylib,$(if $(findstring win32,$(NODE_PLATFORM)),lightning_db_node.dll,liblightning_db_node.so))

node/node_modules/.package-lock.json: node/package.json node/package-lock.json
	npm ci --prefix node --no-audit --no-fund --loglevel=error
	@touch $@

examples/node/node_modules/lightning-db: examples/node/package.json
	npm install --prefix examples/node --no-audit --no-fund --loglevel=error
	@touch -h $@

# The library of the dev profile, and the JavaScript.
.PHONY: node-dev
node-dev: node/node_modules/.package-lock.json examples/node/node_modules/lightning-db
	cargo build --locked -p lightning_db_node
	@cp target/debug/$(NODE_CDYLIB) node/$(NODE_BINARY)
	node/node_modules/.bin/tsc -p node --declaration false --declarationDir null

# The library with disks that fail when told. What it is made of lies with everything else, the outcome apart.
NODE_FAULTS := target/faults/debug/$(NODE_CDYLIB)
.PHONY: node-faults
node-faults:
	CARGO_BUILD_BUILD_DIR=target cargo build --locked --target-dir target/faults -p lightning_db_node --features faults
	@cp $(NODE_FAULTS) $(NODE_FAULTS).node

.PHONY: test-node
test-node: node-dev node-faults ## Test the Node face
	cd node && node --expose-gc --test test/*.test.mjs
	cd node && LIGHTNING_DB_NATIVE=$(CURDIR)/$(NODE_FAULTS).node node --expose-gc --test test/faults/*.test.mjs

.PHONY: generate-node
generate-node: node-dev ## Write the generated files of the Node face
	node node/scripts/generate.mjs

.PHONY: dist-node
dist-node: node/node_modules/.package-lock.json ## Build the npm package, install it elsewhere, run its README
	cargo build --release --locked -p lightning_db_node
	node node/scripts/dist.mjs target/release/$(NODE_CDYLIB) $(NODE_BINARY)

# The library as it is given out, beside the tree.
NODE_RELEASE := $(CURDIR)/target/node/$(NODE_BINARY)
.PHONY: node-release
node-release: node/node_modules/.package-lock.json examples/node/node_modules/lightning-db
	cargo build --release --locked -p lightning_db_node
	@mkdir -p target/node
	@cp target/release/$(NODE_CDYLIB) $(NODE_RELEASE)
	node/node_modules/.bin/tsc -p node --declaration false --declarationDir null

.PHONY: clean-node
clean-node: # What the Node face leaves outside of target/.
	rm -rf node/node_modules node/lib node/*.node node/*.tgz examples/node/node_modules

.PHONY: speed-node
speed-node: node-release ## Measure calls of the Node face
	LIGHTNING_DB_NATIVE=$(NODE_RELEASE) node --expose-gc node/scripts/speed.mjs
