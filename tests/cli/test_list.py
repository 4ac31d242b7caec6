"""`imgconv list`."""

from __future__ import annotations

import json

import imgconv
from imgconv.filters import FILTERS


def test_every_entry_is_listed_with_its_description(done):
    text = done("list")
    catalog = imgconv.load_catalog()
    for entries in (catalog.kernels, catalog.operators, catalog.filters, FILTERS):
        for name, entry in entries.items():
            line = next(line for line in text.splitlines() if line.split()[:1] == [name])
            assert entry.about.split()[0] in line
    assert max(map(len, text.splitlines())) <= 100


def test_json_has_the_parameters(done):
    groups = json.loads(done("list", "--json"))
    kernels = {entry["name"]: entry for entry in groups["kernels"]}
    assert set(kernels) == set(imgconv.load_catalog().kernels)
    assert kernels["box"]["parameters"]["size"] == 3
    assert {entry["name"] for entry in groups["filters"]} >= {"edges", "crisp"}


def test_user_kernels(done, tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("kernels:\n  mine: {about: my own, matrix: [[1]]}\n")
    assert "my own" in done("list", "--kernels", "mine.yaml")
    assert "my own" not in done("list")
    monkeypatch.setenv("IMGCONV_KERNELS", str(tmp_path / "mine.yaml"))
    assert "my own" in done("list")


def test_a_mistake_is_reported_with_file_line_and_key(fails, tmp_path):
    (tmp_path / "bad.yaml").write_text("kernels:\n  mine:\n    abuot: x\n    matrix: [[1]]\n")
    message = fails(3, "list", "--kernels", "bad.yaml")
    assert "bad.yaml:3" in message
    assert "did you mean about?" in message


def test_words_select_entries(done, fails):
    names = [line.split()[0] for line in done("list", "BLUR", "sigma").splitlines() if line.startswith("  ")]
    assert "gaussian" in names
    assert "sharpen" not in names
    groups = json.loads(done("list", "kirsch", "--json"))
    assert [[entry["name"] for entry in entries] for entries in groups.values()] == [["kirsch"], ["kirsch"], []]
    assert "no kernel, operator or filter contains 'xyz'" in fails(3, "list", "xyz")


def test_no_line_is_wider_than_the_terminal(done, monkeypatch):
    for columns in (60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert max(map(len, done("list").splitlines())) <= min(columns, 100)
