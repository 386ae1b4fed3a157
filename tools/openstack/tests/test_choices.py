"""What a cloud remembers of the options it was started with."""

from pathlib import Path

from tools.openstack import choices
from tools.openstack.choices import Choices


def test_survive_a_round_trip(tmp_path: Path) -> None:
    chosen = Choices(db="postgresql", extras=("cinder",), fast=False)
    choices.save(tmp_path, chosen)
    assert choices.load(tmp_path) == chosen


def test_no_file_means_no_cloud(tmp_path: Path) -> None:
    assert choices.load(tmp_path) is None


def test_what_another_version_remembered_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text('{"db": "postgresql", "colour": "blue"}')
    assert choices.load(tmp_path) == Choices(db="postgresql")


def test_only_what_is_given_changes() -> None:
    chosen = Choices(fast=False).changed_by({"fast": None, "broker": False})
    assert chosen == Choices(fast=False, broker=False)


def test_extras_are_only_added() -> None:
    chosen = Choices(extras=("octavia",)).changed_by({"extras": ("cinder",)})
    assert chosen.extras == ("cinder", "octavia")
    assert chosen.changed_by({"extras": None}).extras == ("cinder", "octavia")


def test_two_folders_have_two_suffixes(tmp_path: Path) -> None:
    assert choices.suffix(tmp_path / "a") != choices.suffix(tmp_path / "b")
    assert choices.suffix(tmp_path / "a") == choices.suffix(tmp_path / "x" / ".." / "a")
