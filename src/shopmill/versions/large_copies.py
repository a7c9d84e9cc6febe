"""Server-side copies of files above 5 GiB, which S3 copies in parts only. No byte comes to this machine."""

import os
import re

CHUNK = 512 * 2**20
TOO_LARGE = re.compile(r"larger than the maximum allowable size for a copy source")
"""What S3 says of a file that it does not copy in one request."""


def is_too_large(error: BaseException) -> bool:
    """Whether a copy was refused for the size of the file."""
    return bool(TOO_LARGE.search(str(error)))


def copy_in_parts(url: str, source: str, target: str) -> None:
    """Copies one key of the store at s3://`url` to another; OSError where that fails."""
    try:
        import boto3  # type: ignore[import-untyped]
        from boto3.s3.transfer import TransferConfig  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
    except ImportError:
        raise OSError("a file above 5 GiB is copied by boto3, which is not installed: pip install boto3") from None
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    before = f"{prefix}/" if prefix else ""
    style = {"addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "auto"}
    client = boto3.client("s3", config=Config(s3=style))
    parts = TransferConfig(multipart_threshold=CHUNK, multipart_chunksize=CHUNK)
    try:
        client.copy({"Bucket": bucket, "Key": before + source}, bucket, before + target, Config=parts)
    except (BotoCoreError, ClientError) as error:
        raise OSError(str(error)) from error
