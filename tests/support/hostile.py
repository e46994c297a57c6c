"""Requests as nobody means them, and what each may get: a table for the scenario that sends them
and a corpus for fuzzers (`python3 hostile.py FOLDER` writes each request into a file there)."""

import dataclasses
import pathlib
import sys

sys.dont_write_bytecode = True
if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.sluiced import OPERATOR, agent_token, server_name

CLOSE = None  # the connection ends without a response


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    octets: bytes
    # Statuses that are right, CLOSE among them where it is.
    expected: tuple


HOST = b"Host: localhost\r\n"
AS_OPERATOR = b"Authorization: Bearer " + OPERATOR.encode() + b"\r\n"
AS_AGENT = b"Authorization: Bearer " + agent_token(1).encode() + b"\r\n"
DRAIN = f"/v1/servers/{server_name(1)}/drain".encode()
HEARTBEAT = f"/v1/servers/{server_name(1)}/heartbeat".encode()
ANOTHER = b"GET /v1/pools HTTP/1.1\r\n" + HOST + AS_OPERATOR + b"\r\n"


def get(target=b"/healthz", fields=b"", version=b"HTTP/1.1", host=HOST):
    return b"GET " + target + b" " + version + b"\r\n" + host + fields + b"\r\n"


def post(fields, body=b"", target=DRAIN, version=b"HTTP/1.1"):
    return b"POST " + target + b" " + version + b"\r\n" + HOST + AS_OPERATOR + fields + b"\r\n" + body


def sized(body, target=DRAIN, method=b"POST", who=AS_OPERATOR):
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + who + length + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


def heartbeat(body):
    return sized(body, HEARTBEAT, b"PUT", AS_AGENT)


BAD = (400,)


