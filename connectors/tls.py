"""TLS to sources, channels and issuers: who vouches for their certificates, and what is wrong with one that does not hold."""

from __future__ import annotations

import ssl

# How OpenSSL numbers it (x509_vfy.h). Its own words of the last two name the address, which is for no log.
_WRONG = {
    9: ("EARLY", "its certificate is not valid yet, or our clock is behind"),
    10: ("EXPIRED", "its certificate has expired"),
    62: ("OTHER_HOST", "its certificate is another host's"),
    64: ("OTHER_HOST", "its certificate is another host's"),
}
# No issuer is found, one signed itself, or the chain ends before one that is trusted.
_UNTRUSTED = frozenset({2, 18, 19, 20, 21, 27})


def trusted() -> ssl.SSLContext:
    """Trust the authorities that this machine trusts: its own store, or that of SSL_CERT_FILE and SSL_CERT_DIR.

    The platforms of an administration have certificates of authorities that no browser's list names.
    """
    context = ssl.create_default_context()
    # Python asks for it from 3.13 on: a certificate would be refused that does not name its issuer's key, as those of an
    # administration's own authority often do not, and a newer Python would cut its sources off. Signatures, names and days count as before.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def certificate_problem(error: BaseException) -> tuple[str, str] | None:
    """What is wrong with the certificate of whoever was asked: a code, and words without an address; None: nothing is."""
    found = _of_tls(error)
    if not isinstance(found, ssl.SSLCertVerificationError):
        return None
    if found.verify_code in _UNTRUSTED:
        return "UNTRUSTED", "no authority that this machine trusts vouches for its certificate"
    return _WRONG.get(
        found.verify_code, ("REFUSED", f"its certificate does not hold: {found.verify_message}")
    )


def words(error: BaseException) -> str:
    """Why nothing came, for the log: what is wrong with the certificate or what OpenSSL calls it, else the kind of error."""
    problem, failure = certificate_problem(error), _of_tls(error)
    if problem is not None:
        return problem[1]
    reason = failure.reason if failure is not None else None
    return f"TLS failed: {reason}" if reason else type(error).__name__


def _of_tls(error: BaseException) -> ssl.SSLError | None:
    """The failure of TLS that led to `error`, if one did."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    return found
