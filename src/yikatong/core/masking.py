"""Masks applied on the server. A browser never receives what it may not show."""


def mask_number(number: str) -> str:
    """社会保障号码, certificate or card number: first three and last four remain; the birth date is hidden."""
    if len(number) <= 7:
        return number[:1] + "*" * max(len(number) - 2, 1) + number[-1:]
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


def mask_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-4:] if len(phone) >= 8 else "****"


def mask_account(account: str) -> str:
    return f"尾号 {account[-4:]}"
