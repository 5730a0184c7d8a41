# Two commands: `make demo` shows the main job on a lab of real hosts, `make test` passes the tests.
OPSPLAY := .venv/bin/opsplay
PYTEST := .venv/bin/python -m pytest
WORKERS ?= 2

.PHONY: demo test lint down bench conformance clean

demo:
	@tools/setup.sh demo
	@tools/demo.sh

# What fails beside others on a busy machine is tried once more, alone; what fails alone has failed.
test:
	@tools/setup.sh test
	@tools/lint.sh
	$(PYTEST) -q -n $(WORKERS) -m "not lab" || $(PYTEST) -q --last-failed -m "not lab"
	$(PYTEST) -q -m lab || $(PYTEST) -q --last-failed -m lab

lint:
	@tools/lint.sh

down:
	$(OPSPLAY) lab down

clean: down
	rm -rf .venv .opsplay inventories/lab summary.html

# Beside its peers and one hand-written script: all works (an hour), or with QUICK=1 one play at 1 and 10 hosts.
bench:
	@test -x $(OPSPLAY) || tools/setup.sh test
	.venv/bin/python -m bench $(if $(QUICK),--quick)

# ansible-core's own integration targets, each in a throw-away overlay of a Debian made for it (as root; half an hour the first time).
conformance:
	@test -x $(OPSPLAY) || tools/setup.sh test
	.venv/bin/python -m tests.conformance.run $(if $(RECAPS),--recaps $(RECAPS))
