# Every target with a line "## name: what" shows up in `make help`.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
BIN = bin/plantbed bin/plantbed-virtual

# One package at a time: tests of the live gear want the machine to themselves.
run-tests = $(GO) test -p 1 -timeout 15m ./...

.PHONY: help build demo test check repeat bench-modbus fuzz-modbus deps clean $(BIN)
help: ## help: this list
	@sed -n 's/^.*## \([a-z-]*: .*\)/\1/p' $(MAKEFILE_LIST)

build: $(BIN) ## build: both binaries, into bin/
bin/plantbed:
	$(GO) build -o $@ ./cmd/plantbed
# The same program under Go's fake clock; `plantbed run` starts it by itself.
bin/plantbed-virtual:
	CGO_ENABLED=0 $(GO) build -tags faketime -o $@ ./cmd/plantbed

demo: build ## demo: run first-light in the virtual gear; two simulated hours in seconds
	bin/plantbed run first-light

test: build ## test: everything that needs no more than Go; the rest skips out loud
	$(run-tests)

check: ## check: gofmt, vet, staticcheck, the import walls, a build for macOS
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/plantbed
	$(GO) test ./internal/walls

repeat: ## repeat: twenty runs of first-light, idle and loaded, traced or not, must give one card
	PLANTBED_REPEAT=20 $(GO) test ./cmd/plantbed -run TestTheSameAgain -count=1 -v -timeout 30m

bench-modbus: ## bench-modbus: the Modbus server beside mbserver and libmodbus, into bench/modbus.json
	$(GO) build -o bin/bench-modbus ./bench/modbus
	bin/bench-modbus

bench-opcua: ## bench-opcua: the OPC UA server beside open62541 (OPEN62541_DIR) and node-opcua, and its size, into bench/opcua.json
	[ -d bench/opcua/peer/node_modules ] || npm install --prefix bench/opcua/peer --no-audit --no-fund --no-package-lock --silent || true
	$(GO) build -o bin/bench-opcua ./bench/opcua
	bin/bench-opcua

bench-kernel: ## bench-kernel: the kernel beside a C heap loop, simgo and SimPy; writes bench/kernel.json and docs/KERNEL.md
	$(GO) run ./bench/kernel

interop: ## interop: clients that nobody here wrote against the PLCs, and the table docs/INTEROP.md
	rm -f bin/interop.jsonl
	mkdir -p bin
	PLANTBED_REQUIRE=1 PLANTBED_INTEROP_OUT=$(CURDIR)/bin/interop.jsonl $(GO) test -p 1 -count 1 ./sim/plc/opcua ./sim/plc/modbus
	PLANTBED_REQUIRE=1 PLANTBED_INTEROP_OUT=$(CURDIR)/bin/interop.jsonl $(GO) test -count 1 -run InteropServe ./harness
	$(GO) run ./internal/interop bin/interop.jsonl > docs/INTEROP.md

.PHONY: bench-dataset
bench-dataset: ## bench-dataset: sensor values a second into a data set, physics alone and with Parquet; writes bench/dataset.json
	$(GO) build -o bin/bench-dataset ./bench/dataset
	bin/bench-dataset

deps: ## deps: what tests and benches want beyond Go (apt, npm)
	.ci/deps

fuzz-modbus: ## fuzz-modbus: a million inputs to the Modbus frame parser and register bank
	$(GO) test ./sim/plc/modbus -run xxx -fuzz FuzzStream -fuzztime 1000000x

.PHONY: fuzz-opcua
fuzz-opcua: ## fuzz-opcua: 300,000 inputs to the OPC UA frame parser and services, 150,000 to the reader of models
	$(GO) test ./sim/plc/opcua -run xxx -fuzz FuzzFrame -fuzztime 300000x
	$(GO) test ./sim/plc/opcua -run xxx -fuzz FuzzModel -fuzztime 150000x

clean: ## clean: binaries and runs
	rm -rf bin runs

.PHONY: torture-gateway
torture-gateway: build ## torture-gateway: kill the gateway 1,100 times and say what was lost (bench/torture-gateway.md)
	PLANTBED_TORTURE=1 PLANTBED_TORTURE_OUT=$(CURDIR)/bench/torture-gateway.md $(GO) test -v -count 1 -timeout 20m -run TortureGateway ./harness
	$(GO) run ./bench/gateway -docs docs/GATEWAY.md

.PHONY: bench-detector
bench-detector: ## bench-detector: the shipped detector beside trivial ones at one false-alarm rate, into bench/detector.json
	$(GO) build -o bin/bench-detector ./bench/detector
	bin/bench-detector

.PHONY: bench-gateway
bench-gateway: build ## bench-gateway: the gateway beside Telegraf (found on PATH) at one mosquitto, into bench/gateway.json and .md
	$(GO) build -o bin/bench-gateway ./bench/gateway
	bin/bench-gateway
	bin/bench-gateway -profile
	bin/bench-gateway -docs docs/GATEWAY.md

.PHONY: bench-wire
bench-wire: ## bench-wire: what a link without a fault adds to a round trip, beside io.Copy, into bench/wire.json
	$(GO) build -o bin/bench-wire ./bench/wire
	bin/bench-wire

.PHONY: hunt-defects bench-hunt
hunt-defects: build ## hunt-defects: hunt for every planted defect, two minutes each at most, and shrink it
	PLANTBED_HUNT=1 $(GO) test ./harness/hunt -run Planted -count=1 -v -timeout 40m

bench-hunt: build ## bench-hunt: plans a minute and CPU seconds a plan of the ten-tag line, into bench/hunt.json
	$(GO) build -o bin/bench-hunt ./bench/hunt
	bin/bench-hunt

.PHONY: sut
sut: ## sut: what each shipped adapter of another gateway loses in edge-drops, into docs/SUT.md; programs are found on PATH
	PLANTBED_SUT=1 PLANTBED_SUT_OUT=$(CURDIR)/docs/SUT.md $(GO) test ./harness -run TestAdapters -count=1 -v -timeout 30m
