"""Hand back the messages that killed workers took and never acknowledged."""

from inlock.celery import app


def requeue_unacknowledged() -> int:
    """Put every unacknowledged message back into its queue, and say how many there were.

    Right only while no worker runs and nobody else uses the broker, that is
    at the start of `serve` on an embedded one. Without it they would return
    after the visibility timeout.
    """
    with app.connection_for_write() as connection:
        qos = connection.default_channel.qos
        tags = qos.channel.client.zrange(qos.unacked_index_key, 0, -1)
        for tag in tags:
            qos.restore_by_tag(tag)
        return len(tags)
