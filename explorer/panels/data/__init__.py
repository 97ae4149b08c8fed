"""The Data tab: which data set, its facts, its images and what is wrong with it."""
