#!/usr/bin/env python3
"""hostile.py DIR [CERT KEY] - a registry on loopback that misbehaves as it is told.

What it does is chosen by the first component of the repository's name:

  good          an honest image of one layer; also takes pushes (all of them do)
  s401 s403 s404 s429 s500   answers that status for ever (429 with Retry-After: 1)
  once429 once503  the first request for each path gets that status, then all is well
  badlayer      a layer's body has the right length and the wrong bytes
  badmanifest   the manifest by digest is not the one that digest names
  baddigest     the Docker-Content-Digest header is not the body's
  short         a layer's body ends before its Content-Length
  long          a layer's body never ends
  stall         a layer's body stops after ten bytes, the connection stays open
  silent        reads the request, never answers
  hangup        closes the connection instead of answering
  redirect      wants Basic u:p; layers are at another origin, by 307
  redirectloop  a layer redirects to itself
  uploadaway    wants Basic u:p; an upload's Location is at another origin
  realmaway     401 with a Bearer realm at another origin (another host name)
  realmplain    401 with a Bearer realm that is http; meant for the https address
  dotdot absolute symlink hardlink   a layer whose entry leaves the root that way
  devlink proclink                   a layer in which /dev (/proc) is a link to DIR/outside
  dupkeys huge deep notjson          a manifest with a key twice; of 5 MiB; nested
                100 000 deep; that is not JSON

Files in DIR once it listens: addr and tls (HOST:PORT, here), other (the other
origin), refused (a port where nobody listens), ready. requests.log gets one
JSON object a request: origin, method, path, and the headers that carry secrets.
"""
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import socket
import ssl
import sys
import tarfile
import threading
import time

DIR = os.path.abspath(sys.argv[1])
OUTSIDE = os.path.join(DIR, 'outside')
LOG = open(os.path.join(DIR, 'requests.log'), 'a', buffering=1)
MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
SECRETS = ('Authorization', 'Cookie', 'X-Meta-Token', 'X-Api-Key')
PUSHED = {}
PARTS = {}
SEEN = set()
LOCK = threading.Lock()
OTHER = {}


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


# ---------------------------------------------------------------- images

def entry(tar, name, data=b'', kind=tarfile.REGTYPE, link='', mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    tar.addfile(info, io.BytesIO(data))


def escape(tar, name):
    """The entry for which the repository is named."""
    folder = dict(kind=tarfile.DIRTYPE, mode=0o755)
    up = '../' * 40
    if name == 'dotdot':
        entry(tar, up + OUTSIDE.lstrip('/') + '/dotdot', b'escaped\n')
    elif name == 'absolute':
        entry(tar, OUTSIDE + '/absolute', b'escaped\n')
    elif name == 'symlink':
        entry(tar, 'out', kind=tarfile.SYMTYPE, link=OUTSIDE)
        entry(tar, 'out/symlink', b'escaped\n')
    elif name == 'hardlink':
        entry(tar, 'taken', kind=tarfile.LNKTYPE, link=up + OUTSIDE.lstrip('/') + '/canary')
        entry(tar, 'taken', b'escaped\n')
    elif name in ('devlink', 'proclink'):
        entry(tar, name[:-4], kind=tarfile.SYMTYPE, link=OUTSIDE)
        entry(tar, 'etc', **folder)


def layer(name):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w', format=tarfile.PAX_FORMAT) as tar:
        entry(tar, 'hello', b'hello from ' + name.encode() + b'\n' + b'.' * 4096)
        entry(tar, 'bin', kind=tarfile.DIRTYPE, mode=0o755)
        entry(tar, 'bin/true', b'#!/nowhere\n', mode=0o755)
        escape(tar, name)
    return packed.getvalue()


def image(name):
    """(manifest bytes, {digest: blob bytes})"""
    plain = layer(name)
    packed = gzip.compress(plain, mtime=0)
    config = json.dumps({
        'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/bin/true']},
        'rootfs': {'type': 'layers', 'diff_ids': [digest(plain)]}}).encode()
    document = {
        'schemaVersion': 2, 'mediaType': MANIFEST_TYPE,
        'config': {'mediaType': 'application/vnd.oci.image.config.v1+json',
                   'digest': digest(config), 'size': len(config)},
        'layers': [{'mediaType': 'application/vnd.oci.image.layer.v1.tar+gzip',
                    'digest': digest(packed), 'size': len(packed)}]}
    if name == 'huge':
        document['annotations'] = {'filler': 'x' * (5 << 20)}
    manifest = json.dumps(document).encode()
    if name == 'dupkeys':
        manifest = b'{"schemaVersion": 2, "schemaVersion": 2,' + manifest[1:]
    elif name == 'deep':
        manifest = b'{"a":' + b'[' * 100000 + b']' * 100000 + b',' + manifest[1:]
    elif name == 'notjson':
        manifest = b'<html>not a manifest</html>'
    return manifest, {digest(config): config, digest(packed): packed}


