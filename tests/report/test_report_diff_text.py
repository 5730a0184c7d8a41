"""Ansible's `diff` in all its documented shapes becomes unified diff text."""

import time

from opsplay.report.diff_text import LONGEST_TEXT, diff_text, result_diff


def test_texts_with_headers() -> None:
    diff = {"before": "a\nb\n", "after": "a\nc\n", "before_header": "/etc/x", "after_header": "/etc/x (new)"}
    assert diff_text(diff) == "--- before: /etc/x\n+++ after: /etc/x (new)\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"


def test_mappings_are_compared_as_json() -> None:
    assert '-    "mode": "0600"\n+    "mode": "0644"\n' in diff_text(
        {"before": {"mode": "0600"}, "after": {"mode": "0644"}}
    )


def test_missing_final_newline_is_said() -> None:
    text = diff_text({"before": "a", "after": "b"})
    assert (
        text
        == "--- before\n+++ after\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    )


def test_prepared_lists_and_items() -> None:
    assert diff_text([{"prepared": "one"}, {"prepared": "two\n"}]) == "one\ntwo\n"
    assert result_diff({"results": [{"diff": {"prepared": "x"}}, {"diff": []}, "odd"]}) == "x\n"


def test_nothing_to_show() -> None:
    for nothing in (None, "", [], {}, 7, {"before": "same", "after": "same"}):
        assert diff_text(nothing) == ""


def test_binary_and_larger_files_are_named() -> None:
    assert "binary" in diff_text({"dst_binary": 1})
    assert "104448" in diff_text({"src_larger": 104448})


def test_a_host_cannot_fill_the_report_or_stop_it() -> None:
    began = time.monotonic()
    assert "skipped" in diff_text({"before": "x\n" * 3_000_000, "after": "y\n" * 3_000_000})
    assert len(result_diff({"diff": {"prepared": "z" * 5_000_000}})) < LONGEST_TEXT + 100
    assert time.monotonic() - began < 2
