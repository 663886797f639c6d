"""The images of a manifest kept elsewhere, by their content: as files, or as lists for git-annex and DVC."""
