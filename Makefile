# Two commands: `make run` starts a demo, `make test` runs every test. Both install what is missing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run
.PHONY: run build speech test soak lint tools-build tools-test

# Packages are installed as root, through sudo where that is not who we are, and never ask anything.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT := $(ROOT) env DEBIAN_FRONTEND=noninteractive apt-get
CARGO_INSTALLED := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin
export PATH := $(PATH):$(CARGO_INSTALLED)

# Installs Debian packages for programs that are not there: $(call install,program:package …)
define install
	missing=(); \
	for pair in $(1); do command -v "$${pair%%:*}" > /dev/null || missing+=("$${pair##*:}"); done; \
	if [ "$${#missing[@]}" -gt 0 ]; then \
	  echo "installing $${missing[*]}"; \
	  $(APT) update -q < /dev/null; \
	  $(APT) install -q -y --no-install-recommends "$${missing[@]}" < /dev/null; \
	fi
endef

# The same for what is no program: $(call install-files,path pattern:package …)
define install-files
	missing=(); \
	for pair in $(1); do compgen -G "$${pair%%:*}" > /dev/null || missing+=("$${pair##*:}"); done; \
	if [ "$${#missing[@]}" -gt 0 ]; then \
	  echo "installing $${missing[*]}"; \
	  $(APT) update -q < /dev/null; \
	  $(APT) install -q -y --no-install-recommends "$${missing[@]}" < /dev/null; \
	fi
endef

# PostgreSQL's programs, for tests that start a server of their own. The package would make a cluster, start it and start it
# again at every boot: it is told not to.
define postgres
	if ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then \
	  $(APT) update -q < /dev/null; \
	  $(APT) install -q -y --no-install-recommends postgresql-common < /dev/null; \
	  $(ROOT) mkdir -p /etc/postgresql-common/createcluster.d; \
	  echo "create_main_cluster = false" | $(ROOT) tee /etc/postgresql-common/createcluster.d/tongdai-tests.conf > /dev/null; \
	  $(APT) install -q -y --no-install-recommends postgresql < /dev/null; \
	fi
endef

# Asks a running server everything that its description says. Stands beside what is built, and nowhere else.
SCHEMATHESIS := 4.32.5
define schemathesis
	if ! target/schemathesis/bin/schemathesis --version 2> /dev/null | grep -qF '$(SCHEMATHESIS)'; then \
	  python3 -c 'import ensurepip' 2> /dev/null || { $(APT) update -q < /dev/null; $(APT) install -q -y --no-install-recommends python3-venv < /dev/null; }; \
	  python3 -m venv --clear target/schemathesis; \
	  target/schemathesis/bin/pip install -q --disable-pip-version-check schemathesis==$(SCHEMATHESIS); \
	fi
endef

run: build speech
	target/release/tongdai demo

# What speaks prompts, where it is not installed. A server without it runs on and says nothing.
speech:
	@$(call install,espeak-ng:espeak-ng)

build: tools-build
	cargo build --release --locked --bin tongdai

test: tools-test
	cargo nextest run --workspace --locked
	cargo test --workspace --locked --doc

# Half an hour of calls, for which no sound may be lost: not a part of `test`.
soak: tools-test
	cargo test --release --locked -p server --test soak -- --nocapture

lint: tools-build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

tools-build:
	@$(call install,cc:build-essential cmake:cmake)
	@command -v cargo > /dev/null || { echo "cargo is missing: install Rust from https://rustup.rs" >&2; exit 2; }

tools-test: tools-build speech
	@$(call install,sipp:sip-tester baresip:baresip-core sox:sox kamailio:kamailio linphonec:linphone-cli curl:curl node:nodejs npm:npm chromium:chromium python3:python3 php:php-cli mcs:mono-mcs mono:mono-runtime)
	@$(postgres)
	@$(call install-files,'/usr/lib/php/*/curl.so:php-curl' /usr/lib/mono/4.5/System.Net.Http.dll:libmono-system-net-http4.0-cil /usr/lib/mono/4.5/System.Web.Extensions.dll:libmono-system-web-extensions4.0-cil)
	@$(schemathesis)
	@cargo nextest --version > /dev/null 2>&1 || cargo install cargo-nextest --locked
	@find . \( -name node_modules -o -path ./target -o -name .git \) -prune -o -name package-lock.json -print | sort | \
	  while read -r lock; do npm ci --no-audit --no-fund --prefix "$$(dirname "$$lock")" < /dev/null; done
