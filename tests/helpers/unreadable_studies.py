"""Study files that no study can be read from, with the line that is at fault."""

from collections.abc import Iterator

ALIASES = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
SECTIONS = "".join(f"a{n}: &a{n} {{b: *a{n - 1}, c: *a{n - 1}}}\n" for n in range(1, 40))


def unreadable_studies() -> Iterator[tuple[str, bytes, str]]:
    """Yield (name, content of the file, what the message must name: the line, or a word)."""
    yield "empty", b"", "empty"
    yield "only a comment", b"# my study\n", "empty"
    yield "a list", b"\n- study\n- title\n", "line 2"
    yield "a word", b"study\n", "line 1"
    yield "an open bracket", b"study: a\nrules:\n  bp: [a\n", "line 4"
    yield "a colon too many", b"study: a\ntitle: one: two\n", "line 2"
    yield "a tab", b"study: a\nbrain:\n\tkind: simulated\n", "line 3"
    yield "wrong indentation", b"study: a\nbrain:\n    kind: x\n  ids: y\n", "line 4"
    yield "an open quote", b'study: "a\ntitle: b\n', "line 3"
    yield "an @", b"study: a\ntitle: @home\n", "line 2"
    yield "an unknown alias", b"study: a\nrules:\n  fa: *bp\n", "line 3"
    yield "a key twice", b"rules:\n  bp: 1\n  bp: 2\n", "line 3"
    yield "a key twice in a list", b"a:\n  - {b: 1, b: 2}\n", "line 2"
    yield "a list as key", b"? [a, b]\n: 1\n", "line 1"
    yield "two documents", b"study: a\n---\nstudy: b\n", "line 2"
    yield "a date that is none", b"study: a\ntitle: 2026-13-45\n", "line 2"
    yield "5,000 digits", b"study: a\nseed: " + b"9" * 5000, "line 2"
    yield "a tag", b'study: a\ntitle: !!python/object/apply:os.system ["true"]\n', "line 2"
    yield "Python in a template", b"study: a\n__use_yte__: true\n__definitions__: [x]\n", "line 2"
    yield "UTF-16", "study: é\n".encode("utf-16"), "line 1"
    yield "Latin-1", "study: a\ntitle: Lehné\n".encode("latin-1"), "line 2"
    yield "line breaks of YAML only", "a: b\u2028c: [\u2028".encode(), "line 3"
    yield "a control character", b"study: a\ntitle: \x07\n", "line 2"
    yield "zeros", b"\0" * 100, "line 1"
    yield "an image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 1"
    yield "a section within itself", b"study: a\nrules: &r\n  bp: *r\n", "line 2"
    yield "a list within itself", b"study: &s [*s]\n", "line 1"
    yield "a bomb of lists", b"a0: &a0 [x]\n" + ALIASES.encode(), "line 6"
    yield "a bomb of sections", b"a0: &a0 {b: x}\n" + SECTIONS.encode(), "line 15"
    yield "100,000 brackets", b"study: a\ntitle: " + b"[" * 100_000, "line 2"
    yield "100,000 levels", b"{a: " * 100_000, "line 1"
    yield "three megabytes", b"study: a # " + b"x" * 3_000_000, "2,000,000 bytes"
