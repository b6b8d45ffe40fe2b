# Souk: set-up, demonstration and tests. Every target sets up what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)
export SOLCX_BINARY_PATH := $(VENV)/solcx
export VIRTUAL_ENV := $(VENV)
# Keccak-256 in C, six times as fast as what eth_hash takes by itself (pycryptodome)
export ETH_HASH_BACKEND := pysha3
# Unset: the first of python3.11, python3.12 and python3 that serves
export PYTHON

# Further options of the demonstration: make demo DEMO="--story silent-candidate"
DEMO ?=

# Options of the papers' figures: make figures-seccl FIGURES="--seeds 1 --dataset digits"
FIGURES ?=

# Mechanisms and options of the market: make market MARKET="hide sum --speed 15 --minutes 20"
MARKET ?=

# Mechanisms and options of chaos: make chaos CHAOS="hide sum --fault kill --runs 10"
CHAOS ?=

# Options of the study: make study STUDY="--seeds 3 --only num_words"
STUDY ?=

.PHONY: help setup setup-test market chaos demo demo-sum demo-seccl demo-hide demo-price study figures-seccl figures-hide test quick compile gas lint format doctor clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## install everything that the demonstration needs; cached
	@tools/setup

setup-test:
	@tools/setup test

demo: setup ## play a whole session on a local chain and write its report
	@ape run trade $(DEMO)

demo-sum: setup ## let honest and malicious agents share a model on a local chain
	@ape run share $(DEMO)

demo-seccl: setup ## train one model together; an attack and a lying server get nowhere
	@ape run federate --epochs 5 --attack flip --attack-from 3 --lie equivocates --lie-round 6 $(DEMO)

demo-hide: setup ## sell learnability at three levels; a cheating seller is punished
	@ape run sell --story wrong-key $(DEMO)

demo-price: setup ## price data before disclosure; buy, check and pay
	@ape run price $(DEMO)

market: setup ## one bot per party of all mechanisms on one chain, to the payouts of rehearsals
	@tools/setup ipfs-daemon
	@python -m tests.market $(MARKET)

chaos: setup ## parties of each mechanism while processes, node, datastores and clocks fail; resumable
	@tools/setup ipfs-daemon
	@python -m tests.chaos $(CHAOS)

study: setup ## reproduce the SUM paper's figures by simulation, and go beyond them
	@ape run study $(STUDY)

figures-seccl: setup ## reproduce the SecCL paper's figures, and compare attacks and defences
	@ape run figures seccl $(FIGURES)

figures-hide: setup ## reproduce the Hide-and-Seek paper's figures, and see what resists
	@ape run figures hide $(FIGURES)

test: setup-test ## every check: lint, unit and contract tests, invariants, slither
	@python -m tools.run_checks

quick: setup ## lint, types, structure, and tests near what changed since main; under three minutes
	@python -m tools.quick

compile: setup ## compile the contracts with Ape: what changed, and what imports it
	@python -m tools.compile

gas: setup ## measure the gas of every call and print it beside the paper's
	@ape test tests/gas -q -s

lint: setup ## check style and types
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-cache
	@forge fmt --check contracts tests/invariants
	@node_modules/.bin/solhint --disc --max-warnings 0 'contracts/**/*.sol'

format: setup ## format Python and Solidity
	@ruff check --fix-only --quiet .
	@ruff format .
	@forge fmt contracts tests/invariants

doctor: ## say which tools are there, in which versions
	@tools/doctor

clean: ## remove what was built, but not what was installed
	rm -rf .build .cache/forge .cache/slither-build .cache/checks .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find offchain scripts tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
