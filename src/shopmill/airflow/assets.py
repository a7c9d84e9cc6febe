"""The assets of Airflow that stand for datasets and for what they announce."""

from airflow.sdk import Asset, AssetAlias

from shopmill.declaration import Dataset

GROUP = "shopmill"


def dataset_asset(name: str) -> Asset:
    """The asset that stands for a dataset; its events carry as_of, version and rows.

    Of an address that does not begin with `x-` Airflow asks every provider what it means: each parse would import boto3.
    """
    return Asset(name=name, uri=f"x-shopmill://datasets/{name}", group=GROUP)


def announced_asset(name: str) -> Asset:
    """The asset of a dataset's announcement: its events come only when there is something to do for those who wait.

    Its address has no `x-`. An Airflow that knows it by this one keeps it for ever, as what came of an alias, and would
    wake nobody by another.
    """
    return Asset(name=name, uri=f"shopmill://announcements/{name}", group=GROUP)


def outlets(declared: Dataset) -> list[Asset | AssetAlias]:
    """What publishing a dataset may send events of: the dataset itself, and each of its announcements."""
    announced = [AssetAlias(name=announcement.asset, group=GROUP) for announcement in declared.announcements]
    return [dataset_asset(declared.name), *announced]
