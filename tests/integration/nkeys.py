# SPDX-License-Identifier: BSD-2-Clause
"""Keys and credentials of NATS, for tests: NKeys are Ed25519 keys in base32, and credentials are a JWT with one. openssl signs."""
import base64
import binascii
import itertools
import json
import os
import subprocess
import time

SEED = 18 << 3
KINDS = {"operator": 14 << 3, "account": 0, "user": 20 << 3}


def encode(data):
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")


def part(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=")


class Key:
    ids = itertools.count()

    def __init__(self, folder, kind):
        self.kind, self.pem = kind, os.path.join(folder, f"key{next(self.ids)}")
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", self.pem)
        raw = self.openssl("pkey", "-in", self.pem, "-outform", "DER")[-32:]
        prefix = KINDS[kind]
        self.public = encode(bytes([prefix]) + self.openssl("pkey", "-in", self.pem, "-pubout", "-outform", "DER")[-32:])
        self.seed = encode(bytes([SEED | prefix >> 5, (prefix & 31) << 3]) + raw)

    @staticmethod
    def openssl(*args):
        return subprocess.run(["openssl", *args], check=True, capture_output=True).stdout

    def sign(self, data):
        path = self.pem + ".data"
        with open(path, "wb") as f:
            f.write(data)
        return self.openssl("pkeyutl", "-sign", "-inkey", self.pem, "-rawin", "-in", path)

    def jwt(self, of, **nats):
        """What this key says about another."""
        claims = {"jti": of.public, "iat": int(time.time()), "iss": self.public, "name": of.kind, "sub": of.public,
                  "nats": {"type": of.kind, "version": 2, **nats}}
        text = part({"typ": "JWT", "alg": "ed25519-nkey"}) + b"." + part(claims)
        return (text + b"." + part(self.sign(text))).decode()


def credentials(path, account, user):
    """The file of a user, as nsc writes it."""
    with open(path, "w", encoding="ascii") as f:
        f.write(f"-----BEGIN NATS USER JWT-----\n{account.jwt(user, subs=-1, data=-1, payload=-1, pub={}, sub={})}\n"
                f"------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n")
    return path


def operator_mode(folder):
    """(what a server's configuration must say, the account whose users may log in)"""
    operator, account, system = Key(folder, "operator"), Key(folder, "account"), Key(folder, "account")
    most = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    stores = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    path = os.path.join(folder, "operator.jwt")
    with open(path, "w", encoding="ascii") as f:
        f.write(operator.jwt(operator, system_account=system.public))
    return (f'operator: "{path}"\nsystem_account: {system.public}\nresolver: MEMORY\nresolver_preload {{\n'
            f'{account.public}: {operator.jwt(account, limits={**most, **stores})}\n'
            f'{system.public}: {operator.jwt(system, limits=most)}\n}}\n'), account
