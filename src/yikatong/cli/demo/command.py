"""`yikatong demo load`: fill an empty database with the demo province."""

import typer

app = typer.Typer(help="演示数据")


@app.command("load")
def load_command() -> None:
    """装入演示省份：2 万名虚构持卡人、网点、银行、目录、场所、终端和一周用卡记录。已有数据时不做任何改动。"""
    import django  # noqa: PLC0415 - settings are read only when a command needs them

    django.setup()
    from django.conf import settings  # noqa: PLC0415

    from yikatong.cli.demo import load  # noqa: PLC0415
    from yikatong.cli.demo.plan import Loading  # noqa: PLC0415
    from yikatong.cli.progress import progress  # noqa: PLC0415
    from yikatong.core.clock import now  # noqa: PLC0415
    from yikatong.registry.regions import profile  # noqa: PLC0415

    if load.is_loaded():
        typer.echo("已有持卡人数据，未装入演示数据。")
        return
    loading = Loading(profile.load(settings.PROVINCE), now(), settings.ENV.demo_file)
    with progress("装入演示省份", len(load.STEPS)) as step:
        load.load(loading=loading, tick=step)
