"""Repositories of the local Hub, in memory: files, commits, branches, and stored large files."""

import hashlib
from dataclasses import dataclass, field
from typing import Any


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Stored:
    """A file of a commit; a large one's content lies in the storage under its hash."""

    content: bytes
    sha256: str = ""

    @property
    def pointer(self) -> bytes:
        return b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n" % (
            self.sha256.encode(),
            len(self.content),
        )

    def described(self, path: str) -> dict[str, Any]:
        entry = {"type": "file", "path": path, "size": len(self.content)}
        if not self.sha256:
            return {**entry, "oid": git_blob(self.content)}
        lfs = {"oid": self.sha256, "size": len(self.content), "pointerSize": len(self.pointer)}
        return {**entry, "oid": git_blob(self.pointer), "lfs": lfs}


@dataclass
class Repo:
    private: bool = True
    commits: dict[str, dict[str, Stored]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    large: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.add_commit("main", {".gitattributes": Stored(b"*.parquet filter=lfs\n")}, "initial")

    def add_commit(self, branch: str, files: dict[str, Stored], message: str) -> str:
        number = f"{len(self.commits)} {branch}".encode()
        revision = hashlib.sha1(number, usedforsecurity=False).hexdigest()
        self.commits[revision] = dict(sorted(files.items()))
        self.branches[branch] = revision
        self.messages.append(message)
        return revision

    def files(self, revision: str = "main") -> dict[str, Stored]:
        return self.commits[self.branches.get(revision, revision)]
