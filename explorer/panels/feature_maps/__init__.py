"""The Feature maps tab: every channel of a layer, enlarged, pinned, pointed at, for one probe or all."""
