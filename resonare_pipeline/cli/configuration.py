"""The reference of settings, as Markdown, from their declarations.

`python -m resonare_pipeline.cli.configuration > docs/configuration.md`
"""

import inspect
import json
import sys
from collections.abc import Iterable

from assets.graph import GRAPH
from resonare_pipeline.settings import Section, execution_fields

_HEAD = """\
# Configuration

Generated from the settings' declarations; do not edit.

Every setting can stand in `resonare.toml` as `[table]` and `key = value`, for one export in
`[partition."chats/<export>".<table>]`, in the environment as `RESONARE_<TABLE>__<KEY>`, and on the
command line or in the Launchpad as `table.key=value`. The later of these wins. A key that does not
exist and a value of the wrong type are errors.

A setting is part of the fingerprint of the stages that use its table: changing it makes them again,
and changing it back finds what was there. Those marked *execution* are not: they change how a stage
runs, and never what it makes.

## Places

| variable | default | meaning |
|---|---|---|
| `RESONARE_RAW` | `data/raw` | raw inputs: the folder that holds `chats/` |
| `RESONARE_STORE` | `data/artifacts` | artifacts |
| `RESONARE_OUTPUT` | `data/output` | deliverables |
| `DAGSTER_HOME` | `data/.dagster` | Dagster's event log and schedules; a folder on disk |

The first three are folders on disk, or `s3://bucket/prefix` for S3-compatible storage, each by
itself. What storage that is, AWS's own variables say:

| variable | meaning |
|---|---|
| `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | credentials |
| `AWS_PROFILE` | instead of them: a profile in AWS's own files |
| `AWS_REGION` | region of the bucket |
| `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3` | address of storage that is not Amazon's |
| `AWS_MAX_ATTEMPTS` | attempts at each request, 5 if unset |

Variables may also stand in `.env` in the working folder; those of the environment win. See
[operations](operations.md#s3-compatible-storage) for permissions and examples.
"""


def reference(sections: Iterable[type[Section]]) -> str:
    """Return the reference of some sections as Markdown."""
    return _HEAD + "".join(f"\n{_table(section)}" for section in sections)


def _table(section: type[Section]) -> str:
    lines = [
        f"## `[{section.section}]`",
        "",
        inspect.cleandoc(section.__doc__ or ""),
        "",
        "| key | default | meaning |",
        "|---|---|---|",
    ]
    executing = execution_fields(section)
    defaults = section().model_dump(mode="json")
    for name, field in section.model_fields.items():
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        mark = " *(execution)*" if name in executing else ""
        default = json.dumps(defaults[name], ensure_ascii=False)
        shown = "<name>" if name == section.entries else name
        lines.append(f"| `{shown}` | `{default}` | {meaning}{mark} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference(GRAPH.sections()))
