#!/usr/bin/env python3
"""faultproxy.py UPSTREAM RULES - a loopback HTTP/1.1 proxy whose faults are the same each time.

UPSTREAM is HOST:PORT, RULES a JSON list (the text itself), tried in order:
  {"method": "PATCH", "path": "regex", "nth": [1, 3] | "every": N | "first": N, "do": {...}}
A rule counts the requests that match its method and path; without nth, every
and first it takes them all. What "do" may hold:
  "status": 429, "headers": {...}, "body": "..."   answer without asking upstream
  "cut": true          reset the connection before any answer
  "cut_up": N          pass N bytes of the request's body, then reset
  "cut_down": N        pass N bytes of the answer's body, then reset
  "stall": SECONDS     wait before passing on
  "corrupt": N         flip one bit of byte N of the answer's body
  "set": {"Name": "value" or null}                 replace or remove headers of the answer

Prints "listening on HOST:PORT", then "METHOD PATH -> WHAT" for each request.
"""
import json
import re
import socket
import struct
import sys
import threading
import time

UPSTREAM = tuple(sys.argv[1].rsplit(':', 1))
RULES = json.loads(sys.argv[2])
LOCK = threading.Lock()
COUNTS = [0] * len(RULES)


def pick(method, path):
    """What to do with this request: {} passes it on."""
    chosen = None
    with LOCK:
        for i, rule in enumerate(RULES):
            if rule.get('method', method) != method or not re.search(rule.get('path', ''), path):
                continue
            COUNTS[i] += 1
            n = COUNTS[i]
            hit = (n in rule.get('nth', []) or n <= rule.get('first', 0)
                   or ('every' in rule and n % rule['every'] == 0)
                   or not {'nth', 'first', 'every'} & set(rule))
            if hit and chosen is None:
                chosen = rule['do']
    return chosen or {}


class Reset(Exception):
    """Reset the client's connection, saying why."""


class Side:
    """One connection, read by heads and bodies."""

    def __init__(self, sock):
        self.sock, self.held = sock, b''

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.held += data

    def until(self, mark):
        while mark not in self.held:
            self.fill()
        taken, _, self.held = self.held.partition(mark)
        return taken

    def head(self):
        lines = self.until(b'\r\n\r\n').decode('latin1').split('\r\n')
        pairs = [line.partition(':') for line in lines[1:]]
        return lines[0], [(name, value.strip()) for name, _, value in pairs]

    def some(self, most):
        if not self.held:
            self.fill()
        taken, self.held = self.held[:most], self.held[most:]
        return taken

    def body(self, fields, to_end=False):
        if 'chunked' in fields.get('transfer-encoding', '').lower():
            while True:
                left = int(self.until(b'\r\n').split(b';')[0], 16)
                if left == 0:
                    while self.until(b'\r\n'):
                        pass
                    return
                while left:
                    data = self.some(left)
                    left -= len(data)
                    yield data
                self.until(b'\r\n')
        elif 'content-length' in fields:
            left = int(fields['content-length'])
            while left:
                data = self.some(left)
                left -= len(data)
                yield data
        elif to_end:
            try:
                while True:
                    yield self.some(65536)
            except EOFError:
                return


def lower(pairs):
    return {name.lower(): value for name, value in pairs}


def head_bytes(first, pairs):
    return (first + '\r\n' + ''.join('%s: %s\r\n' % p for p in pairs) + '\r\n').encode('latin1')


def pump(source, sink, chunked, limit, why, corrupt=None):
    """Copy pieces of a body; stop with a reset after limit bytes."""
    position = 0
    for data in source:
        if corrupt is not None and position <= corrupt < position + len(data):
            i = corrupt - position
            data = data[:i] + bytes([data[i] ^ 1]) + data[i + 1:]
        if limit is not None:
            data = data[:limit - position]
        position += len(data)
        if data:
            sink.sendall(b'%x\r\n%s\r\n' % (len(data), data) if chunked else data)
        if limit is not None and position >= limit:
            time.sleep(0.05)    # let what was sent arrive before the reset
            raise Reset('%s after %d bytes' % (why, limit))
    if chunked:
        sink.sendall(b'0\r\n\r\n')


def one_request(client, upstream):
    """Pass one request on; returns (upstream, whether the connection stays)."""
    first, pairs = client.head()
    method, path, _ = first.split(' ', 2)
    do, fields = pick(method, path), lower(pairs)

    def say(what):
        print(method, path, '->', what, flush=True)

    time.sleep(do.get('stall', 0))
    if 'cut' in do:
        raise Reset(say('cut') or 'cut')
    if fields.get('expect', '').lower() == '100-continue':
        client.sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
    if 'status' in do:
        for _ in client.body(fields):
            pass
        body = b'' if method == 'HEAD' else do.get('body', '').encode()
        extra = list(do.get('headers', {}).items()) + [('Content-Length', str(len(body)))]
        client.sock.sendall(head_bytes('HTTP/1.1 %d Injected' % do['status'], extra) + body)
        say(do['status'])
        return upstream, True

    if upstream is None:
        upstream = Side(socket.create_connection((UPSTREAM[0], int(UPSTREAM[1]))))
    upstream.sock.sendall(head_bytes(first, [p for p in pairs if p[0].lower() != 'expect']))
    chunked = 'chunked' in fields.get('transfer-encoding', '').lower()
    try:
        pump(client.body(fields), upstream.sock, chunked, do.get('cut_up'), 'cut up')
        while True:
            answer, pairs = upstream.head()
            code = int(answer.split(' ')[1])
            if code >= 200:
                break
        fields, changes = lower(pairs), do.get('set', {})
        changed = {name.lower() for name in changes}
        pairs = [p for p in pairs if p[0].lower() not in changed]
        pairs += [p for p in changes.items() if p[1] is not None]
        client.sock.sendall(head_bytes(answer, pairs))
        if method != 'HEAD' and code not in (204, 304):
            chunked = 'chunked' in fields.get('transfer-encoding', '').lower()
            pump(upstream.body(fields, True), client.sock, chunked, do.get('cut_down'), 'cut down',
                 do.get('corrupt'))
    except Reset as reason:
        upstream.sock.close()
        say(reason)
        raise
    say('%d %s' % (code, json.dumps(do) if do else ''))
    return upstream, 'close' not in fields.get('connection', '').lower()


def serve(sock):
    client, upstream, stay = Side(sock), None, True
    try:
        while stay:
            upstream, stay = one_request(client, upstream)
    except Reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    except (EOFError, OSError):
        pass
    finally:
        sock.close()
        if upstream:
            upstream.sock.close()


def main():
    listener = socket.create_server(('127.0.0.1', 0), backlog=64)
    print('listening on 127.0.0.1:%d' % listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


main()