def _request_lines():
    yield "empty-lines", b"\r\n" * 2000 + get(), BAD
    yield "http-0.9", b"GET /\r\n", BAD
    yield "http-0.9-and-fields", b"GET /healthz\r\n" + HOST + b"\r\n", BAD
    yield "http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (505,)
    for version in (b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/9.9"):
        yield f"version-{version.decode()[5:]}", get(version=version), (505,)
    for number, version in enumerate(
        (b"http/1.1", b"HTTP/1", b"HTTP/1.1.1", b"HTTP/11", b"HTTP/1.1 ", b"HTTP/+1.1", b"ICE/1.0")
    ):
        yield f"version-odd-{number}", get(version=version), BAD
    yield "method-lower-case", get().replace(b"GET", b"get", 1), (501,)
    yield "method-unknown", get().replace(b"GET", b"BREW", 1), (501,)
    yield "method-no-token", get().replace(b"GET", b"G(T", 1), BAD
    yield "method-empty", get()[3:], BAD
    yield "method-long", b"G" * 20_000 + get()[3:], (414, 431)
    yield "method-trace", get().replace(b"GET", b"TRACE", 1), (405,)
    yield "connect", b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "blanks-two", b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "blanks-tabs", b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "blank-first", b" " + get(), BAD
    yield "target-blank", get(b"/health z"), BAD
    yield "target-nul", get(b"/health\0z"), BAD
    yield "target-delete", get(b"/health\x7fz"), BAD
    yield "target-escape-character", get(b"/\x1b[31m"), BAD
    yield "target-8-bit", get(b"/health\xc3\xa4"), BAD
    yield "target-fragment", get(b"/healthz#x"), BAD
    yield "target-no-slash", get(b"healthz"), BAD
    yield "target-star", get(b"*"), BAD
    yield "target-empty", b"GET  HTTP/1.1\r\n" + HOST + b"\r\n", BAD
    yield "target-long", get(b"/" + b"x" * 9_000), (414,)
    yield "target-percent-nul", get(b"/%00"), BAD
    yield "target-percent-line", get(b"/%0d%0aSet-Cookie:%20a=b"), BAD
    yield "target-percent-cut", get(b"/%4"), BAD
    yield "target-percent-wrong", get(b"/%zz"), BAD
    yield "target-dots", get(b"/../../etc/passwd"), (404,)
    yield "target-dots-escaped", get(b"/v1/%2e%2e/healthz"), (404,)
    yield "target-slashes", get(b"//healthz"), (404,)
    yield "target-backslash", get(b"/\\healthz"), (404,)
    yield "target-script", get(b"/<script>alert(1)</script>"), (404,)
    yield "query-twice", get(b"/healthz?a=1&a=2"), BAD
    yield "query-unknown", get(b"/healthz?a=1"), BAD
    yield "query-token", get(b"/healthz?token=x"), BAD
    yield "query-token-escaped", get(b"/healthz?%74oken=x"), BAD
    yield "query-many", get(b"/healthz?" + b"&".join(b"%d=1" % n for n in range(1_000))), BAD


def _hosts():
    yield "host-none", get(host=b""), BAD
    yield "host-two", get(host=HOST + HOST), BAD
    yield "host-two-names", get(host=HOST + b"Host: other.example\r\n"), BAD
    for name, value in {
        "empty": b"", "blank": b"a b", "comma": b"a,b", "userinfo": b"me@a", "path": b"a/b",
        "port": b"a:b", "port-large": b"a:99999", "ports": b"a:1:2", "bare-ipv6": b"::1",
        "open-bracket": b"[::1", "bracket-name": b"[a]", "bracket-ipv4": b"[192.0.2.1]",
        "after-bracket": b"[::1]x", "escape": b"%61", "quote": b"a'b", "8-bit": b"a\xff",
        "script": b"<script>",
    }.items():  # fmt: skip
        yield f"host-{name}", get(host=b"Host: " + value + b"\r\n"), BAD
    yield "absolute-other-host", get(b"http://other.example/healthz"), BAD
    yield "absolute-other-port", get(b"http://localhost:81/healthz"), BAD
    yield "absolute-userinfo", get(b"http://me@localhost/healthz"), BAD
    yield "absolute-no-host-field", get(b"http://localhost/healthz", host=b""), BAD
    yield "absolute-empty", get(b"http:///healthz"), BAD
    yield "absolute-scheme", get(b"ftp://localhost/healthz"), BAD
    yield "absolute-https-other", get(b"https://other.example/"), BAD


def _fields():
    yield "fold-blank", get(fields=b"A: b\r\n c\r\n"), BAD
    yield "fold-tab", get(fields=b"A: b\r\n\tc\r\n"), BAD
    yield "fold-first", b"GET /healthz HTTP/1.1\r\n " + HOST + b"\r\n", BAD
    yield "blank-before-colon", get(fields=b"A : b\r\n"), BAD
    yield "tab-before-colon", get(fields=b"A\t: b\r\n"), BAD
    yield "no-colon", get(fields=b"Nonsense\r\n"), BAD
    yield "no-name", get(fields=b": b\r\n"), BAD
    yield "name-odd", get(fields=b"A(b): c\r\n"), BAD
    yield "name-8-bit", get(fields=b"\xc3\xa4: c\r\n"), BAD
    yield "name-nul", get(fields=b"A\0: c\r\n"), BAD
    yield "value-nul", get(fields=b"A: b\0c\r\n"), BAD
    yield "value-delete", get(fields=b"A: b\x7fc\r\n"), BAD
    yield "value-escape-character", get(fields=b"A: \x1b[31m\r\n"), BAD
    yield "cr-alone", get(fields=b"A: b\rC: d\r\n"), BAD
    yield "cr-cr-lf", get(fields=b"A: b\r\r\n"), BAD
    yield "lf-alone", get(fields=b"A: b\nC: d\r\n"), BAD
    yield "lf-ends", get().replace(b"\r\n", b"\n"), BAD
    yield "lf-after-request-line", get().replace(b"\r\n", b"\n", 1), BAD
    yield "lf-ends-the-head", get()[:-2] + b"\n", BAD
    yield "fields-many", get(fields=b"A: b\r\n" * 200), (431,)
    yield "fields-very-many", get(fields=b"a:\r\n" * 100_000), (431, CLOSE)
    yield "field-large", get(fields=b"A: " + b"b" * 20_000 + b"\r\n"), (431,)
    yield "field-endless", b"GET / HTTP/1.1\r\nA: " + b"b" * 300_000, (431, CLOSE)
    yield "name-large", get(fields=b"A" * 20_000 + b": b\r\n"), (431,)
    yield "expect-odd", post(b"Expect: 200-ok\r\nContent-Length: 2\r\n", b"{}"), (417,)
    yield "expect-two", post(b"Expect: 100-continue\r\n" * 2 + b"Content-Length: 2\r\n"), BAD
    yield "head-cut", get()[:-3], (CLOSE, 400)
    yield "head-half", b"GET /healthz HTT", (CLOSE,)


def _tokens():
    target = b"/v1/pools"
    refused = (401, 429)
    yield "token-basic", get(target, b"Authorization: Basic YTpi\r\n"), refused
    yield "token-two", get(target, AS_OPERATOR[:-2] + b", Bearer x\r\n"), refused
    yield "token-fields-two", get(target, AS_OPERATOR * 2), BAD
    yield "token-large", get(target, b"Authorization: Bearer " + b"x" * 20_000 + b"\r\n"), (431,)
    yield "token-nul", get(target, AS_OPERATOR[:-2] + b"\0\r\n"), BAD
    yield "token-none", get(target), (401,)


def _lengths():
    for name, value in {
        "plus": b"+2", "minus": b"-2", "blanks": b"2 2", "list": b"2, 2", "hex": b"0x2",
        "semicolon": b"2;", "fraction": b"2.0", "exponent": b"2e0", "empty": b"",
        "arabic": "٢".encode(), "quoted": b'"2"', "underscore": b"1_0",
    }.items():  # fmt: skip
        yield f"length-{name}", post(b"Content-Length: " + value + b"\r\n", b"{}"), BAD
    yield "length-two-alike", post(b"Content-Length: 2\r\n" * 2, b"{}"), BAD
    yield "length-two", post(b"Content-Length: 2\r\nContent-Length: 40\r\n", b"{}"), BAD
    yield "length-vertical-tab", post(b"Content-Length: \x0b2\r\n", b"{}"), BAD
    yield "length-blank-before-colon", post(b"Content-Length : 2\r\n", b"{}"), BAD
    for name, value in {
        "over": 1024 * 1024 + 1, "32-bit": 2**32 + 2, "63-bit": 2**63, "64-bit": 2**64 + 2,
        "100-digits": 10**99,
    }.items():  # fmt: skip
        yield f"length-{name}", post(b"Content-Length: %d\r\n" % value, b"{}"), (413,)
    yield "length-of-a-get", get(fields=b"Content-Length: 2\r\n") + b"{}", (413,)


def _codings():
    for name, value in {
        "identity": b"identity", "gzip": b"gzip", "chunked-identity": b"chunked, identity",
        "identity-chunked": b"identity, chunked", "twice": b"chunked, chunked", "x": b"xchunked",
        "longer": b"chunkedx", "parameter": b"chunked;q=1", "comma": b", chunked",
        "comma-behind": b"chunked,", "empty": b"", "quoted": b'"chunked"', "cow": b"cow",
        "8-bit": b"chunked\xa0",
    }.items():  # fmt: skip
        octets = post(b"Transfer-Encoding: " + value + b"\r\n", b"2\r\n{}\r\n0\r\n\r\n")
        yield f"coding-{name}", octets, (501,)
    for name, value in {
        "vertical-tab": b"\x0bchunked", "nul": b"chunked\0", "folded": b"\r\n chunked",
    }.items():  # fmt: skip
        octets = post(b"Transfer-Encoding: " + value + b"\r\n", b"2\r\n{}\r\n0\r\n\r\n")
        yield f"coding-{name}", octets, BAD
    both = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    yield "cl-te", post(both, b"0\r\n\r\n"), BAD
    yield "te-cl", post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n"), BAD
    yield "cl-0-te", post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), BAD
    yield "cl-te-odd", post(b"Content-Length: 4\r\nTransfer-Encoding: cow\r\n", b"0\r\n\r\n"), BAD
    yield "te-te", post(b"Transfer-Encoding: chunked\r\n" * 2, b"0\r\n\r\n"), BAD
    yield "te-te-odd", post(b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n"), BAD
    yield "te-blank-before-colon", post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), BAD
    yield "te-of-1.0", post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", version=b"HTTP/1.0"), BAD


