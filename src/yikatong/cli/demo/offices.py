"""Two clerks at every outlet, so that who takes a case does not check it; nobody logs in as one of these."""

from django.contrib.auth.hashers import make_password

from yikatong.cli.demo.people import GIVEN, SURNAMES
from yikatong.cli.demo.plan import Loading
from yikatong.core.actor import Role
from yikatong.core.models import StaffUser
from yikatong.registry.regions.models import Organisation

PER_OUTLET = 2


def load_offices(loading: Loading) -> None:
    dice, nobody = loading.dice("offices"), make_password(None)
    banks = {f"{loading.profile.code}-bank-{bank.code}": bank.code for bank in loading.banks}
    StaffUser.objects.bulk_create(
        StaffUser(
            username=f"desk{place:03d}{'ab'[desk]}",
            display_name=dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=2)),
            password=nobody,
            role=Role.BANK_CLERK if outlet.organisation.kind == Organisation.Kind.BANK else Role.CLERK,
            bank_code=banks.get(outlet.organisation.code, ""),
            staff_number=f"{1000 + place * PER_OUTLET + desk}",
            scope=outlet.division_code[:4],
            organisation=outlet.name,
            outlet_id=outlet.pk,
            window=f"{desk + 1} 号窗口",
        )
        for place, outlet in enumerate(loading.outlets, 1)
        for desk in range(PER_OUTLET)
    )
