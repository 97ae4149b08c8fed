"""Names of data sets as a configuration keeps them."""

from pathlib import Path

import pytest

from explorer.runs import RunConfig
from explorer.runs.data_sources import DATA_SOURCES, data_title, folder_of, read_folder_name


def test_a_folders_name_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/somewhere")
    assert read_folder_name("folder:a/../shapes/") == f"folder:{tmp_path / 'shapes'}"
    assert read_folder_name("folder:~/shapes") == "folder:/somewhere/shapes"
    config = RunConfig(data="folder:shapes")
    assert folder_of(config.data) == tmp_path / "shapes"
    assert RunConfig.from_plain(config.to_plain()) == config
    assert data_title(config.data) == "shapes"


@pytest.mark.parametrize("name", ["folder:", "folder:  ", "folders:/a", "mnits", "/a", "folder:a\0b"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"data: received .*use digits or .*imagenette or folder:PATH"):
        RunConfig(data=name)


def test_every_source_is_a_choice() -> None:
    assert [RunConfig(data=source.id).data for source in DATA_SOURCES] == [source.id for source in DATA_SOURCES]
    assert data_title("fashion-mnist") == "Fashion-MNIST"
    assert folder_of("digits") is None
