"""The Runs tab: every run there is, compared, exported and tidied."""
