#!/bin/bash
# Style, types and layers.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff check -q opsplay tests
.venv/bin/mypy --no-error-summary opsplay
.venv/bin/lint-imports --no-cache 2>&1 | tail -3
