"""The list of runs as the window sees it, changed from here, from another store, and by processes that die."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Project, files
from explorer.runs import RunConfig, RunFinished, RunStore
from explorer.session.runs_session import RunsSession


def begun(store: RunStore, name: str = "lenet5") -> str:
    network = zoo.entry(name).build()
    return store.create(RunConfig(), network.name, files.dumps(Project(architecture=network)), {}).run_id


def ended(store: RunStore) -> str:
    run_id = begun(store)
    store.record(
        RunFinished(
            run_id=run_id,
            reason="completed",
            step=10,
            seconds=1.0,
            checkpoint=None,
            train_loss=0.1,
            train_accuracy=0.9,
            test_accuracy=0.8,
            images_per_second=100.0,
        )
    )
    return run_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """As another program has it."""
    with RunStore(tmp_path / "runs") as store:
        yield store


@pytest.fixture
def session(qtbot: QtBot, store: RunStore) -> Iterator[RunsSession]:
    session = RunsSession(store.root)
    yield session
    session.close()


def ids(session: RunsSession) -> list[str]:
    return [record.run_id for record in session.records]


def states(session: RunsSession) -> list[str]:
    return [record.state for record in session.records]


def test_looking_makes_no_store(session: RunsSession) -> None:
    session.look()
    assert session.records == ()
    assert not session.root.exists()


def test_runs_of_another_program_are_followed(session: RunsSession, store: RunStore) -> None:
    changes: list[None] = []
    session.changed.connect(lambda: changes.append(None))
    first = begun(store)
    session.look()
    assert ids(session) == [first]
    assert states(session) == ["running"]
    assert len(changes) == 1
    store.close()  # as the death of its process
    session.look()
    assert states(session) == ["interrupted"]
    session.look()
    assert len(changes) == 2
    second = ended(store)
    session.look()
    assert set(ids(session)) == {first, second}


def test_a_look_while_nothing_is_new_reads_no_run(
    session: RunsSession, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(store)
    session.look()

    def read(*_: object, **__: object) -> None:
        raise AssertionError("the runs were read again")

    monkeypatch.setattr(RunStore, "list", read)
    session.look()


def test_names_tags_and_trash(session: RunsSession, store: RunStore) -> None:
    run_id, other = ended(store), ended(store)
    session.refresh()
    session.rename(run_id, "Best of all")
    session.set_tags(run_id, ["report", "a"])
    record = session.record(run_id)
    assert record is not None
    assert (record.title, record.tags) == ("Best of all", ("a", "report"))
    assert session.tags == ("a", "report")
    trashed: list[tuple[str, ...]] = []
    session.trashed.connect(trashed.append)
    session.trash([run_id])
    assert ids(session) == [other]
    assert trashed == [(run_id,)]
    assert session.num_trashed == 1
    session.show_trash(True)
    assert ids(session) == [run_id]
    session.restore([run_id])
    assert (session.records, session.num_trashed) == ((), 0)
    session.show_trash(False)
    session.trash([other])
    folder = store.get(other).folder
    session.delete([other])
    assert not folder.exists()
    assert ids(session) == [run_id]


def test_what_is_refused_is_said(session: RunsSession, store: RunStore) -> None:
    said: list[str] = []
    session.failed.connect(said.append)
    run_id = begun(store)
    session.trash([run_id])
    assert len(said) == 1
    assert "still running" in said[0]
    session.refresh()
    assert ids(session) == [run_id]


def test_a_damaged_store_is_said_once(session: RunsSession, store: RunStore) -> None:
    said: list[str] = []
    session.failed.connect(said.append)
    store.root.mkdir()
    (store.root / "runs.sqlite").write_bytes(b"no database" * 1000)
    session.look()
    session.look()
    assert len(said) == 1
    assert "damaged" in said[0]


def test_networks_and_curves(session: RunsSession, store: RunStore) -> None:
    run_id = ended(store)
    session.refresh()
    record = session.record(run_id)
    assert record is not None
    assert session.architecture(record) == zoo.entry("lenet5").build()
    history = session.history(record)
    assert history is not None
    assert session.history(record) is history
    broken = ended(store)
    store.get(broken).architecture_path.write_text("{")
    session.refresh()
    found = session.record(broken)
    assert found is not None
    assert session.architecture(found) is None


def test_the_store_is_asked_only_while_somebody_looks(session: RunsSession, store: RunStore, qtbot: QtBot) -> None:
    run_id = begun(store)
    assert ids(session) == []
    session.set_watched(True)
    assert ids(session) == [run_id]
    store.describe(run_id, name="live")
    with qtbot.waitSignal(session.changed, timeout=5000):
        pass
    assert [record.title for record in session.records] == ["live"]
    session.set_watched(False)
    assert not session._timer.isActive()
