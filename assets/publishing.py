"""The dataset on the Hugging Face Hub, made only where it is asked for by name."""

import os
from collections.abc import Mapping

from resonare_pipeline.datasets.destination import PublishSettings
from resonare_pipeline.datasets.published import hub_ingredients, publish_dataset
from resonare_pipeline.planning.graph import Output, SettingsOf, StageRun, asset


def _hub(settings: SettingsOf) -> Mapping[str, str]:  # noqa: ARG001  # one of a family
    return hub_ingredients(os.environ)


@asset(
    group="dataset",
    on_request=True,
    inputs=("dataset",),
    settings=(PublishSettings,),
    files=_hub,
    outputs=(
        Output(
            asset="published_dataset",
            description="Where the dataset is on the Hugging Face Hub, and at which revision.",
            kinds=("huggingface", "json"),
        ),
    ),
)
def published_dataset(run: StageRun) -> None:
    """Publish the dataset in one commit, if the repository does not hold it yet."""
    publish_dataset(
        run.inputs["dataset"],
        run.outputs["published_dataset"],
        run.get(PublishSettings),
        environ=os.environ,
        progress=run.progress,
    )


STAGES = (published_dataset,)
