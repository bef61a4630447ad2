"""National cryptography 商用密码: SM2 signatures, SM3 hash, SM4 cipher and one key derivation."""
