"""What brings a data set to others, or takes a picture back: a part of :class:`curator.Dataset`.

>>> [name for name in ("export", "mirror", "forget") if hasattr(Sharing, name)]
['export', 'mirror', 'forget']
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curator.errors import raises_curator_errors

if TYPE_CHECKING:
    from curator.export.export import Exported
    from curator.export.mirror.mirror import Mirrored
    from curator.manifests.project import Project
    from curator.pipeline.forget import Forgotten
    from curator.pipeline.hub.push import Pushed


class Sharing:
    """One data set on its way to others."""

    project: Project

    @raises_curator_errors
    def export(
        self, name: str, *, output: str | Path | None = None, image_size: int | None = None, fit: str | None = None
    ) -> Exported:
        """Write the data set in a format that other tools read; return where it is and how to open it.

        Args:
            output: the folder to write to, from the working folder; None: ``data/<name>/exports/<format>``.
            image_size: resize to squares of so many pixels; ``fit``: ``crop`` (None), ``pad`` or ``stretch`` the rest.

        Raises:
            CuratorError: no such format or fit, no manifest, an image is missing, or files of others in ``output``.
        """
        from curator.export.export import export_dataset, find_format
        from curator.export.resizing import read_resizing

        return export_dataset(self.project, find_format(name), output, read_resizing(image_size, fit))

    @raises_curator_errors
    def push(
        self,
        repo: str | None = None,
        *,
        public: bool = False,
        any_licence: bool = False,
        image_size: int | None = None,
        fit: str | None = None,
    ) -> Pushed:
        """Push the data set to the Hugging Face hub as Parquet, whole in one commit; ``HF_TOKEN`` says who.

        Args:
            repo: ``owner/name`` on the hub; None: the data set's name, with the owner of the token.
            public: let everyone see it; else it is private.
            any_licence: push the images too whose licence is not known to let them be passed on.
            image_size, fit: as for :meth:`export`.

        Raises:
            CuratorError: no token, no manifest, the hub refuses, or the data set there was not pushed from here.
        """
        from curator.export.resizing import read_resizing
        from curator.pipeline.hub.push import push_dataset

        resizing = read_resizing(image_size, fit)
        return push_dataset(self.project, repo or "", public=public, any_licence=any_licence, resizing=resizing)

    @raises_curator_errors
    def mirror(self, target: str | Path, *, to: str = "folder") -> Mirrored:
        """Keep every image of the manifest elsewhere, by its content; what is there already is verified and left.

        Args:
            target: the folder to write to, from the working folder, or ``s3://bucket/folder`` and the like; nothing of
                others in it is changed.
            to: ``folder`` for the files themselves; ``git-annex`` or ``dvc`` for lists with their addresses.

        Raises:
            CuratorError: no such kind of mirror, no manifest, or the folder cannot be written to.
        """
        from curator.export.mirror.mirror import find_kind, mirror_dataset

        return mirror_dataset(self.project, find_kind(to), target)

    @raises_curator_errors
    def forget(self, target: str) -> Forgotten:
        """Take an address, author, host or content (SHA-256) out for good: files, folders, manifest and catalogs."""
        from curator.pipeline.forget import forget

        return forget(self.project, target)
