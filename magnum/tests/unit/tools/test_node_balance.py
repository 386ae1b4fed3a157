"""What a balancer is told, as it stands in its file."""

from pathlib import Path

from tools.node_run import balance
from tools.node_run.balance import Front


def test_the_file_says_the_same_when_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "balance" / "n.json"
    fronts = [Front("10.0.0.9", 80, (("10.0.0.5", 8080),)), Front("10.0.0.9", 81, ())]
    assert balance.read(file) == []
    assert balance.write(file, fronts)
    assert not balance.write(file, fronts)
    assert balance.read(file) == fronts
