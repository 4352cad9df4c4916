"""An agreement that is taken, and all the ways in which it is refused: what is replaced in it, by what, what is said."""
# ruff: noqa: E501 - one refusal a line

from __future__ import annotations

import base64
import re
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.rights.issuer import IssuerKey


def encoded(number: bytes) -> str:
    return base64.urlsafe_b64encode(number).rstrip(b"=").decode()


def ed25519() -> str:
    public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f'{{ kty = "OKP", crv = "Ed25519", x = "{encoded(public)}" }}'


def elliptic() -> str:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (encoded(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return f'{{ kty = "EC", crv = "P-256", x = "{x}", y = "{y}" }}'


def modulus(bits: int) -> str:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return f'{{ kty = "RSA", n = "{encoded(numbers.n.to_bytes(bits // 8))}", e = "AQAB" }}'


JWK = ed25519()
KEY = IssuerKey(
    "https://mall.example",
    "2026-1",
    "EdDSA",
    dict(re.findall(r'(\w+) = "([^"]+)"', JWK)),
    date(2026, 1, 1),
    date(2030, 12, 31),
)
ISSUER = f"""
[[issuer]]
iss = "https://mall.example"
kid = "2026-1"
alg = "EdDSA"
jwk = {JWK}
valid_from = 2026-01-01
valid_to = 2027-12-31
"""
MALL = f"""\
partner = "mall"
name = "示范电子商务平台"
class = "P9"
document = "青商信共享〔2026〕9号"
valid_from = 2026-01-01
valid_to = 2027-12-31
capabilities = ["LOOKUP", "BULK"]
purposes = ["MERCHANT_ADMISSION"]

[data]
D1 = "FULL"
D17 = {{ level = "YES_NO", purposes = ["MERCHANT_ADMISSION"] }}
{ISSUER}"""

# What is replaced in the agreement above, by what, and what the refusal says.
REFUSALS = {
    "class of data wider than the matrix": ('D1 = "FULL"', 'D8 = "YES_NO"', "data.D8: YES_NO exceeds the matrix, which gives P9 NONE"),
    "level wider than the matrix": ('level = "YES_NO"', 'level = "FULL"', "data.D17: FULL for MERCHANT_ADMISSION exceeds the matrix, which gives P9 YES_NO"),
    "level wider, purposes unnamed": ('D1 = "FULL"', 'D29 = "MASKED"', "data.D29: MASKED exceeds the matrix, which gives P9 YES_NO"),
    "purpose that the class may not declare": ('purposes = ["MERCHANT_ADMISSION"]\n\n', 'purposes = ["AUDIT"]\n\n', "purposes: AUDIT is not open to a partner of class P9"),
    "purpose of data that the agreement lacks": ('purposes = ["MERCHANT_ADMISSION"] }', 'purposes = ["AUDIT"] }', "data.D17.purposes: AUDIT is not open to this agreement"),
    "capability that the class may not have": ('"BULK"', '"SEARCH"', "capabilities: SEARCH is not open to a partner of class P9"),
    "unknown data class": ('D1 = "FULL"', 'D44 = "FULL"', "data.D44: no such data class"),
    "unknown level": ('D1 = "FULL"', 'D1 = "ALL"', "data.D1: 'ALL' is unknown"),
    "level in small letters": ('D1 = "FULL"', 'D1 = "full"', "data.D1: 'full' is unknown; did you mean FULL?"),
    "purpose misspelt": ('purposes = ["MERCHANT_ADMISSION"]\n\n', 'purposes = ["MERCHANT_ADMISION"]\n\n', "purposes: 'MERCHANT_ADMISION' is unknown; did you mean MERCHANT_ADMISSION?"),
    "unknown key, misspelt": ('document = ', 'dokument = ', "dokument: unknown key; did you mean document?"),
    "unknown key beside the right one": ('capabilities = ', 'valid_form = 2026-01-01\ncapabilities = ', "valid_form: unknown key; did you mean valid_from?"),
    "unknown purpose": ('purposes = ["MERCHANT_ADMISSION"]\n\n', 'purposes = ["LENDING"]\n\n', "purposes: 'LENDING' is unknown"),
    "unknown capability": ('"BULK"', '"EXPORT"', "capabilities: 'EXPORT' is unknown"),
    "unknown partner class": ('class = "P9"', 'class = "P13"', "class: 'P13' is unknown"),
    "unknown key": ("document = ", "paper = ", "paper: unknown key"),
    "document missing": ('document = "青商信共享〔2026〕9号"\n', "", "document: missing"),
    "unknown key besides": ("[data]", "colour = 'red'\n[data]", "colour: unknown key"),
    "unknown key of data": ('level = "YES_NO",', 'level = "YES_NO", until = 2026-12-31,', "data.D17.until: unknown key"),
    "unknown region": ("capabilities = ", 'regions = ["6399"]\ncapabilities = ', "regions: '6399' is no region code"),
    "region with zeros": ("capabilities = ", 'regions = ["630000"]\ncapabilities = ', "regions: '630000' is no region code"),
    "region no longer in use": ("capabilities = ", 'regions = ["630122"]\ncapabilities = ', "regions: 630122 is no longer in use; today it is 630106"),
    "region twice": ("capabilities = ", 'regions = ["6301", "6301"]\ncapabilities = ', "regions: something is said twice"),
    "unknown source": ("capabilities = ", 'source = "BANK"\ncapabilities = ', "source: 'BANK' is unknown"),
    "source of another class": ("capabilities = ", 'source = "TAX"\ncapabilities = ', "source: TAX is not run by a partner of class P9"),
    "unknown coordinate": ("[data]", '[coordinates]\nhide = ["Organization.salary"]\n[data]', "coordinates.hide: the schema has no 'Organization.salary'"),
    "coordinate misspelt": ("[data]", '[coordinates]\nhide = ["organization.LegalRepresentative"]\n[data]', "coordinates.hide: the schema has no 'organization.LegalRepresentative'; did you mean Organization.legalRepresentativeName?"),
    "expired": ("valid_to = 2027-12-31\ncap", "valid_to = 2026-11-21\ncap", "valid_to: expired on 2026-11-21"),
    "ends before it begins": ("valid_to = 2027-12-31\ncap", "valid_to = 2025-12-31\ncap", "valid_to: 2025-12-31 is before valid_from 2026-01-01"),
    "date as text": ("valid_to = 2027-12-31\ncap", 'valid_to = "2027-12-31"\ncap', "valid_to: must be a date"),
    "moment for a date": ("valid_to = 2027-12-31\ncap", "valid_to = 2027-12-31T00:00:00Z\ncap", "valid_to: must be a date"),
    "no purpose": ('purposes = ["MERCHANT_ADMISSION"]\n\n', "purposes = []\n\n", "purposes: none"),
    "purpose twice": ('purposes = ["MERCHANT_ADMISSION"]\n\n', 'purposes = ["MERCHANT_ADMISSION", "MERCHANT_ADMISSION"]\n\n', "purposes: something is said twice"),
    "purposes as text": ('purposes = ["MERCHANT_ADMISSION"]\n\n', 'purposes = "MERCHANT_ADMISSION"\n\n', "purposes: must be an array"),
    "name on two lines": ('name = "示范电子商务平台"', 'name = "示范\\n平台"', "name: must be a text on one line"),
    "page above the class": ("[data]", "[limits]\npage = 101\n[data]", "limits.page: 101 is more than 100, the most for P9"),
    "quota above the class": ("[data]", "[quota]\nsubjects_per_day = 500001\n[data]", "quota.subjects_per_day: 500001 is more than 500000"),
    "limit of nothing": ("[data]", "[limits]\ndepth = 0\n[data]", "limits.depth: a whole number above zero"),
    "limit of true": ("[data]", "[limits]\ndepth = true\n[data]", "limits.depth: a whole number above zero"),
    "unknown limit": ("[data]", "[limits]\nbreadth = 1\n[data]", "limits.breadth: unknown key"),
    "no data": ('D1 = "FULL"\nD17 = { level = "YES_NO", purposes = ["MERCHANT_ADMISSION"] }', "", "data: no data class is granted"),
    "expired key": ("valid_to = 2027-12-31\n", "valid_to = 2026-11-21\n", "the key expired on 2026-11-21"),
    "key ends before it begins": ("valid_to = 2027-12-31\n", "valid_to = 2025-12-31\n", "issuer.valid_to: 2025-12-31 is before"),
    "symmetric algorithm": ('alg = "EdDSA"', 'alg = "HS256"', "issuer.alg: 'HS256' is none of EdDSA, ES256, RS256, PS256"),
    "no algorithm": ('alg = "EdDSA"', 'alg = "none"', "issuer.alg: 'none' is none of"),
    "algorithm of another key": ('alg = "EdDSA"', 'alg = "ES256"', "issuer.jwk: ES256 needs a key of type EC on P-256"),
    "symmetric key": (f"jwk = {JWK}", 'jwk = { kty = "oct", k = "c2VjcmV0" }', "issuer.jwk: k is part of a private key"),
    "private key": ("jwk = {", 'jwk = { d = "c2VjcmV0",', "issuer.jwk: d is part of a private key"),
    "key that is none": (f"jwk = {JWK}", 'jwk = { kty = "OKP", crv = "Ed25519", x = "AAAA" }', "issuer.jwk: no usable public key for EdDSA"),
    "key of another id": ("jwk = {", 'jwk = { kid = "other",', "issuer.jwk.kid: differs from 2026-1"),
    "key for encryption": ("jwk = {", 'jwk = { use = "enc",', "issuer.jwk.use: differs from sig"),
    "key id that leads to a file": ('kid = "2026-1"', 'kid = "../etc/passwd"', "issuer.kid: 1 to 64 letters"),
    "key id that leads to an address": ('kid = "2026-1"', 'kid = "http://example"', "issuer.kid: 1 to 64 letters"),
    "two keys of one id": (ISSUER, ISSUER + ISSUER.replace(JWK, ed25519()), "issuer.kid: https://mall.example names 2026-1 twice"),
    "partner under a misspelt key": ('partner = "mall"', 'parnter = "mall"', "parnter: unknown key; did you mean partner?"),
    "partner's id in capitals": ('partner = "mall"', 'partner = "Mall"', "partner: a small letter"),
    "partner's id with a path": ('partner = "mall"', 'partner = "../mall"', "partner: a small letter"),
    "partner's id of one letter": ('partner = "mall"', 'partner = "m"', "partner: a small letter"),
    "no TOML": ("[data]", "[data", "the file is not TOML"),
    "a table twice": ("[data]", "[data]\n[data]", "the file is not TOML"),
}  # fmt: skip