def _chunks():
    for name, framing in {
        "overflow": b"10000000000000002\r\n{}\r\n0\r\n\r\n", "minus": b"-2\r\n{}\r\n0\r\n\r\n",
        "plus": b"+2\r\n{}\r\n0\r\n\r\n", "0x": b"0x2\r\n{}\r\n0\r\n\r\n",
        "blank-before": b" 2\r\n{}\r\n0\r\n\r\n", "blank-behind": b"2 \r\n{}\r\n0\r\n\r\n",
        "tab-behind": b"2\t\r\n{}\r\n0\r\n\r\n", "empty-size": b"\r\n{}\r\n0\r\n\r\n",
        "no-hex": b"g\r\n{}\r\n0\r\n\r\n", "size-lf": b"2\n{}\r\n0\r\n\r\n",
        "size-cr": b"2\r{}\r\n0\r\n\r\n", "data-long": b"1\r\n{}\r\n0\r\n\r\n",
        "data-lf": b"2\r\n{}\n0\r\n\r\n", "data-cr": b"2\r\n{}\r0\r\n\r\n",
        "data-runs-on": b"2\r\n{}0\r\n\r\n", "last-lf": b"2\r\n{}\r\n0\n\r\n",
        "end-lf": b"2\r\n{}\r\n0\r\n\n", "trailer": b"2\r\n{}\r\n0\r\nA: b\r\n\r\n",
        "trailer-length": b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
        "trailer-host": b"2\r\n{}\r\n0\r\nHost: a\r\n\r\n",
        "extension-lf": b"2;a\n\r\n{}\r\n0\r\n\r\n", "extension-cr": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
        "extension-nul": b"2;a=\0\r\n{}\r\n0\r\n\r\n",
        "extension-long": b"2;" + b"a" * 5_000 + b"\r\n{}\r\n0\r\n\r\n",
        "extension-value-long": b'2;a="' + b"b" * 5_000 + b'"\r\n{}\r\n0\r\n\r\n',
        "extensions-many": b"1;a=b\r\nx\r\n" * 1_000 + b"0\r\n\r\n",
    }.items():  # fmt: skip
        yield f"chunk-{name}", chunked(framing), BAD
    yield "chunk-large", chunked(b"ffffffff\r\n{}"), (413, CLOSE, 400)
    yield "chunk-beyond-64-bit", chunked(b"f" * 40 + b"\r\n{}"), BAD
    yield "chunks-over", chunked((b"10000\r\n" + b"x" * 65536 + b"\r\n") * 20), (413, CLOSE)
    yield "chunk-cut", chunked(b"2\r\n{"), (CLOSE, 400)
    yield "chunk-zeros", chunked(b"0" * 5_000 + b"2\r\n[]\r\n0\r\n\r\n"), BAD


