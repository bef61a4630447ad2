"""What `yikatong run` starts: every job has a worker, and no job waits behind a bank."""

from procrastinate.contrib.django import app

from yikatong.cli.run import LINE_QUEUES, QUEUES


def test_every_job_has_a_worker() -> None:
    queues = {task.queue for task in app.tasks.values()}
    assert queues <= {*QUEUES, *LINE_QUEUES}
    assert not {*LINE_QUEUES} & {*QUEUES}
