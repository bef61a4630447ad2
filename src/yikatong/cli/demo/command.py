"""`yikatong demo load` fills an empty database with the demo province; `yikatong demo live` lets it live."""

import logging

import typer

app = typer.Typer(help="演示数据")


@app.command("load")
def load_command() -> None:
    """装入演示省份：2 万名虚构持卡人、网点、银行、目录、场所、终端和一周用卡记录。已有数据时不做任何改动。"""
    import django

    django.setup()
    from django.conf import settings

    from yikatong.cli.demo import load
    from yikatong.cli.demo.plan import Loading, Sizes
    from yikatong.cli.progress import progress
    from yikatong.core.clock import now
    from yikatong.registry.regions import profile

    if load.is_loaded():
        typer.echo("已有持卡人数据，未装入演示数据。")
        return
    sizes = Sizes(holders=settings.ENV.demo_holders)
    loading = Loading(profile.load(settings.PROVINCE), now(), settings.ENV.demo_file, sizes)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # its jobs wait for the worker; no news here
    with progress("装入演示省份", len(load.STEPS)) as step:
        load.load(loading=loading, tick=step)


@app.command("live")
def live_command() -> None:
    """让演示省份动起来：终端按时心跳，持卡人经闸机用卡，看板随之更新；直到被停止。"""
    import django

    django.setup()
    from django.conf import settings

    from yikatong.cli.demo.life import live

    live(settings.ENV.gate_url)