def _bodies():
    for name, body in {
        "deep-array": b"[" * 1_000_000, "deep-object": b'{"a":' * 150_000, "deep-nine": b"[" * 9,
        "twice": b'{"reason": "a", "reason": "b"}', "nul": b'{"reason": "a"}\0',
        "nul-inside": b'{"reason": "a\0"}', "nul-escaped": b'{"reason": "\\u0000"}',
        "no-utf8": b'{"reason": "\xff"}', "utf8-long": b'{"reason": "\xc0\xaf"}',
        "surrogate": b'{"reason": "\\ud800"}', "surrogate-octets": b'{"reason": "\xed\xa0\x80"}',
        "behind": b"{} {}", "comment": b"{/* */}", "quotes": b"{'reason': 'a'}",
        "nan": b'{"force": NaN}', "number-large": b'{"force": 1e999}',
        "number-long": b'{"force": ' + b"9" * 100_000 + b"}", "no-object": b'"drain"',
        "null": b"null", "unknown": b'{"raeson": "a"}', "type": b'{"reason": 1}',
        "unknown-escape-character": b'{"\\u001b[31m": 1}', "line": b'{"reason": "a\\nb"}',
        "escape-character": b'{"reason": "\\u001b[2J"}', "c1": b'{"reason": "\\u009b2J"}',
        "bidi": '{"reason": "\u202eyako"}'.encode(), "line-separator": b'{"reason": "\\u2028"}',
        "text-long": b'{"reason": "' + b"a" * 2_000 + b'"}', "yaml": b"reason: a\n",
        "members-many": b"{" + b",".join(b'"%d":0' % n for n in range(50_000)) + b"}",
        "elements-many": b"[" + b"0," * 400_000 + b"0]", "at": b'{"at": "1h\\n"}',
        "utf16": '{"reason": "a"}'.encode("utf-16"), "cut": b'{"reason": "a',
    }.items():  # fmt: skip
        yield f"json-{name}", sized(body), BAD
    yield "json-script", sized(b'{"<script>alert(1)</script>": 1}'), BAD
    for name, body in {
        "seq-minus": b'{"instance":"b","seq":-1,"services":{}}',
        "seq-large": b'{"instance":"b","seq":18446744073709551616,"services":{}}',
        "seq-fraction": b'{"instance":"b","seq":1.5,"services":{}}',
        "seq-text": b'{"instance":"b","seq":"1","services":{}}',
        "services-array": b'{"instance":"b","seq":1,"services":[]}',
        "sessions-minus": b'{"instance":"b","seq":1,"services":{"front-end":'
        b'{"health":"up","sessions":{"a":-1}}}}',
        "sessions-deep": b'{"instance":"b","seq":1,"services":{"front-end":'
        b'{"health":"up","sessions":{"a":' + b"[" * 1_000 + b"}}}}",
        "health": b'{"instance":"b","seq":1,"services":{"front-end":{"health":"great"}}}',
        "twice": b'{"instance":"b","seq":1,"seq":2,"services":{}}',
    }.items():  # fmt: skip
        yield f"heartbeat-{name}", heartbeat(body), BAD
    other = f"/v1/servers/{server_name(2)}/heartbeat".encode()
    yield "heartbeat-of-another", sized(
        b'{"instance":"b","seq":1,"services":{}}', other, b"PUT", AS_AGENT
    ), (403,)
    yield "body-over", sized(b" " * (1024 * 1024 + 1)), (413, CLOSE)
    yield "body-of-a-stranger", sized(b"{}", who=b""), (401,)
    yield "body-cut", sized(b"{}")[:-1], (CLOSE,)


