"""亮码 with the network off: drawn by the browser, read by another library, verified by our own terminal's rules."""

import io
import time
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from tests.portals.citizen import people
from tests.portals.citizen.conftest import session_of
from tests.portals.conftest import OpenPage
from yikatong.core.clock import now
from yikatong.registry.holders.models import Holder
from yikatong.using.codes import issuing, pass_
from yikatong.using.codes.models import Device
from yikatong.using.codes.pass_ import Journal, Presentation, TrustList

pytestmark = pytest.mark.browser
#: The credentials this browser keeps are gone.
_NO_CODES = """() => new Promise((done) => {
  const ask = indexedDB.open("yikatong", 1);
  ask.onsuccess = () => {
    const kept = ask.result.transaction("kept").objectStore("kept").getKey("scenes");
    kept.onsuccess = () => { ask.result.close(); done(kept.result === undefined); };
  };
})"""
STILL_GOOD = "当前没有网络，这个码仍然有效"


@pytest.fixture
def holder(transactional_db: None) -> Holder:
    people.world()
    return people.ready(people.holder(people.WANG, "王芳", people.PHONE))


@pytest.fixture
def phone(holder: Holder, open_page: OpenPage) -> Page:
    """A phone that has shown a code once, and whose service worker is in place."""
    page = open_page(
        390,
        844,
        cookies={"sessionid": session_of(holder)},
        service_workers="allow",
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
    )
    page.goto("/m/code")
    page.wait_for_selector("[data-shown]")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("caches.match('/m/offline').then(Boolean)")
    return page


def scanned(page: Page) -> str:
    """What another QR library reads on the screen."""
    page.wait_for_selector("[data-shown] svg")
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))
    assert len(found) == 1
    return found[0].text


def another_than(page: Page, before: Presentation) -> None:
    """Wait until the screen shows another code than this one."""
    page.wait_for_function(
        "shown => document.querySelector('[data-code]').dataset.shown !== shown",
        arg=pass_.encode_text(before.raw),
    )


def trust() -> TrustList:
    return TrustList(issuing.trusted(issuing.live(now())))


def verified(text: str, scene: int, journal: Journal) -> Presentation:
    shown = pass_.parse(pass_.decode_text(text))
    pass_.verify_offline(shown, trust(), frozenset(), now=int(time.time()), seen=journal)
    assert shown.credential.scene == scene
    journal.record(shown)
    return shown


@pytest.mark.clause("C1", "C2", "S10", "O5")
def test_a_code_works_without_a_network(phone: Page) -> None:
    journal = Journal()
    before = verified(scanned(phone), 1, journal)

    phone.context.set_offline(True)
    phone.reload()
    phone.wait_for_selector(f"text={STILL_GOOD}")
    after = verified(scanned(phone), 1, journal)
    phone.click("[data-refresh]")
    another_than(phone, after)
    again = verified(scanned(phone), 1, journal)
    phone.click("text=乘车码")
    phone.wait_for_selector(".seg a[data-scene='3'][aria-current]")
    another_than(phone, again)
    bus = verified(scanned(phone), 3, journal)

    assert before.counter < after.counter < again.counter < bus.counter
    assert bus.credential.device_public != after.credential.device_public
    assert phone.inner_text("[data-name]") == "王*"
    assert "2343" in phone.inner_text("[data-number]")
    assert "离线时最多用 30 次" in phone.inner_text("[data-until]")


def test_a_new_tab_works_without_a_network(phone: Page) -> None:
    phone.context.set_offline(True)
    tab = phone.context.new_page()
    tab.goto("/m/code?scene=2")

    verified(scanned(tab), 2, Journal())
    tab.goto("/m/uses")
    assert "现在没有网络" in tab.inner_text("main")


def test_nothing_of_a_person_is_kept_in_the_clear(phone: Page, holder: Holder) -> None:
    kept = phone.evaluate(
        """async () => {
          const texts = [];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const ask of await cache.keys()) texts.push(await (await cache.match(ask)).text());
          }
          const db = await new Promise((done) => { indexedDB.open('yikatong').onsuccess = (e) => done(e.target.result); });
          const rows = await new Promise((done) => {
            db.transaction('kept').objectStore('kept').getAll().onsuccess = (e) => done(e.target.result);
          });
          const key = rows.find((row) => row instanceof CryptoKey);
          return { texts: texts.join(), rows: JSON.stringify(rows), extractable: key.extractable };
        }"""
    )

    assert not kept["extractable"]
    for word in ("王芳", people.WANG, people.PHONE, str(holder.id)):
        assert word not in kept["texts"] + kept["rows"]
    assert "王" not in kept["texts"]


def test_an_expired_credential_and_a_wrong_clock_are_named(phone: Page) -> None:
    phone.context.set_offline(True)
    phone.clock.set_system_time(now() + timedelta(hours=80))
    phone.reload()
    phone.wait_for_selector("text=离线码已过期。请联网后重新打开本页，自动更新。")

    phone.clock.set_system_time(now() - timedelta(hours=3))
    phone.reload()
    phone.wait_for_selector("text=手机时间不正确，码还没有到生效时间。请校准手机时间后重试。")
    assert STILL_GOOD not in phone.inner_text("main")


def test_a_wrong_clock_is_corrected_while_there_is_a_network(phone: Page) -> None:
    phone.clock.set_system_time(now() - timedelta(minutes=10))
    phone.reload()
    phone.wait_for_selector("text=手机时间慢了约 10 分钟")

    verified(scanned(phone), 1, Journal())


def test_a_device_released_elsewhere_forgets_its_keys_and_the_password(phone: Page) -> None:
    Device.objects.update(status=Device.Status.REVOKED)
    phone.reload()
    assert "该设备已解除绑定" in phone.inner_text("main")
    phone.wait_for_function("indexedDB.databases().then((all) => all.length === 0)")

    phone.context.set_offline(True)
    phone.goto("/m/code")
    phone.wait_for_selector("text=本设备还没有离线码。请联网后重新打开本页。")

    phone.context.set_offline(False)  # the page fetches itself again
    phone.fill("#id_password", people.PASSWORD)
    phone.click("text=去亮码")
    verified(scanned(phone), 1, Journal())
    assert Device.objects.filter(status=Device.Status.ACTIVE).count() == 1


def test_a_loss_takes_the_codes_off_the_phone(phone: Page) -> None:
    phone.goto("/m/card/loss?kind=temporary")
    phone.click("button:has-text('确认挂失')")
    phone.wait_for_url("**/m/card/loss/done")
    phone.wait_for_function(_NO_CODES)

    phone.context.set_offline(True)
    phone.goto("/m/code")
    phone.wait_for_selector("text=本设备还没有离线码。请联网后重新打开本页。")


def test_logging_out_leaves_nothing(phone: Page) -> None:
    phone.goto("/m/me")
    phone.click("text=退出登录")
    phone.wait_for_url("**/m/login?out=1")

    phone.wait_for_function("indexedDB.databases().then((all) => all.length === 0)")
    assert Device.objects.get().status == Device.Status.REVOKED


def test_a_short_code_for_weak_cameras(phone: Page, holder: Holder) -> None:
    phone.click("[data-short]")
    phone.wait_for_selector("img[alt^=通用码]")
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(phone.screenshot())))

    keyset = issuing.signing_keyset(now())
    opened = pass_.open_short_code(found[0].text, {keyset.key_id: keyset}, now=int(time.time()), scenes={1})
    assert Device.objects.get(number=opened.device).holder_id == holder.id
    assert Device.objects.get(number=opened.device).is_server
