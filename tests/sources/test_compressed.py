from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from weft.errors import BombError, SourceError
from weft.sources import compressed, decompressors
from weft.sources.compressed import MailStream, is_compressed, open_mail, wrap

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def zstd_with_checksum(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd_with_checksum,
}
MAIL = b"".join(b"From a@b\nSubject: %d\n\nHello, number %d.\n\n" % (n, n * 7919) for n in range(12_000))


@pytest.fixture(params=[*COMPRESS, "gzip without isal"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "gzip without isal":
        monkeypatch.setitem(sys.modules, "isal.igzip_lib", None)
        assert decompressors.decoder_maker("gzip") is decompressors.Inflate
    return str(request.param).split()[0]


def drain(stream: MailStream, size: int = 100_003) -> tuple[bytes, SourceError | None]:
    found, buffer = bytearray(), bytearray(size)
    with stream:
        try:
            while got := stream.readinto(buffer):
                found += buffer[:got]
        except SourceError as error:
            return bytes(found), error
    return bytes(found), None


def read(path: Path, data: bytes, max_ratio: int = 200) -> tuple[bytes, SourceError | None]:
    path.write_bytes(data)
    return drain(open_mail(path, max_ratio))


class Pipe(io.RawIOBase):
    """A raw file that cannot seek and gives little at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file = io.BytesIO(data)
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        piece = self._file.read(min(self._most, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("data", [b"", b"F", b"From ", b"\x1f\x8b", b"BZh9 is how this text begins", MAIL])
def test_a_plain_file_is_given_as_it_is(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path / "misleading.gz", data) == (data, None)
    assert not is_compressed(tmp_path / "misleading.gz")


def test_the_format_is_told_by_the_first_bytes_and_not_by_the_name(tmp_path: Path, kind: str) -> None:
    assert read(tmp_path / "plain.txt", COMPRESS[kind](MAIL)) == (MAIL, None)
    assert is_compressed(tmp_path / "plain.txt")


def test_many_members_and_the_zero_bytes_between_them_are_one_file(tmp_path: Path, kind: str) -> None:
    pieces = [MAIL[at : at + 999] for at in range(0, 99_900, 999)]
    data = b"".join(COMPRESS[kind](piece) + bytes(number % 3 * 4) for number, piece in enumerate(pieces))
    assert read(tmp_path / "a", data) == (MAIL[:99_900], None)


def test_an_empty_member_does_not_end_the_file(tmp_path: Path, kind: str) -> None:
    compress = COMPRESS[kind]
    assert read(tmp_path / "a", compress(b"") * 500 + compress(MAIL) + compress(b"")) == (MAIL, None)
    assert read(tmp_path / "a", compress(b"")) == (b"", None)


def test_a_skippable_zstd_frame_is_skipped(tmp_path: Path) -> None:
    skippable = b"\x51\x2a\x4d\x18" + (7).to_bytes(4, "little") + b"seven!!"
    assert read(tmp_path / "a", skippable + zstd.compress(MAIL) + skippable) == (MAIL, None)


@pytest.mark.parametrize("most", [1, 5, 4096])
def test_a_pipe_that_gives_little_at_a_time_is_unpacked(kind: str, most: int) -> None:
    pipe = Pipe(COMPRESS[kind](MAIL[:20_000]), most)
    assert drain(wrap(pipe, "standard input"), 777) == (MAIL[:20_000], None)


def test_the_bytes_that_were_looked_at_are_given_again() -> None:
    assert drain(wrap(Pipe(MAIL[:50], 1), "-"), 3) == (MAIL[:50], None)


def test_closing_a_wrapped_stream_leaves_the_file_open() -> None:
    raw = io.BytesIO(gzip.compress(MAIL))
    drain(wrap(raw, "-"))
    assert not raw.closed


def test_a_wrapped_file_is_read_from_where_it_stands() -> None:
    packed = bytearray(gzip.compress(MAIL))
    packed[-1] ^= 1
    raw = io.BytesIO(b"before" + packed)
    raw.seek(6)
    data, error = drain(wrap(raw, "-"))
    assert (data, str(error)) == (MAIL, "corrupt gzip")


def test_a_truncated_file_gives_what_is_in_it_and_then_the_reason(tmp_path: Path, kind: str) -> None:
    packed = COMPRESS[kind](MAIL)
    data, error = read(tmp_path / "a", packed[:-1])
    assert (data, str(error)) == (MAIL, f"truncated {kind}")
    data, error = read(tmp_path / "a", COMPRESS[kind](MAIL) + packed[: len(packed) // 2])
    assert data.startswith(MAIL)
    assert (MAIL + MAIL).startswith(data)
    assert str(error) == f"truncated {kind}"


def test_a_truncated_gzip_gives_about_the_part_that_is_there(tmp_path: Path) -> None:
    packed = gzip.compress(MAIL)
    data, _ = read(tmp_path / "a", packed[: len(packed) // 2])
    assert MAIL.startswith(data)
    assert len(data) > len(MAIL) / 3


def test_a_wrong_checksum_at_the_end_loses_no_byte(tmp_path: Path, kind: str) -> None:
    packed = bytearray(COMPRESS[kind](b"small mail\n" * 9))
    place = {"gzip": -6, "bzip2": -2, "xz": -24, "zstd": -1}[kind]
    packed[place] ^= 0x10
    data, error = read(tmp_path / "a", bytes(packed))
    assert (data, str(error)) == (b"small mail\n" * 9, f"corrupt {kind}")


def test_damage_in_the_middle_gives_all_that_comes_before_it(tmp_path: Path) -> None:
    first = zlib.compressobj(wbits=31)
    front = first.compress(MAIL) + first.flush(zlib.Z_FULL_FLUSH)
    data, error = read(tmp_path / "a", gzip.compress(MAIL) + front + b"\xff" * 100)
    assert (data, str(error)) == (MAIL + MAIL, "corrupt gzip")


def test_damage_in_a_pipe_loses_one_slice_at_most() -> None:
    data, error = drain(wrap(Pipe(gzip.compress(MAIL)[:-8] + bytes(8), 9999), "-"))
    assert MAIL.startswith(data)
    assert len(MAIL) - len(data) <= compressed._SLICE
    assert str(error) == "corrupt gzip"


def test_what_follows_and_is_something_else_is_an_error(tmp_path: Path, kind: str) -> None:
    data, error = read(tmp_path / "a", COMPRESS[kind](MAIL) + b"From x")
    assert data == MAIL
    assert f"something that is not {kind} follows" in str(error)


def test_an_error_comes_again_when_one_reads_on(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(MAIL)[:-1])
    with open_mail(tmp_path / "a") as stream:
        assert stream.readinto(bytearray(2 * len(MAIL))) == len(MAIL)
        for _ in range(2):
            with pytest.raises(SourceError, match=r"^truncated gzip$"):
                stream.readinto(bytearray(10))


def test_a_bomb_is_refused_with_its_ratio_and_the_option(tmp_path: Path, kind: str) -> None:
    packed = COMPRESS[kind](bytes(64 << 20))
    data, error = read(tmp_path / "a", packed)
    assert isinstance(error, BombError)
    assert len(data) <= compressed.FREE
    assert "--max-ratio allows 200" in str(error)
    assert int(str(error).split(" times")[0].rsplit(" ", 1)[1]) > 200
    total, got, buffer = 0, 1, bytearray(1 << 20)
    with open_mail(tmp_path / "a", max_ratio=64 << 20) as stream:
        while got:
            total += (got := stream.readinto(buffer))
    assert total == 64 << 20


def test_a_bomb_of_many_members_is_refused(tmp_path: Path) -> None:
    data, error = read(tmp_path / "a", bz2.compress(bytes(1 << 20)) * 64)
    assert isinstance(error, BombError)
    assert len(data) <= compressed.FREE


def test_up_to_the_free_amount_any_ratio_is_allowed(tmp_path: Path) -> None:
    data, error = read(tmp_path / "a", gzip.compress(bytes(compressed.FREE)))
    assert (len(data), error) == (compressed.FREE, None)


def test_output_has_a_cap_whatever_the_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "MAX_OUTPUT", 100_000)
    data, error = read(tmp_path / "a", gzip.compress(MAIL))
    assert isinstance(error, BombError)
    assert len(data) <= 100_000


def test_an_xz_dictionary_of_gigabytes_is_refused(tmp_path: Path) -> None:
    packed = bytearray(lzma.compress(b"mail"))
    header = packed[12 : 12 + 4 * (packed[12] + 1)]
    at = header.index(b"\x21\x01") + 2
    header[at] = 40  # 4 GiB
    header[-4:] = zlib.crc32(header[:-4]).to_bytes(4, "little")
    packed[12 : 12 + len(header)] = header
    data, error = read(tmp_path / "a", bytes(packed))
    assert (data, str(error)) == (b"", "its xz window is larger than 128 MiB; recompress it with a smaller one")


def test_a_zstd_window_of_gigabytes_is_refused(tmp_path: Path) -> None:
    window = (31 - 10) << 3  # 2 GiB
    packed = b"\x28\xb5\x2f\xfd\x00" + bytes([window]) + (4 << 3 | 1).to_bytes(3, "little") + b"mail"
    data, error = read(tmp_path / "a", packed)
    assert (data, str(error)) == (b"", "its zstd window is larger than 128 MiB; recompress it with a smaller one")
    small = packed[:5] + bytes([(27 - 10) << 3]) + packed[6:]
    assert read(tmp_path / "a", small) == (b"mail", None)


def test_what_cannot_be_opened_says_why_without_its_name(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(SourceError) as caught:
            open_mail(path)
        assert str(tmp_path) not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_read_that_fails_is_a_source_error() -> None:
    class Broken(Pipe):
        def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match=r"^cannot be read: Input/output error$"):
        wrap(Broken(b"", 1), "-")


@pytest.fixture
def pipe_ends() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    os.close(ends[0])


def test_a_real_pipe_is_unpacked(pipe_ends: tuple[int, int]) -> None:
    os.write(pipe_ends[1], gzip.compress(b"mail\n"))
    os.close(pipe_ends[1])
    with open(pipe_ends[0], "rb", buffering=0, closefd=False) as raw:
        assert drain(wrap(raw, "-")) == (b"mail\n", None)
