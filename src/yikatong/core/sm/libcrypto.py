"""The system's libcrypto (OpenSSL ≥ 3.0) through cffi in ABI mode: no compiler, no build step."""

import _ssl
import ctypes.util
from functools import cache
from typing import Any

from cffi import FFI

_OLDEST = 0x30000000

ffi = FFI()
ffi.cdef("""
    typedef struct evp_pkey_st EVP_PKEY;
    typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
    typedef struct bignum_st BIGNUM;
    typedef struct ec_group_st EC_GROUP;
    typedef struct ec_point_st EC_POINT;
    typedef struct {
        const char *key; unsigned int data_type; void *data; size_t data_size; size_t return_size;
    } OSSL_PARAM;
    unsigned long OpenSSL_version_num(void);
    void ERR_clear_error(void);
    EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(void *libctx, const char *name, const char *properties);
    EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_pkey(void *libctx, EVP_PKEY *pkey, const char *properties);
    void EVP_PKEY_CTX_free(EVP_PKEY_CTX *ctx);
    void EVP_PKEY_free(EVP_PKEY *pkey);
    int EVP_PKEY_fromdata_init(EVP_PKEY_CTX *ctx);
    int EVP_PKEY_fromdata(EVP_PKEY_CTX *ctx, EVP_PKEY **pkey, int selection, OSSL_PARAM *params);
    int EVP_PKEY_sign_init(EVP_PKEY_CTX *ctx);
    int EVP_PKEY_sign(EVP_PKEY_CTX *c, unsigned char *sig, size_t *m, const unsigned char *tbs, size_t n);
    int EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
    int EVP_PKEY_verify(EVP_PKEY_CTX *c, const unsigned char *s, size_t m, const unsigned char *t, size_t n);
    EC_GROUP *EC_GROUP_new_by_curve_name(int nid);
    EC_POINT *EC_POINT_new(const EC_GROUP *group);
    void EC_POINT_clear_free(EC_POINT *point);
    void EC_POINT_free(EC_POINT *point);
    int EC_POINT_mul(const EC_GROUP *g, EC_POINT *r, const BIGNUM *n, const EC_POINT *q, const BIGNUM *m,
        void *ctx);
    int EC_POINT_oct2point(const EC_GROUP *g, EC_POINT *p, const unsigned char *buf, size_t len, void *ctx);
    size_t EC_POINT_point2oct(const EC_GROUP *g, const EC_POINT *p, int form, unsigned char *buf, size_t len,
        void *ctx);
    BIGNUM *BN_bin2bn(const unsigned char *s, int len, BIGNUM *ret);
    void BN_set_flags(BIGNUM *b, int n);
    void BN_clear_free(BIGNUM *a);
""")


class LibcryptoMissing(ImportError):
    """No libcrypto of OpenSSL 3.0 or newer that knows SM2 could be opened."""


@cache
def libcrypto() -> Any:
    """The library; LibcryptoMissing when neither the system's nor the interpreter's own one will do."""
    # Symbols of the library that `_ssl` is linked with are reachable through the extension module itself.
    for name in (ctypes.util.find_library("crypto"), getattr(_ssl, "__file__", None)):
        found = _open(name) if name else None
        if found is not None:
            return found
    raise LibcryptoMissing("SM2 needs the system's libcrypto, OpenSSL 3.0 or newer, with SM2")


def _open(name: str) -> Any:
    try:
        lib: Any = ffi.dlopen(name)
        if lib.OpenSSL_version_num() < _OLDEST:
            return None
        ctx = lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL)
    except (OSError, AttributeError):
        return None
    lib.EVP_PKEY_CTX_free(ctx)
    lib.ERR_clear_error()
    return lib if ctx else None
