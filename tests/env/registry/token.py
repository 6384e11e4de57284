#!/usr/bin/env python3
"""token.py CERT KEY - the token server of registry-up's kind "token".

GET  /token?service=&scope=...     Basic u:p or ro:ro, or nobody (pulls public/* only)
POST /token                        grant_type=password|refresh_token

Answers RS256 tokens whose header carries the certificate. Prints
"listening on HOST:PORT" and then one line a request: what was asked, what granted.
"""
import base64
import http.server
import json
import re
import subprocess
import sys
import time
import urllib.parse
import uuid

USERS = {'u': 'p', 'ro': 'ro'}
ISSUER = 'token-issuer'
LIFE = 300
REFRESH = {}
CERT, KEY = sys.argv[1:3]


def openssl(*args, data=None):
    return subprocess.run(('openssl',) + args, input=data, stdout=subprocess.PIPE, check=True).stdout


CHAIN = [base64.b64encode(openssl('x509', '-in', CERT, '-outform', 'DER')).decode()]


def text64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def sign(claims):
    head = {'typ': 'JWT', 'alg': 'RS256', 'x5c': CHAIN}
    body = '.'.join(text64(json.dumps(part).encode()) for part in (head, claims))
    return body + '.' + text64(openssl('dgst', '-sha256', '-sign', KEY, data=body.encode()))


def grant(user, scopes):
    """The part of what was asked that user may do."""
    access = []
    for scope in scopes:
        match = re.match(r'^([^:]+):(.+):([^:]*)$', scope)
        if not match:
            continue
        kind, name, actions = match.groups()
        actions = [a for a in actions.split(',') if a]
        if user is None:
            actions = [a for a in actions if a == 'pull' and name.startswith('public/')]
        elif user == 'ro':
            actions = [a for a in actions if a == 'pull']
        if name.startswith('denied/'):
            actions = []
        if actions:
            access.append({'type': kind, 'name': name, 'actions': actions})
    return access


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def reply(self, code, document, headers=()):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def deny(self):
        print(self.command, 'refused', flush=True)
        self.reply(401, {'errors': [{'code': 'UNAUTHORIZED', 'message': 'bad credentials'}]},
                   [('WWW-Authenticate', 'Basic realm="token"')])

    def give(self, user, service, scopes, refresh):
        now, access = int(time.time()), grant(user, scopes)
        token = sign({'iss': ISSUER, 'sub': user or '', 'aud': service, 'iat': now, 'nbf': now - 10,
                      'exp': now + LIFE, 'jti': uuid.uuid4().hex, 'access': access})
        print(self.command, user, scopes, '->', [(a['name'], a['actions']) for a in access], flush=True)
        answer = {'token': token, 'access_token': token, 'expires_in': LIFE}
        if refresh:
            answer['refresh_token'] = uuid.uuid4().hex
            REFRESH[answer['refresh_token']] = user
        self.reply(200, answer)

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        scopes = [one for value in query.get('scope', []) for one in value.split(' ')]
        user, given = None, self.headers.get('Authorization', '')
        if given.startswith('Basic '):
            user, _, password = base64.b64decode(given[6:]).decode().partition(':')
            if USERS.get(user) != password:
                return self.deny()
        offline = query.get('offline_token', [''])[0] == 'true'
        return self.give(user, query.get('service', [''])[0], scopes, user and offline)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', '0'))).decode()
        form = {k: v[0] for k, v in urllib.parse.parse_qs(body).items()}
        if form.get('grant_type') == 'password':
            user = form.get('username')
            if USERS.get(user) != form.get('password'):
                return self.deny()
        elif form.get('grant_type') == 'refresh_token' and form.get('refresh_token') in REFRESH:
            user = REFRESH[form['refresh_token']]
        else:
            return self.deny()
        return self.give(user, form.get('service', ''), form.get('scope', '').split(' '), True)


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print('listening on 127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
