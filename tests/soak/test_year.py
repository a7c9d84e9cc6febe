"""The store of a year, in small: the quarters that are made without runs are what runs publish, and every command ends well."""

import sys

import pytest

from soak import year


def test_the_quarters_of_an_hour_are_whole_and_every_command_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["year", "--versions", "5"])
    year.main()
    said = capsys.readouterr().out
    assert said.startswith("5 versions of 27 files\n")
    assert "exit code" not in said, "verify compares manifests, pointers, index, snapshots and registry"
    assert said.count("shopmill verify events_and_funnels --all --raw") == 2
