"""Why a store cannot be used, in one sentence: the cause, and what to check. Never a word of a password."""

import errno
import os
import re
from pathlib import Path
from urllib.parse import unquote

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_RIGHT = {errno.EACCES, errno.EPERM}
IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR}
CREDENTIALS = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
KNOWN = (
    (r"<Code>NoSuchBucket<", "there is no such bucket. Check SHOPMILL_STORE and AWS_ENDPOINT_URL"),
    (
        r"169\.254\.\d+\.\d+|fd00:ec2::254",
        f"no credentials were found, neither in the environment nor from the machine it runs on. {CREDENTIALS}",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|401 Unauthorized",
        "the server does not accept the credentials. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    ),
    (
        r"AuthorizationHeaderMalformed|PermanentRedirect|301 Moved|IllegalLocationConstraint",
        "the bucket is in another region. Check AWS_REGION",
    ),
    (r"403 Forbidden|AccessDenied", "the credentials do not permit it (403). Check the policy of their role"),
    (
        r"501 Not Implemented",
        "the server cannot write on a condition (501), without which two runs could replace each other's work. "
        "Use a server that supports If-None-Match and If-Match",
    ),
    (r"507 Insufficient|QuotaExceeded|XMinioStorageFull", "no space is left on the server. Free some, then run again"),
    (
        r"kind: (Connect|Timeout)|error sending request|dns error",
        "the server does not answer at {endpoint}. Check AWS_ENDPOINT_URL and the network",
    ),
    (r"\b5\d\d [A-Z]", "the server fails ({reason}). Run again when it works"),
)


def cause_of(error: BaseException) -> str:
    """The cause, and what to check."""
    number = getattr(error, "errno", None)
    if number in NO_SPACE:
        return f"{_reason(error)}. Free some space, then run again"
    if number in NO_RIGHT:
        return f"{_reason(error)}. Check the right to write"
    if number == errno.EROFS:
        return f"{_reason(error)}. Mount it for writing, or choose another folder"
    if number in IN_THE_WAY:
        return f"a file stands where a folder should be ({_reason(error)}). Choose another folder as SHOPMILL_STORE"
    text = str(error)
    for pattern, cause in KNOWN:
        if re.search(pattern, text):
            endpoint = os.environ.get("AWS_ENDPOINT_URL") or "the address of AWS"
            status = re.search(r"\b5\d\d [A-Z]\w+( [A-Z]\w+)*", text)
            return cause.format(endpoint=without_secrets(endpoint), reason=status.group() if status else "")
    return f"{without_secrets(_reason(error))}. Check SHOPMILL_STORE"


def is_about_the_bucket(error: BaseException) -> bool:
    """Whether what was not found is the bucket, not the key."""
    return "<Code>NoSuchBucket<" in str(error)


ADDRESS = re.compile(r"^(s3a?|gs|gcs|az|abfss?|adls?|file|ftp|https?)(:/*|/{2,})(?=.)", re.IGNORECASE)


def without_secrets(address: str) -> str:
    """An address without what stands before the last @ and after the first ?."""
    address = re.sub(r"(?i)([?#;]|%3f|%23|%3b).*", "", address.replace("%40", "@"), flags=re.DOTALL)
    return re.sub(r"^(\w+[:/]*)?(.*)@", lambda found: f"{found[1] or ''}…@", address, flags=re.DOTALL)


def wrong_address(url: str) -> str | None:
    """Why an address is none that a store may have; None for a good one."""
    return _badly_written(url) or _of_another_kind(url)


def _badly_written(url: str) -> str | None:
    """What a shell or a settings file made of an address: taken as it is, it would be a new folder somewhere else."""
    if not url.strip("/"):
        return "it names no folder. Give a folder or s3://bucket/prefix as SHOPMILL_STORE"
    if url != url.strip():
        return "it begins or ends with a blank. Write SHOPMILL_STORE without it"
    if url[0] in "'\"":
        return "it has quotes around it. Write SHOPMILL_STORE without them"
    if re.match(r"(s3a?://)?\$[{\w]", url):
        return "a variable in it has no value: nothing replaces it in this place. Write what it stands for into SHOPMILL_STORE"
    return None


def wrong_folder(root: Path) -> str | None:
    """Why a local store cannot be there: what reads its files would find those of other folders, or none."""
    if re.search(r"[*?[]", str(root)):
        return f"{root} has one of * ? [ in it, which stand for any name where files are read. Choose a folder without them"
    return None


def _of_another_kind(url: str) -> str | None:
    scheme = ADDRESS.match(url)
    if (scheme or ":" in url) and re.search(r"[@?#;]", unquote(url)):
        return f"an address holds no credentials or options. {CREDENTIALS} and write s3://bucket/prefix"
    if scheme and "://" not in url:
        return "an address begins with s3:// (two slashes). Check SHOPMILL_STORE"
    name, _, rest = url.partition("://")
    if name.lower() == "file":
        return f"write a folder as it is: {rest}"
    if name.lower() in {"http", "https"}:
        return "it is the address of a server: write s3://bucket/prefix, and set AWS_ENDPOINT_URL to the server"
    if "://" in url and (scheme is None or name.lower() == "ftp"):
        return "it is no kind of store that is known. Give a folder or s3://bucket/prefix as SHOPMILL_STORE"
    return None


def missing_credentials() -> str | None:
    """Why S3 cannot be asked at all, where the environment shows it."""
    given = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
             "AWS_CONTAINER_CREDENTIALS_FULL_URI")  # fmt: skip
    if os.environ.get("AWS_PROFILE") and not any(os.environ.get(name) for name in given):
        return (
            "AWS_PROFILE is set, and profiles are not read. Put its keys into the environment: "
            'eval "$(aws configure export-credentials --format env)"'
        )
    return None


def _reason(error: BaseException) -> str:
    """The first line of an error, which for object stores is followed by a page of debug output."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return first.rstrip(".")
