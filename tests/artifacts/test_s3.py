"""What is about S3 alone; all that it shares with disk is in the other tests of this folder."""

import io
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody

from resonare_pipeline.artifacts.files import Files, read_bytes, read_if_there, write_bytes
from resonare_pipeline.artifacts.opening import open_files
from resonare_pipeline.artifacts.s3.client import S3Access, connect
from resonare_pipeline.artifacts.s3.reading import FIRST_BYTES, MOST_BYTES
from resonare_pipeline.artifacts.s3.writing import PART_BYTES
from resonare_pipeline.errors import FileChangedError, MissingFileError, StoreError
from tests.faults import failing_requests
from tests.s3 import Server, serving, use

LONG = random.Random(0).randbytes(3 * MOST_BYTES)  # noqa: S311  # nothing secret


@pytest.fixture
def files(bucket: str, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return open_files(f"s3://{bucket}/pre/fix/")


@contextmanager
def handling(event: str, handler: Callable[..., Any]) -> Iterator[None]:
    """Let botocore call a handler at an event."""
    client: Any = connect()
    client.meta.events.register(event, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(event, handler)


def refusal(status: int, code: str) -> Callable[..., AWSResponse]:
    """Answer every request with an error, as S3 words it."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = f"<Error><Code>{code}</Code><Message>Said so</Message></Error>".encode()
        raw = io.BytesIO(b"" if request.method == "HEAD" else body)
        response = AWSResponse(request.url, status, {}, raw)
        response._content = raw.getvalue()
        return response

    return answer


def write(files: Files) -> None:
    write_bytes(files, "a", b"x")


def write_long(files: Files) -> None:
    write_bytes(files, "a", b"x" * (PART_BYTES + 1))


CALLS: list[Callable[[Files], object]] = [
    write,
    write_long,
    lambda files: files.open_read("a"),
    lambda files: files.stat("a"),
    lambda files: files.children("a"),
    lambda files: list(files.walk("a")),
    lambda files: list(files.walk("a", drafts=True)),
    lambda files: files.move("a", "b"),
    lambda files: files.delete("a"),
    lambda files: read_if_there(files, "a"),
]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_without_permission_says_where_and_what_to_do(
    files: Files, call: Callable[[Files], object]
) -> None:
    denied = rf"{files.uri}.*: access denied .*permissions listed in docs/operations\.md"
    refused = handling("before-send.s3", refusal(403, "AccessDenied"))
    with refused, pytest.raises(StoreError, match=denied):
        call(files)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_to_a_server_that_is_gone_says_so(
    call: Callable[[Files], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        use(server, monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    gone = rf"s3://some/where.*cannot be reached.*{server.url}.*Check AWS_ENDPOINT_URL"
    with pytest.raises(StoreError, match=gone):
        call(open_files("s3://some/where"))


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "NoSuchBucket", "no such bucket .*Create the bucket"),
        (403, "InvalidAccessKeyId", "access key is unknown .*AWS_ACCESS_KEY_ID"),
        (403, "SignatureDoesNotMatch", "secret key is wrong .*AWS_SECRET_ACCESS_KEY"),
        (400, "ExpiredToken", "session has expired .*Log in"),
        (403, "RequestTimeTooSkewed", "clock is wrong .*Set the clock"),
        (400, "AuthorizationHeaderMalformed", "another region .*AWS_REGION"),
        (503, "SlowDown", "too many requests .*fewer runs"),
        (429, "TooManyRequestsException", "too many requests .*fewer runs"),
        (500, "InternalError", "storage failed .*Run again"),
        (507, "XMinioStorageFull", "storage is full .*Free some space"),
        (418, "Teapot", r"Said so \(Teapot\)$"),
    ],
)
def test_read_that_is_refused_says_why_and_what_to_do(
    files: Files, status: int, code: str, message: str
) -> None:
    refused = handling("before-send.s3", refusal(status, code))
    with refused, pytest.raises(StoreError, match=rf"^{files.uri}/a: .*{message}"):
        read_bytes(files, "a")


def test_credentials_that_are_missing_say_which_variables(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match=r"no credentials for S3.*AWS_ACCESS_KEY_ID.*\.env"):
        write_bytes(open_files(files.uri), "a", b"x")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("AWS_PROFILE", "nobody", "nobody"), ("AWS_ENDPOINT_URL", "no address", "no address")],
)
def test_client_that_cannot_be_made_says_why(
    files: Files, name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=message):
        open_files(files.uri)


@pytest.mark.parametrize("uri", ["s3://", "s3:///a", "s3://b/a//b", "s3://b/../a", "s3a://b/c"])
def test_open_files_of_no_location_is_refused(uri: str) -> None:
    with pytest.raises(StoreError, match=r"expected .*s3://bucket/prefix"):
        open_files(uri)


@pytest.mark.usefixtures("s3_server")
@pytest.mark.parametrize("uri", ["s3://b/a", "s3://b/a/", "s3://b/a//"])
def test_open_files_of_a_location_keeps_its_name(uri: str) -> None:
    files = open_files(uri)
    assert files.uri == "s3://b/a"
    assert files.locate("x/y") == "s3://b/a/x/y"
    assert files.below("x").locate("y") == "s3://b/a/x/y"


def test_files_at_the_root_of_a_bucket_are_found(bucket: str) -> None:
    files = open_files(f"s3://{bucket}")
    write_bytes(files, "a/b", b"x")
    assert [path for path, _ in files.walk("")] == ["a/b"]
    assert [child.name for child in files.children("") or ()] == ["a"]
    assert files.stat("") is None
    assert files.uri == f"s3://{bucket}"


def test_access_set_apart_from_the_environment_wins(
    s3_server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    access = S3Access(
        endpoint_url=s3_server.url,
        aws_access_key_id="name",
        aws_secret_access_key="secret",  # noqa: S106  # moto takes any
        region_name="us-east-1",
        max_attempts=1,
    )
    files = open_files(f"s3://{bucket}", lambda: connect(access))
    write_bytes(files, "a", b"x")
    assert read_bytes(files, "a") == b"x"


def test_walk_passes_over_keys_that_no_path_can_have(bucket: str, s3_server: Server) -> None:
    for key in ("p/a", "p/", "p/folder/", "p//b", "p/./c", "p/../d", "p/x//", "p/x/y"):
        s3_server.client().put_object(Bucket=bucket, Key=key, Body=b"1")
    files = open_files(f"s3://{bucket}/p")
    assert [path for path, _ in files.walk("")] == ["a", "x/y"]
    names = [(child.name, child.is_folder) for child in files.children("") or ()]
    assert names == [("a", False), ("folder", True), ("x", True)]


def test_listings_of_many_pages_are_whole(files: Files) -> None:
    paths = [f"{index % 3}/{index:02}" for index in range(20)]
    for path in paths:
        write_bytes(files, path, b"x")

    def small_pages(params: dict[str, Any], **_: Any) -> None:
        params["MaxKeys"] = 3

    with handling("before-parameter-build.s3.ListObjectsV2", small_pages):
        assert [path for path, _ in files.walk("")] == sorted(paths)
        assert [child.name for child in files.children("0") or ()] == [
            path[2:] for path in sorted(paths) if path.startswith("0/")
        ]
        assert [child.name for child in files.children("") or ()] == ["0", "1", "2"]
        files.delete("1")
        assert [path for path, _ in files.walk("")] == [
            path for path in sorted(paths) if not path.startswith("1/")
        ]


def test_open_read_of_a_small_file_is_one_request(files: Files) -> None:
    write_bytes(files, "a", b"x" * FIRST_BYTES)
    with failing_requests() as asked:
        assert len(read_bytes(files, "a")) == FIRST_BYTES
    assert len(asked) == 1


def test_open_read_of_an_object_replaced_meanwhile_is_an_error_even_without_conditions(
    files: Files,
) -> None:
    def forget_condition(params: dict[str, Any], **_: Any) -> None:
        params.pop("IfMatch", None)

    write_bytes(files, "a", LONG)
    with files.open_read("a") as stream:
        stream.read(10)
        write_bytes(files, "a", LONG[::-1])
        with pytest.raises(FileChangedError, match=rf"{files.uri}/a: changed while being read"):
            stream.read()
        with handling("before-parameter-build.s3.GetObject", forget_condition):
            stream.seek(FIRST_BYTES)
            with pytest.raises(FileChangedError):
                stream.read()


def test_open_read_of_an_object_deleted_meanwhile_is_an_error(files: Files) -> None:
    write_bytes(files, "a", LONG)
    with files.open_read("a") as stream:
        stream.read(10)
        files.delete("a")
        with pytest.raises(MissingFileError):
            stream.read()


def broken_bodies(count: int) -> Callable[..., None]:
    """Let the first answers break off in the middle of their bodies."""
    left = count

    def break_off(parsed: dict[str, Any], **_: Any) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            half = parsed["Body"].read()[: parsed["ContentLength"] // 2]
            parsed["Body"] = StreamingBody(io.BytesIO(half), parsed["ContentLength"])

    return break_off


def test_open_read_whose_answer_breaks_off_asks_again(files: Files) -> None:
    write_bytes(files, "a", LONG)
    with handling("after-call.s3.GetObject", broken_bodies(2)):
        assert read_bytes(files, "a") == LONG


def test_open_read_whose_answers_always_break_off_says_so(files: Files) -> None:
    write_bytes(files, "a", LONG)
    breaking = handling("after-call.s3.GetObject", broken_bodies(1000))
    with breaking, pytest.raises(StoreError, match=rf"{files.uri}/a: .*cannot be reached"):
        read_bytes(files, "a")


def test_open_read_of_ranges_that_are_ignored_is_an_error(files: Files) -> None:
    def forget_range(params: dict[str, Any], **_: Any) -> None:
        params.pop("Range", None)

    write_bytes(files, "a", LONG)
    with files.open_read("a") as stream:
        stream.read(10)
        ignoring = handling("before-parameter-build.s3.GetObject", forget_range)
        with ignoring, pytest.raises(StoreError, match="storage that serves ranges"):
            stream.read()


def test_open_write_failing_at_any_request_leaves_the_old_file_and_no_draft(files: Files) -> None:
    write_bytes(files, "a", b"old")
    with failing_requests() as asked:
        write_bytes(files, "b", LONG)
    for number in range(1, len(asked)):
        with failing_requests(number), pytest.raises(StoreError, match=rf"{files.uri}/a"):
            write_bytes(files, "a", LONG)
        assert read_bytes(files, "a") == b"old"
        assert [path for path, _ in files.walk("", drafts=True)] == ["a", "b"]


def test_open_write_whose_failure_is_caught_never_makes_a_file_with_a_hole(files: Files) -> None:
    def write_on() -> None:
        with files.open_write("a") as stream:
            with failing_requests(1), pytest.raises(StoreError):
                stream.write(LONG)
            stream.write(b"and on")

    with pytest.raises(StoreError, match="cannot be reached"):
        write_on()
    assert list(files.walk("", drafts=True)) == []


def test_client_takes_the_region_of_either_variable(
    s3_server: Server,  # noqa: ARG001  # sets the other variables
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert connect().meta.region_name == "eu-west-3"  # type: ignore[attr-defined]  # boto3's own
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert connect().meta.region_name == "eu-north-1"  # type: ignore[attr-defined]  # the same
