"""A device's name for its owner's list, as far as a User-Agent tells."""

MACHINES = (
    ("HarmonyOS", "鸿蒙手机"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "安卓手机"),
    ("Windows", "Windows 电脑"),
    ("Macintosh", "Mac 电脑"),
    ("Linux", "Linux 电脑"),
)
BROWSERS = (
    ("MicroMessenger", "微信"),
    ("AlipayClient", "支付宝"),
    ("Edg/", "Edge"),
    ("Firefox/", "火狐"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


def device_name(user_agent: str) -> str:
    machine = next((name for sign, name in MACHINES if sign in user_agent), "未知设备")
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "浏览器")
    return f"{machine} · {browser}"
