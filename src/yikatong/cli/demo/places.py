"""Catalogue, places and terminals of the demonstration."""

from yikatong.cli.demo.centres import strewn
from yikatong.cli.demo.parties import catalogue_file
from yikatong.cli.demo.plan import Loading
from yikatong.core.clock import day_of
from yikatong.registry.access.models import Terminal, TerminalState
from yikatong.registry.catalogue.models import Domain, Item, Place
from yikatong.registry.regions.models import Organisation


def load_catalogue(loading: Loading) -> None:
    Domain.objects.bulk_create(
        Domain(code=entry.code, name=entry.name, icon=entry.icon, order=order)
        for order, entry in enumerate(loading.profile.domains)
    )
    Item.objects.bulk_create(
        Item(
            code=f"{loading.profile.code[:2]}{number:04d}",
            name=name,
            domain_id=domain,
            department=loading.departments[department],
            level=level,
            form=form,
            methods=methods,
            is_money=money,
            guide=f"出示实体卡或{loading.profile.codes.person}，按{'、'.join(methods)}方式使用。",
            valid_from=day_of(loading.at).replace(month=1, day=1),
        )
        for number, (domain, name, department, level, form, methods, money) in enumerate(
            catalogue_file()["items"], 1
        )
    )


def load_places(loading: Loading) -> None:
    """Places over all counties, in the mix that `catalogue.toml` gives, each linked to its domain's items."""
    dice, where = loading.dice("places"), loading.dice("positions")
    kinds = catalogue_file()["places"]
    keeper = Organisation.objects.create(
        code=f"{loading.profile.code}-venues",
        name=f"{loading.profile.short}示例场馆运营有限公司",
        kind=Organisation.Kind.OPERATOR,
        division_code=loading.profile.code,
    )
    seen: dict[str, int] = {}
    for number in range(loading.sizes.places):
        county = loading.counties[number % len(loading.counties)]
        domain, kind, name, _, _, _, hours = dice.choices(kinds, weights=[row[5] for row in kinds])[0]
        full = f"{county.name}{name}"
        lies = strewn(loading.centres[county.code], 0.05, where.random(), where.random())
        seen[full] = seen.get(full, 0) + 1
        loading.places.append(
            Place(
                number=f"{county.code}{number:05d}",
                name=full if seen[full] == 1 else f"{full}（{seen[full]} 号）",
                kind=kind,
                domain_id=domain,
                keeper=keeper,
                division_code=county.code,
                address=f"{county.name}示例大道 {number + 1} 号",
                hours=hours,
                concessions="老年人、残疾人、退役军人凭卡享受优待"
                if domain in {"transit", "culture", "tourism"}
                else "",
                is_accessible=dice.random() < 0.7,
                longitude=lies.longitude,
                latitude=lies.latitude,
            ),
        )
    Place.objects.bulk_create(loading.places)
    _link_items(loading)


def _link_items(loading: Loading) -> None:
    by_domain: dict[str, list[Item]] = {}
    for item in Item.objects.all():
        by_domain.setdefault(item.domain_id, []).append(item)
    link = Place.items.through
    link.objects.bulk_create(
        [
            link(place_id=place.id, item_id=item.id)
            for place in loading.places
            for item in by_domain.get(place.domain_id, [])[:4]
        ],
        batch_size=5_000,
    )


def load_terminals(loading: Loading) -> None:
    dice = loading.dice("terminals")
    rows = {row[1]: row for row in catalogue_file()["places"]}
    # A draw without putting back, by weight: busy kinds get most terminals, and every kind gets some.
    drawn = sorted(loading.places, key=lambda place: dice.random() ** (1 / rows[place.kind][5]), reverse=True)
    terminals = [
        Terminal(
            number=int(f"{place.division_code}{number:06d}"),
            name=f"{place.name} {number % 4 + 1} 号机",
            kind=rows[place.kind][4],
            place=place,
            owner=place.keeper,
            city_code=loading.profile.city_of(place.division_code),
            domain_code=place.domain_id,
            scenes=sorted({1, rows[place.kind][3]}),
            status=dice.choices(["enrolled", "registered", "stopped"], weights=[93, 5, 2])[0],
            key_generation=1,
            enrolled_at=loading.at,
        )
        for number, place in enumerate(drawn[: loading.sizes.terminals], 1)
    ]
    Terminal.objects.bulk_create(terminals)
    TerminalState.objects.bulk_create(
        TerminalState(
            terminal=terminal, signed_in_on=day_of(loading.at), seen_at=loading.at, software="demo-1.0"
        )
        for terminal in terminals
        if terminal.status == "enrolled"
    )