def _other_protocols():
    yield "tls", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500), BAD
    yield "ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n", BAD
    yield "smtp", b"EHLO mail.example\r\n", BAD
    yield "proxy-1", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get(), BAD
    yield "proxy-2", b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c" + bytes(12) + get(), BAD
    yield "redis", b"*1\r\n$4\r\nPING\r\n", BAD
    yield "dns", b"\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\5pool0\7example\0\0\1\0\1", BAD
    yield "sip", b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n", BAD
    yield "zeros", bytes(10_000), BAD
    yield "ones", b"\xff" * 100, (CLOSE, 400)
    yield "nothing", b"", (CLOSE,)


def _make():
    groups = (
        _request_lines, _hosts, _fields, _tokens, _lengths, _codings, _chunks, _bodies,
        _other_protocols,
    )  # fmt: skip
    for group in groups:
        for name, octets, expected in group():
            yield Case(name, octets, expected)
    # What follows a request whose end is in doubt is not read, let alone answered.
    smuggled = {
        "cl-te": post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        "length-list": post(b"Content-Length: 2, 2\r\n", b"{}"),
        "coding": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
        "fold": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
        "chunk": chunked(b"0x2\r\n{}\r\n0\r\n\r\n"),
        "get-with-content": get(b"/v1/pools", b"Content-Length: 5\r\n" + AS_OPERATOR) + b"hello",
        "lf": get(fields=b"A: b\n\n"),
        "stranger": sized(b"{}", who=b""),
    }
    for name, first in smuggled.items():
        yield Case(f"then-another-{name}", first + ANOTHER, (400, 401, 413, 501))


CASES = tuple(_make())
assert len({case.name for case in CASES}) == len(CASES), "two cases of one name"


def main():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        (folder / case.name).write_bytes(case.octets)


if __name__ == "__main__":
    main()
