"""The ideas in the window: behind the inspector, working only while they are looked at."""

from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow


def test_ideas_stand_behind_the_inspector_and_crowd_nothing(qtbot: QtBot) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    window.open_target("alexnet")
    assert window.docks["inspector"].isVisible()
    assert window.tabifiedDockWidgets(window.docks["inspector"]) == [window.docks["ideas"]]
    qtbot.wait(100)  # longer than the panel waits for a lull: had it started, it would be through
    assert not window.ideas.is_current
    width = window.docks["inspector"].width()
    window.docks["ideas"].raise_()
    qtbot.waitUntil(lambda: window.ideas.is_current)
    assert window.docks["ideas"].width() == width
    assert (window.width(), window.height()) == (1280, 800)
    window.ideas.rows["towers"].button("one").click()
    assert window.document.undo_stack.count() == 1
    qtbot.waitUntil(lambda: window.ideas.is_current)
    window.show_gallery()
    window.document.undo_stack.undo()
    assert not window.ideas.is_current
    window.show_canvas()
    qtbot.waitUntil(lambda: window.ideas.is_current)
    assert window.ideas.rows["towers"].button("two").presence == "on"
    window.reset_layout()
    assert window.tabifiedDockWidgets(window.docks["inspector"]) == [window.docks["ideas"]]
    window.document.undo_stack.redo()
    qtbot.wait(100)
    assert not window.ideas.is_current