# ---------------------------------------------------------------- serving

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    origin = 'registry'

    def log_message(self, *args):
        pass

    def note(self):
        sent = {k: self.headers[k] for k in SECRETS if k in self.headers}
        LOG.write(json.dumps({'origin': self.origin, 'method': self.command, 'path': self.path,
                              'secrets': sent}) + '\n')

    def reply(self, code, body=b'', headers=(), kind='application/json', length=None):
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def error(self, code, headers=()):
        body = json.dumps({'errors': [{'code': 'HOSTILE', 'message': 'told to answer %d' % code}]})
        self.reply(code, body.encode(), headers)

    def take_body(self):
        if 'chunked' in self.headers.get('Transfer-Encoding', ''):
            data = b''
            while True:
                size = int(self.rfile.readline().split(b';')[0], 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return data
        return self.rfile.read(int(self.headers.get('Content-Length', '0')))

    def any(self):
        self.note()
        data = self.take_body()
        match = re.match(r'^/v2/([^/]+)(?:/.+)?/(manifests|blobs|tags)/([^?]+)', self.path)
        if not match:
            return self.reply(200, b'{}')
        name, what, which = match.groups()
        if self.refuse(name):
            return None
        if what == 'tags':
            return self.reply(200, b'{"name": "%s", "tags": ["1"]}' % name.encode())
        if self.command in ('GET', 'HEAD'):
            return self.manifest(name, which) if what == 'manifests' else self.blob(name, which)
        return self.push(name, what, which, data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any

    def refuse(self, name):
        """Answer what the whole repository answers; False if it is to go on."""
        if re.match(r'^s\d{3}$', name):
            code = int(name[1:])
            extra = {401: ('WWW-Authenticate', 'Basic realm="hostile"'), 429: ('Retry-After', '1')}
            self.error(code, [extra[code]] if code in extra else [])
        elif name.startswith('once'):
            with LOCK:
                fresh = (self.command, self.path) not in SEEN
                SEEN.add((self.command, self.path))
            if not fresh:
                return False
            self.error(int(name[4:]), [('Retry-After', '1')])
        elif name == 'silent':
            time.sleep(600)
        elif name == 'hangup':
            self.close_connection = True
        elif name in ('redirect', 'uploadaway') and 'Authorization' not in self.headers:
            self.error(401, [('WWW-Authenticate', 'Basic realm="hostile"')])
        elif name in ('realmaway', 'realmplain'):
            host = {'realmaway': OTHER['name'], 'realmplain': OTHER['addr']}[name]
            self.error(401, [('WWW-Authenticate', 'Bearer realm="http://%s/token",service="x"' % host)])
        else:
            return False
        return True

    def manifest(self, name, which):
        body, _ = image(name)
        body = PUSHED.get((name, 'manifests', which), body)
        named = digest(body)
        if which.startswith('sha256:') and name == 'badmanifest':
            body = body.replace(b'"schemaVersion": 2', b'"schemaVersion":  2')
        elif which.startswith('sha256:') and which != named:
            return self.error(404)
        if name == 'baddigest':
            named = digest(b'something else')
        return self.reply(200, body, [('Docker-Content-Digest', named)], MANIFEST_TYPE)

    def blob(self, name, which):
        blobs = image(name)[1]
        body = blobs.get(which) or PUSHED.get((name, 'blobs', which))
        if body is None:
            return self.error(404)
        octets = 'application/octet-stream'
        if which != list(blobs)[-1] or self.command == 'HEAD':
            return self.reply(200, body, kind=octets)
        if name == 'redirect':
            return self.error(307, [('Location', 'http://%s/layer/%s' % (OTHER['addr'], name))])
        if name == 'redirectloop':
            return self.error(307, [('Location', self.path)])
        if name == 'badlayer':
            return self.reply(200, body[:-9] + bytes([body[-9] ^ 1]) + body[-8:], kind=octets)
        if name == 'short':
            self.close_connection = True
            return self.reply(200, body[:-10], kind=octets, length=len(body))
        if name == 'stall':
            self.reply(200, body[:10], kind=octets, length=len(body))
            return time.sleep(600)
        if name == 'long':
            return self.endless(body)
        return self.reply(200, body, kind=octets)

    def endless(self, body):
        self.send_response(200)
        self.send_header('Connection', 'close')
        self.end_headers()
        self.close_connection = True
        self.wfile.write(body)
        for _ in range(4096):           # 256 MiB: a client that reads on has failed anyway
            self.wfile.write(b'\0' * 65536)

    def push(self, name, what, which, data):
        if what == 'manifests':
            for key in (which, digest(data)):
                PUSHED[name, what, key] = data
            return self.reply(201, headers=[('Docker-Content-Digest', digest(data))])
        if self.command == 'POST':
            place = '/v2/%s/blobs/uploads/1' % name
            if name == 'uploadaway':
                place = 'http://' + OTHER['addr'] + place
            return self.reply(202, headers=[('Location', place)])
        if self.command == 'PATCH':
            PARTS[name] = data
            return self.reply(202, headers=[('Location', '/v2/%s/blobs/uploads/1' % name),
                                            ('Range', '0-%d' % (len(data) - 1))])
        if self.command == 'PUT':
            data = PARTS.pop(name, b'') + data
            PUSHED[name, what, digest(data)] = data
            return self.reply(201, headers=[('Docker-Content-Digest', digest(data))])
        return self.error(405)


class Other(Handler):
    """The other origin: gives layers to anybody, tokens too, and takes note."""
    origin = 'other'

    def any(self):
        self.note()
        self.take_body()
        if self.path.startswith('/layer/'):
            name = self.path.split('/')[2]
            return self.reply(200, list(image(name)[1].values())[-1], kind='application/octet-stream')
        if self.path.startswith('/token'):
            return self.reply(200, b'{"token": "from-elsewhere"}')
        return self.reply(201)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = any


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass            # a client that goes away is no news


def write(name, text):
    with open(os.path.join(DIR, name), 'w') as file:
        file.write(text + '\n')


def main():
    os.makedirs(OUTSIDE, exist_ok=True)
    write('outside/canary', 'untouched')
    plain, other = Server(('127.0.0.1', 0), Handler), Server(('127.0.0.1', 0), Other)
    OTHER['addr'] = '127.0.0.1:%d' % other.server_port
    OTHER['name'] = 'localhost:%d' % other.server_port
    servers = [plain, other]
    if len(sys.argv) > 3:
        secure = Server(('127.0.0.1', 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        secure.socket = context.wrap_socket(secure.socket, server_side=True,
                                            do_handshake_on_connect=False)
        servers.append(secure)
        write('tls', '127.0.0.1:%d' % secure.server_port)
    nobody = socket.socket()            # bound and not listening: connecting is refused
    nobody.bind(('127.0.0.1', 0))
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    write('addr', '127.0.0.1:%d' % plain.server_port)
    write('other', OTHER['addr'])
    write('refused', '127.0.0.1:%d' % nobody.getsockname()[1])
    write('ready', '')
    threading.Event().wait()


main()
